//! Options whose values are globs over the names of functions.

use globset::{Glob, GlobMatcher};

use crate::base::diag::Problem;

/// A glob of an option. As in a `.gitignore`, one after a `!` takes back what those before it took; the last that matches counts.
pub struct Named {
    /// What the names are held against.
    pub matcher: GlobMatcher,
    /// Whether it takes names, rather than taking them back.
    pub takes: bool,
}

/// Reads one value of `option` (`--export`), which may begin with a `!`.
pub fn parse(option: &str, text: &str) -> Result<Named, Problem> {
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
