//! Nothing is too long to be read at once: files, and functions of the tool and of the runtime.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::common::root;

/// Lines of a file.
const FILE: usize = 500;

/// Fewer for what is read first.
const FIRST: (&str, usize) = ("src/pipeline.rs", 300);

/// Lines of a function, from its `fn` on.
const FUNCTION: usize = 80;

/// Functions that may be longer, and why.
const LONGER: &[(&str, &str, &str)] = &[
    ("rt/src/arch/aarch64/lane.rs", "map_lane", ASSEMBLY),
    ("rt/src/arch/aarch64/lane.rs", "rsyso_lane_slow", ASSEMBLY),
    ("rt/src/arch/x86_64/lane.rs", "map_lane", ASSEMBLY),
    ("rt/src/arch/x86_64/lane.rs", "rsyso_lane_slow", ASSEMBLY),
    ("rt/src/arch/x86_64/mem.rs", "memset", ASSEMBLY),
    ("rt/src/arch/x86_64/wide.rs", "difference", ASSEMBLY),
    ("rt/src/c/scanf.rs", "directive", TABLE),
    ("rt/src/c/stdlib/float.rs", "agrees_with_the_host", TABLE),
];

const ASSEMBLY: &str = "assembly, an instruction per line, which cannot be cut without a call";
const TABLE: &str = "a table: an entry per conversion, or per number";

#[test]
fn no_file_is_too_long() {
    let mut broken = Vec::new();
    for path in sources(&["src", "rt/src", "tests", "ffi/src"]) {
        let lines = text(&path).lines().count();
        let most = if path == Path::new(FIRST.0) {
            FIRST.1
        } else {
            FILE
        };
        if lines > most {
            broken.push(format!(
                "{}: {lines} lines: more than {most} are two files with a name each",
                path.display()
            ));
        }
    }
    assert!(root().join(FIRST.0).is_file());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn no_function_is_too_long() {
    let mut broken = Vec::new();
    let mut longer = LONGER.to_vec();
    for path in sources(&["src", "rt/src"]) {
        let tokens: TokenStream = text(&path).parse().unwrap();
        for (name, line, lines) in functions(tokens) {
            if lines <= FUNCTION {
                continue;
            }
            let allowed = |(file, function, _): &(&str, &str, &str)| {
                path == Path::new(file) && name == *function
            };
            match longer.iter().position(allowed) {
                Some(at) => drop(longer.remove(at)),
                None => broken.push(format!(
                    "{}:{line}: `{name}` has {lines} lines: more than {FUNCTION} are two functions with a name each",
                    path.display()
                )),
            }
        }
    }
    for (file, function, _) in longer {
        broken.push(format!(
            "{file}: `{function}` may be longer, but is not: take it off the list"
        ));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The Rust files in some folders of the tree.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                // Crates that tests build leave their output there.
                if entry.file_name() != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 100, "the sources are elsewhere");
    found.sort();
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Functions with their bodies, those in macros and in other functions included: name, line, number of lines.
fn functions(tokens: TokenStream) -> Vec<(String, usize, usize)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(functions(group.stream()));
        }
        let [TokenTree::Ident(word), TokenTree::Ident(name), rest @ ..] = &tokens[at..] else {
            continue;
        };
        if word != "fn" {
            continue;
        }
        // A declaration without a body ends before the next one begins.
        let body = rest.iter().find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(Some(group)),
            TokenTree::Punct(p) if p.as_char() == ';' => Some(None),
            _ => None,
        });
        if let Some(Some(body)) = body {
            let first = word.span().start().line;
            let lines = body.span_close().end().line - first + 1;
            found.push((name.to_string(), first, lines));
        }
    }
    found
}

#[test]
fn functions_are_found_wherever_they_stand() {
    let text = "\
trait T { fn without(&self) -> [u8; 4]; fn with(&self) {
} }
c_fn! { /// doc
    fn inner(f: fn(u8) -> u8) -> u8 {
        fn own() {}
        0
    } }
";
    let found = functions(text.parse().unwrap());
    let names: Vec<_> = found
        .iter()
        .map(|(n, at, lines)| (n.as_str(), *at, *lines))
        .collect();
    assert_eq!(names, [("with", 1, 2), ("inner", 4, 4), ("own", 5, 1)]);
}
