//! Options whose values are globs over the names of functions.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};

use super::diag::{Error, Kind, Problem, Result};

/// A glob of an option. As in a `.gitignore`, one after a `!` takes back what those before it took; the last that matches counts.
pub struct Named {
    /// What the names are held against.
    pub matcher: GlobMatcher,
    /// Whether it takes names, rather than taking them back.
    pub takes: bool,
}

/// Reads one value of `option` (`--export`), which may begin with a `!`.
pub fn parse(option: &str, text: &str) -> std::result::Result<Named, Problem> {
    let (pattern, takes) = match text.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    match Glob::new(pattern) {
        Ok(glob) => Ok(Named {
            matcher: glob.compile_matcher(),
            takes,
        }),
        Err(e) => Err(Problem::new(format!("{option} {text}: {}", e.kind()))),
    }
}

/// What all values of `option` say, by name: of each the last that matches counts. `names` are those that a value which takes names, or takes them back, may
/// be about. A value that matches none of them is an error with the message `none` and that help.
pub fn said<'n, N: Iterator<Item = &'n str>>(
    option: &str,
    values: &[String],
    names: impl Fn(bool) -> N,
    (none, help): (&str, &str),
) -> Result<BTreeMap<String, bool>> {
    let mut said = BTreeMap::new();
    let mut problems = Vec::new();
    for text in values {
        match parse(option, text) {
            Ok(glob) => {
                let matching: Vec<&str> = names(glob.takes)
                    .filter(|name| glob.matcher.is_match(name))
                    .collect();
                if matching.is_empty() {
                    let message = format!("{option} {text}: {none}");
                    problems.push(Problem::new(message).help(help));
                }
                said.extend(
                    matching
                        .into_iter()
                        .map(|name| (name.to_owned(), glob.takes)),
                );
            }
            Err(problem) => problems.push(problem),
        }
    }
    Error::check(Kind::Fault, problems, said)
}

/// The first names of a list, and how many more there are.
pub fn some(names: &[&str]) -> String {
    const NAMED: usize = 8;
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}
