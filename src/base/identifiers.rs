//! From Rust's and C's identifiers to Go's.

mod style;

use std::path::Path;

pub use style::{Naming, Style};

/// Which part of the exports' names Go leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// The library's name and an underscore, if every export begins with them.
    #[default]
    Auto,
    /// This, wherever an export begins with it.
    Given(String),
}

impl Prefix {
    /// As `--trim-prefix` says.
    pub fn new(given: Option<&str>) -> Prefix {
        given.map_or(Prefix::Auto, |prefix| Prefix::Given(prefix.to_owned()))
    }
}

/// The words that Go writes in one case (Go Code Review Comments, "Initialisms"; the list is golint's).
const INITIALISMS: &[&str] = &[
    "ACL", "API", "ASCII", "CPU", "CSS", "DNS", "EOF", "GUID", "HTML", "HTTP", "HTTPS", "ID", "IP",
    "JSON", "LHS", "QPS", "RAM", "RHS", "RPC", "SLA", "SMTP", "SQL", "SSH", "TCP", "TLS", "TTL",
    "UDP", "UI", "UID", "URI", "URL", "UTF8", "UUID", "VM", "XML", "XMPP", "XSRF", "XSS",
];

/// Go's keywords (Go specification, "Keywords").
const KEYWORDS: &[&str] = &[
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

/// What bodies refer to: a parameter of this name would hide it.
const USED_IN_BODIES: &[&str] = &[
    "any", "bool", "byte", "false", "float32", "float64", "int", "int16", "int32", "int64", "int8",
    "nil", "panic", "rune", "runtime", "strconv", "string", "true", "uint", "uint16", "uint32",
    "uint64", "uint8", "uintptr", "unsafe", "utf8",
];

/// Whether Go reserves the word.
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

/// Whether `name` is a Go identifier other than `_` and the keywords.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || is_letter(c))
        && chars.all(is_identifier_char)
        && name != "_"
        && !is_keyword(name)
}

/// An exported Go identifier: `count_words` -> `CountWords`, `parse_url` -> `ParseURL`. `lead` (upper case) goes in front
/// of a name that begins with a digit or with a letter that has no upper case.
pub fn exported(name: &str, lead: char) -> String {
    let mut out = member(name);
    if !out.chars().next().is_some_and(char::is_uppercase) {
        out.insert(0, lead);
    }
    out
}

/// As [`exported`], for a name that stands behind another: any letter or digit may be its first.
pub fn member(name: &str) -> String {
    let words = words(name);
    let several = words.len() > 1;
    let mut out = String::new();
    for word in &words {
        push_word(&mut out, &upper_word(word, several));
    }
    out
}

/// The name of a macro, whose letters are all upper case, as other names are written: `MAX` -> `max`. Others stay.
pub fn lowered(name: &str) -> String {
    match name.chars().any(char::is_lowercase) {
        true => name.to_owned(),
        false => name.to_lowercase(),
    }
}

/// A Go parameter: `text_len` -> `textLen`, `user_id` -> `userID`, `type` -> `type_`. `index` names one whose name has no letters.
pub fn parameter(name: &str, index: usize) -> String {
    let words = words(name);
    let several = words.len() > 1;
    let mut out = String::new();
    for (i, word) in words.iter().enumerate() {
        match i {
            0 => out.push_str(&lower_word(word)),
            _ => push_word(&mut out, &upper_word(word, several)),
        }
    }
    match out.chars().next() {
        None => out = format!("arg{index}"),
        Some(c) if !is_letter(c) => out.insert_str(0, "arg"),
        Some(_) => {}
    }
    free(out)
}

/// A parameter's name, made one that hides nothing. Functions of our own are called in bodies, too.
fn free(mut name: String) -> String {
    if is_keyword(&name) || USED_IN_BODIES.contains(&name.as_str()) || name.starts_with("rsyso") {
        name.push('_');
    }
    name
}

/// A local variable beside these parameters.
pub fn unused(name: &str, params: &[String]) -> String {
    let mut name = name.to_string();
    while params.contains(&name) {
        name.push('_');
    }
    name
}

/// The parts of a name between underscores and whatever else no identifier may hold. Paths lose all but their last part:
/// `Wrapper<alloc::string::String>` -> `Wrapper`, `String`.
fn words(name: &str) -> Vec<String> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut words = Vec::new();
    for chunk in name.split(['<', '>', ',', ' ', ';', '(', ')']) {
        let last = chunk.rsplit("::").next().unwrap_or(chunk);
        let last = last.strip_prefix("r#").unwrap_or(last);
        for word in last.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()) {
            let word: String = word.chars().map(spelled).collect();
            if !word.is_empty() {
                words.push(word);
            }
        }
    }
    words
}

/// A character as an identifier may hold it.
fn spelled(c: char) -> String {
    if is_identifier_char(c) {
        c.to_string()
    } else {
        format!("u{:04X}", c as u32)
    }
}

/// Adds a word. Two digits do not meet: `add_1_2` and `add_12` stay apart.
fn push_word(out: &mut String, word: &str) {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    if digit(out.chars().next_back()) && digit(word.chars().next()) {
        out.push('_');
    }
    out.push_str(word);
}

/// `words` -> `Words`, `url` -> `URL`; `FAST` of `VERY_FAST` -> `Fast`; what is already in mixed case stays.
fn upper_word(word: &str, one_of_several: bool) -> String {
    let upper = word.to_uppercase();
    let one_case = word == upper || word == word.to_lowercase();
    if one_case && INITIALISMS.contains(&upper.as_str()) {
        return upper;
    }
    let lowered = if one_of_several && word == upper {
        word.to_lowercase()
    } else {
        word.to_string()
    };
    change_first(&lowered, |c| single(c.to_uppercase()))
}

/// `URL` -> `url`, `Text` -> `text`.
fn lower_word(word: &str) -> String {
    if word == word.to_uppercase() {
        return word.to_lowercase();
    }
    change_first(word, |c| single(c.to_lowercase()))
}

fn change_first(word: &str, change: impl Fn(char) -> Option<char>) -> String {
    let mut chars = word.chars();
    match chars.next() {
        None => String::new(),
        Some(first) => {
            let mut out = String::from(change(first).unwrap_or(first));
            out.push_str(chars.as_str());
            out
        }
    }
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

/// Go's letters are the categories L*, a subset of Rust's alphabetic characters. Told apart here are those that matter:
/// cased letters (without numerals and marks that count as cased) and the large scripts of East Asia. Others are spelled out.
fn is_letter(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' => true,
        '\u{345}' | '\u{2160}'..='\u{2188}' | '\u{24b6}'..='\u{24e9}' => false,
        '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' => true,
        '\u{80}'..='\u{9fff}' => c.is_lowercase() || c.is_uppercase(),
        _ => false,
    }
}

fn is_identifier_char(c: char) -> bool {
    c == '_' || c.is_ascii_digit() || is_letter(c)
}

/// The library's name: `target/release/libfoo_bar.a` -> `foo_bar`, `libfoo-0123456789abcdef.rlib` -> `foo`. Characters that a Go
/// file name should not hold become underscores. Never empty.
pub fn library_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match stem.strip_prefix("lib") {
        Some(rest) if !rest.is_empty() => rest,
        _ => &stem,
    };
    let name = strip_hash(name);
    let clean: String = name
        .chars()
        .map(|c| if is_file_char(c) { c } else { '_' })
        .collect();
    match clean.trim_start_matches('_') {
        "" => "lib".into(),
        rest => rest.into(),
    }
}

/// What NAME may hold. Not a dot: the go command looks for the platform in what stands before the first one.
pub fn is_file_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// rustc puts a hyphen and a hash of 16 hexadecimal digits behind the names of rlibs.
fn strip_hash(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, hash))
            if !base.is_empty()
                && hash.len() == 16
                && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            base
        }
        _ => name,
    }
}

/// A package name from the library's name: lower case, and none with a meaning of its own to the go command.
pub fn package_name(library: &str) -> String {
    let lower: String = library
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect::<String>()
        .to_lowercase();
    // The go command ignores files of package "documentation"; "main" is a program.
    let special = matches!(lower.as_str(), "main" | "documentation");
    if special || !is_identifier(&lower) {
        return format!("lib{lower}");
    }
    lower
}

/// The prefix that the names of `symbols` lose; empty for none.
pub fn prefix<'a>(
    wanted: &'a Prefix,
    library: &str,
    symbols: &[&str],
) -> std::borrow::Cow<'a, str> {
    match wanted {
        Prefix::Given(prefix) => prefix.as_str().into(),
        Prefix::Auto => {
            let prefix = format!("{}_", library.replace('-', "_"));
            let fits = |s: &&str| {
                s.strip_prefix(&prefix)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
            };
            match !symbols.is_empty() && symbols.iter().all(fits) {
                true => prefix.into(),
                false => "".into(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_exported_in_go_style() {
        for (rust, go) in [
            ("count_words", "CountWords"),
            ("parse_url", "ParseURL"),
            ("user_id", "UserID"),
            ("url", "URL"),
            ("http_get_json", "HTTPGetJSON"),
            ("is_utf8", "IsUTF8"),
            ("CountWords", "CountWords"),
            ("countWords", "CountWords"),
            ("plusone", "Plusone"),
            ("_private__name_", "PrivateName"),
            ("add_1_2", "Add1_2"),
            ("add_12", "Add12"),
            ("vec3_len", "Vec3Len"),
            ("3d", "X3d"),
            ("___", "X"),
            ("foo.bar$baz", "FooBarBaz"),
            ("r#type", "Type"),
            ("über_maß", "ÜberMaß"),
            ("größe", "Größe"),
            ("数_字", "X数字"),
            ("straße_ⅷ", "StraßeU2177"),
            ("ßeta", "Xßeta"),
        ] {
            assert_eq!(exported(rust, 'X'), go, "{rust}");
            assert!(is_identifier(&exported(rust, 'X')), "{rust}");
        }
    }

    #[test]
    fn types_and_variants_keep_their_case() {
        for (rust, go) in [
            ("Token", "Token"),
            ("HttpClient", "HttpClient"),
            ("Wrapper<u32>", "WrapperU32"),
            ("Wrapper<alloc::string::String>", "WrapperString"),
            ("Pair<[u8; 4], &str>", "PairU8_4Str"),
            ("my_struct_t", "MyStructT"),
            ("VERY_FAST", "VeryFast"),
            ("RGB", "RGB"),
            ("USER_ID", "UserID"),
            ("HTTP2", "HTTP2"),
        ] {
            assert_eq!(exported(rust, 'X'), go, "{rust}");
        }
        assert_eq!(exported("0", 'F'), "F0");
        assert_eq!(exported("12", 'F'), "F12");
    }

    #[test]
    fn parameters_begin_in_lower_case() {
        for (rust, go) in [
            ("text", "text"),
            ("text_len", "textLen"),
            ("user_id", "userID"),
            ("url", "url"),
            ("url_text", "urlText"),
            ("id", "id"),
            ("aB", "aB"),
            ("Url", "url"),
            ("A", "a"),
            ("_unused", "unused"),
            ("type", "type_"),
            ("r#type", "type_"),
            ("range", "range_"),
            ("panic", "panic_"),
            ("runtime", "runtime_"),
            ("len", "len"),
            ("string", "string_"),
            ("unsafe_", "unsafe_"),
            ("nil", "nil_"),
            ("_", "arg7"),
            ("_0", "arg0"),
            ("größe", "größe"),
            ("字", "字"),
        ] {
            assert_eq!(parameter(rust, 7), go, "{rust}");
            assert!(is_identifier(&parameter(rust, 7)), "{rust}");
        }
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(KEYWORDS.is_sorted());
        assert!(INITIALISMS.is_sorted());
    }

    #[test]
    fn the_library_is_named_after_its_file() {
        for (path, name) in [
            ("target/release/libfoo.a", "foo"),
            ("libfoo_bar.a", "foo_bar"),
            ("libfoo-bar.a", "foo-bar"),
            ("libfoo-0123456789abcdef.rlib", "foo"),
            ("libfoo-0123456789abcdeg.rlib", "foo-0123456789abcdeg"),
            ("foo.rlib", "foo"),
            ("foo.o", "foo"),
            ("lib.a", "lib"),
            ("libfoo.1.a", "foo_1"),
            ("library.a", "rary"),
            ("_x.o", "x"),
            ("", "lib"),
            ("/", "lib"),
            ("lib\u{fc}.a", "lib"),
        ] {
            assert_eq!(library_name(Path::new(path)), name, "{path}");
        }
    }

    #[test]
    fn the_package_is_a_lower_case_identifier() {
        for (library, package) in [
            ("foo", "foo"),
            ("foo-bar", "foo_bar"),
            ("Foo", "foo"),
            ("7zip", "lib7zip"),
            ("type", "libtype"),
            ("main", "libmain"),
            ("documentation", "libdocumentation"),
        ] {
            assert_eq!(package_name(library), package);
            assert!(is_identifier(package));
        }
    }

    #[test]
    fn the_prefix_goes_only_when_all_have_it() {
        let auto =
            |library: &str, symbols: &[&str]| prefix(&Prefix::Auto, library, symbols).into_owned();
        assert_eq!(auto("foo", &["foo_a", "foo_b"]), "foo_");
        assert_eq!(auto("foo-bar", &["foo_bar_a"]), "foo_bar_");
        assert_eq!(auto("foo", &["foo_a", "b"]), "");
        assert_eq!(auto("foo", &["foo_a", "foo_2d"]), "");
        assert_eq!(auto("foo", &["foo_"]), "");
        assert_eq!(auto("foo", &[]), "");
        let given = Prefix::Given("x_".into());
        assert_eq!(prefix(&given, "foo", &["foo_a"]), "x_");
    }
}
