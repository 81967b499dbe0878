//! Build constraints: of `//go:build` lines (cmd/go, "Build constraints") and of `#cgo` lines.

use std::fmt;

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constraint {
    /// A tag that is set, or not.
    Tag(String),
    Not(Box<Constraint>),
    And(Box<Constraint>, Box<Constraint>),
    Or(Box<Constraint>, Box<Constraint>),
    /// What does not depend on a tag.
    Is(bool),
}

use Constraint::{And, Is, Not, Or, Tag};

/// What follows `//go:build`. None where that is no constraint.
pub(super) fn parse(text: &str) -> Option<Constraint> {
    let mut words = words(text)?;
    words.reverse();
    let parsed = or(&mut words)?;
    words.is_empty().then_some(parsed)
}

/// The words of a constraint: tags and operators.
fn words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_tag = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let length = match first {
            '(' | ')' | '!' => 1,
            '&' if rest.starts_with("&&") => 2,
            '|' if rest.starts_with("||") => 2,
            c if is_tag(c) => rest.find(|c| !is_tag(c)).unwrap_or(rest.len()),
            _ => return None,
        };
        let (word, after) = rest.split_at(length);
        found.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(found)
}

/// Parses from the end of `words`, which are in reverse.
fn or(words: &mut Vec<String>) -> Option<Constraint> {
    let mut left = and(words)?;
    while words.pop_if(|w| w == "||").is_some() {
        left = Or(Box::new(left), Box::new(and(words)?));
    }
    Some(left)
}

fn and(words: &mut Vec<String>) -> Option<Constraint> {
    let mut left = not(words)?;
    while words.pop_if(|w| w == "&&").is_some() {
        left = And(Box::new(left), Box::new(not(words)?));
    }
    Some(left)
}

fn not(words: &mut Vec<String>) -> Option<Constraint> {
    match words.pop()?.as_str() {
        "!" => Some(Not(Box::new(not(words)?))),
        "(" => {
            let inside = or(words)?;
            words.pop_if(|w| w == ")").map(|_| inside)
        }
        ")" | "&&" | "||" => None,
        tag => Some(Tag(tag.to_owned())),
    }
}

/// What stands between `#cgo` and the name of a flag: alternatives, each of terms that commas join (go/build, `matchAuto`).
pub(super) fn of_directive(text: &str) -> Constraint {
    let term = |term: &str| match term.strip_prefix('!') {
        Some(tag) => Not(Box::new(Tag(tag.to_owned()))),
        None => Tag(term.to_owned()),
    };
    let all = |terms: &str| {
        let terms = terms.split(',').map(term);
        terms.reduce(|a, b| And(Box::new(a), Box::new(b)))
    };
    let alternatives = text.split_whitespace().filter_map(all);
    let any = alternatives.reduce(|a, b| Or(Box::new(a), Box::new(b)));
    any.unwrap_or(Is(true))
}

impl Constraint {
    /// What is left of it where some tags are known.
    pub fn given(&self, known: &dyn Fn(&str) -> Option<bool>) -> Constraint {
        match self {
            Tag(tag) => known(tag).map_or_else(|| self.clone(), Is),
            Is(is) => Is(*is),
            Not(inside) => match inside.given(known) {
                Is(is) => Is(!is),
                inside => Not(Box::new(inside)),
            },
            And(a, b) => match (a.given(known), b.given(known)) {
                (Is(false), _) | (_, Is(false)) => Is(false),
                (Is(true), other) | (other, Is(true)) => other,
                (a, b) => And(Box::new(a), Box::new(b)),
            },
            Or(a, b) => match (a.given(known), b.given(known)) {
                (Is(true), _) | (_, Is(true)) => Is(true),
                (Is(false), other) | (other, Is(false)) => other,
                (a, b) => Or(Box::new(a), Box::new(b)),
            },
        }
    }

    /// Whether it holds where the tags that are not known are not set.
    pub fn holds(&self, known: &dyn Fn(&str) -> Option<bool>) -> bool {
        self.given(&|tag| Some(known(tag).unwrap_or(false))) == Is(true)
    }
}

impl fmt::Display for Constraint {
    /// As it stands behind `&&`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tag(tag) => write!(f, "{tag}"),
            Not(inside) => write!(f, "!{inside}"),
            And(a, b) => write!(f, "({a} && {b})"),
            Or(a, b) => write!(f, "({a} || {b})"),
            Is(true) => write!(f, "!ignore"),
            Is(false) => write!(f, "ignore"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(tag: &str) -> Option<bool> {
        match tag {
            "linux" | "cgo" => Some(true),
            "windows" => Some(false),
            _ => None,
        }
    }

    #[test]
    fn what_is_known_falls_away() {
        let left = |text: &str| parse(text).unwrap().given(&known).to_string();
        assert_eq!(left("cgo && (linux || windows) && !purego"), "!purego");
        assert_eq!(left("a || b && c"), "(a || (b && c))");
        assert_eq!(left("windows && a"), "ignore");
        assert_eq!(left("!windows || a"), "!ignore");
        for wrong in ["", "a &&", "(a", "a b", "a & b", "!"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn directives_have_a_form_of_their_own() {
        for (text, holds) in [
            ("", true),
            ("linux", true),
            ("windows linux", true),
            ("linux,!cgo", false),
            ("!windows,linux darwin", true),
            ("other", false),
        ] {
            assert_eq!(of_directive(text).holds(&known), holds, "{text}");
        }
    }
}
