//! The `#cgo` lines of a preamble.

use super::constraint;
use super::target::Target;

/// What the lines of a package say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// For the C compiler.
    pub compile: Vec<String>,
    /// For the linker.
    pub link: Vec<String>,
    /// Packages of pkg-config.
    pub packages: Vec<String>,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// From 0, of the preamble.
    pub line: usize,
    pub what: String,
}

/// Whether a line is one of cgo's own, and no C.
fn directive(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("#cgo")?;
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

/// The preamble with these lines left empty.
pub(super) fn c_text(preamble: &str) -> String {
    let lines = preamble.split('\n');
    let c = lines.map(|line| match directive(line) {
        Some(_) => "",
        None => line,
    });
    c.collect::<Vec<_>>().join("\n")
}

/// Adds what the lines of a preamble say for the target. `folder` is what `${SRCDIR}` stands for.
pub(super) fn read(preamble: &str, target: &Target, folder: &str, flags: &mut Flags) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (line, text) in preamble.split('\n').enumerate() {
        let Some(text) = directive(text) else {
            continue;
        };
        let mut told = |what: String| wrong.push(Wrong { line, what });
        let first = text.split_whitespace().next().unwrap_or_default();
        // They make cgo's own calls cheaper; calls here are.
        if matches!(first, "noescape" | "nocallback") {
            continue;
        }
        let Some((head, value)) = text.split_once(':') else {
            told(format!("`#cgo {text}` is not understood"));
            continue;
        };
        let head = head.trim();
        let (condition, name) = match head.rsplit_once([' ', '\t']) {
            Some((condition, name)) => (condition, name),
            None => ("", head),
        };
        if !constraint::of_directive(condition).holds(&|tag| target.knows(tag, true)) {
            continue;
        }
        let Some(words) = split(value) else {
            told(format!("the quotes of `#cgo {text}` do not match"));
            continue;
        };
        let words = words.into_iter().map(|w| w.replace("${SRCDIR}", folder));
        match name {
            "CFLAGS" | "CPPFLAGS" => flags.compile.extend(words),
            "LDFLAGS" => flags.link.extend(words),
            "pkg-config" => flags.packages.extend(words),
            "CXXFLAGS" | "FFLAGS" => {}
            _ => told(format!("`#cgo {name}` is not known")),
        }
    }
    wrong
}

/// The words of a line: quotes hold spaces, a backslash takes the meaning of what follows (go/build, `splitQuoted`).
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => word.get_or_insert_default().push(chars.next()?),
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
