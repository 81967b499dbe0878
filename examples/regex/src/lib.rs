//! Searches texts with regular expressions, by the regex crate.
//!
//! It knows Unicode: `\w`, `\d`, `\s`, `\b` and `(?i)` mean all scripts. A search takes time linear in the length of the text, whatever
//! the pattern, as in Go's regexp. Patterns and texts must be valid UTF-8.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of `&str`.

use rsyso_ffi::{FfiResult, OwnedSlice, OwnedString};

/// A compiled regular expression.
///
/// It may be used by several goroutines at once.
pub struct Regex(regex::Regex);

/// A part of a text: `text[m.Start:m.End]`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Match {
    /// Where it begins, in bytes; -1 if there is no match.
    pub start: isize,
    /// Where it ends, in bytes; -1 if there is no match.
    pub end: isize,
}

impl Match {
    const NONE: Match = Match { start: -1, end: -1 };

    // No text is longer than `isize::MAX`.
    fn new(m: regex::Match<'_>) -> Match {
        Match {
            start: m.start() as isize,
            end: m.end() as isize,
        }
    }
}

/// Compiles a regular expression.
///
/// The syntax is that of Go's regexp, with Unicode classes besides: `\w`, `\d`, `\b` and `(?i)` know all scripts, and classes can be
/// cut with each other, as in `[\p{Greek}&&\p{Lu}]`. The error tells the place in the pattern.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_new(pattern: &str) -> FfiResult<Box<Regex>> {
    regex::Regex::new(pattern)
        .map(|compiled| Box::new(Regex(compiled)))
        .into()
}

/// Gives the memory of an expression back.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_free(regex: Option<Box<Regex>>) {
    drop(regex);
}

/// Reports whether the text contains a match.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_is_match(regex: &Regex, text: &str) -> bool {
    regex.0.is_match(text)
}

/// Finds the first match. `Start` is -1 if there is none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_find(regex: &Regex, text: &str) -> Match {
    regex.0.find(text).map_or(Match::NONE, Match::new)
}

/// Finds all matches, from left to right, that do not overlap.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_find_all(regex: &Regex, text: &str) -> OwnedSlice<Match> {
    regex.0.find_iter(text).map(Match::new).collect()
}

/// Counts the matches that do not overlap.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_count(regex: &Regex, text: &str) -> usize {
    regex.0.find_iter(text).count()
}

/// Finds the first match and its groups: the match itself, then one entry for each pair of parentheses.
///
/// A group that takes no part in the match has a `Start` of -1. The result is empty if nothing matches.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_captures(regex: &Regex, text: &str) -> OwnedSlice<Match> {
    let Some(captures) = regex.0.captures(text) else {
        return OwnedSlice::default();
    };
    let groups = captures.iter();
    groups
        .map(|group| group.map_or(Match::NONE, Match::new))
        .collect()
}

/// Gives the number of a named group, as `(?<year>\d+)`, for the result of `Captures`; -1 if there is none of that name.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_group(regex: &Regex, name: &str) -> isize {
    let position = regex.0.capture_names().position(|n| n == Some(name));
    position.map_or(-1, |number| number as isize)
}

/// Replaces all matches. In the replacement, `$1` and `${name}` stand for groups, and `$$` for a dollar sign.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_replace_all(
    regex: &Regex,
    text: &str,
    replacement: &str,
) -> OwnedString {
    regex.0.replace_all(text, replacement).into()
}

/// Splits the text at the matches: the parts between them.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn regex_split(regex: &Regex, text: &str) -> OwnedSlice<Match> {
    let mut parts = Vec::new();
    let mut start = 0;
    for m in regex.0.find_iter(text).map(Match::new) {
        parts.push(Match {
            start,
            end: m.start,
        });
        start = m.end;
    }
    parts.push(Match {
        start,
        end: text.len() as isize,
    });
    parts.into()
}

/// Writes the text as a pattern that matches it and nothing else.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn escape(text: &str) -> OwnedString {
    regex::escape(text).into()
}
