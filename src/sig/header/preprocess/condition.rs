//! Conditions of the preprocessor (C17 6.10.1).

use std::collections::BTreeSet;

use super::super::decl::Missing;
use super::super::expr::{self, Token};
use super::super::lexical::{self, Piece};
use super::super::macros::NESTING_LIMIT;
use super::{RUN_PREPROCESSOR, Reader, problem};

/// Conditions in conditions; more means damage. A compiler allows at least 63 (C17 5.2.4.1).
const DEPTH_LIMIT: usize = 256;

/// Names that nothing is known of in one condition; all their combinations are tried.
const ASKED_LIMIT: usize = 6;

/// One `#if` that is open.
pub(super) struct Condition {
    /// Whether its lines count.
    pub active: bool,
    /// Whether one of its branches was taken, or none may be.
    done: bool,
    /// `#else` was seen.
    last: bool,
    pub line: usize,
}

impl Reader<'_, '_> {
    pub(super) fn open(&mut self, word: &str, rest: &str, line: usize, rest_of_file: &[Piece<'_>]) {
        let active = self.active();
        if self.conditions.len() >= DEPTH_LIMIT {
            return self.problem("conditions are nested too deep", line);
        }
        // An include guard, or a default for a macro: the part defines what it asks for.
        let asked = match word {
            "ifndef" => Some(rest),
            _ => negated(rest),
        };
        if let Some(name) = asked
            && active
            && !self.run.known.contains_key(name)
            && defines(part(rest_of_file), name)
        {
            self.run.known.insert(name.to_owned(), None);
        }
        let value = active && self.condition(word, rest, line, Some(part(rest_of_file)));
        self.conditions.push(Condition {
            active: value,
            done: value || !active,
            last: false,
            line,
        });
    }

    pub(super) fn close(&mut self, line: usize) {
        if self.conditions.pop().is_none() {
            self.problem("`#endif` without its condition", line);
        }
    }

    pub(super) fn branch(&mut self, word: &str, rest: &str, line: usize) {
        let Some(mut open) = self.conditions.pop() else {
            return self.problem(format!("`#{word}` without its condition"), line);
        };
        if open.last {
            self.problem(format!("`#{word}` after `#else`"), line);
        }
        open.active = !open.done
            && match word.strip_prefix("el") {
                Some("se") => true,
                Some(word) => self.condition(word, rest, line, None),
                None => false,
            };
        open.done |= open.active;
        open.last |= word == "else";
        self.conditions.push(open);
    }

    /// Whether a condition holds. Where it makes no difference to the rest of the file what becomes of the `part` that it guards, a name that nothing is
    /// known of is no macro, as it is for a compiler that is not told of it.
    fn condition(
        &mut self,
        word: &str,
        rest: &str,
        line: usize,
        part: Option<&[Piece<'_>]>,
    ) -> bool {
        let text = match word {
            "ifdef" => format!("defined({rest})"),
            "ifndef" => format!("!defined({rest})"),
            _ => rest.to_owned(),
        };
        let Some(tokens) = expr::tokens(&text) else {
            self.problem(format!("the condition `{rest}` cannot be read"), line);
            return false;
        };
        let (tokens, asked) = self.with_defined(&tokens);
        let named = tokens.iter().find_map(|t| match t {
            Token::Name(name) if !self.run.known.contains_key(name) => Some(name),
            _ => None,
        });
        let first = asked.first().map(|a| &a.1);
        let open = match named {
            Some(name) => Some(name),
            None => first.filter(|_| !self.is_settled(&tokens, &asked)),
        };
        let value = expr::evaluate(&tokens, &|name| self.known_value(name, 0));
        let Some(value) = value.map(|value| value != 0) else {
            self.problem(format!("the condition `{rest}` cannot be evaluated"), line);
            return false;
        };
        let Some(name) = open.cloned() else {
            return value;
        };
        let source = self.out.source(line);
        let alone = self.boundary.between_declarations() && part.is_some_and(same_without);
        // A part for the opposite would be another branch.
        if alone && *self.run.asked.entry(name.clone()).or_insert(value) == value {
            if !value {
                self.run.missing.push(Missing::Macro(name, source));
            }
            return value;
        }
        let help = format!(
            "say what it was when the library was built: `-D {name}` (or `-D {name}=VALUE`) if it was defined, `-U {name}` if not; or {RUN_PREPROCESSOR}"
        );
        let what =
            format!("a condition asks for `{name}`, and whether that is defined is not known");
        self.run.problems.push(problem(what, &source).help(help));
        false
    }

    /// Whether a condition has one value, whatever of the names is defined: `defined(_WIN32) && !defined(FOO_STATIC)`.
    fn is_settled(&self, tokens: &[Token], asked: &[(usize, String)]) -> bool {
        let names: BTreeSet<&str> = asked.iter().map(|a| a.1.as_str()).collect();
        if names.len() > ASKED_LIMIT {
            return false;
        }
        let mut values = (0..1u32 << names.len()).map(|choice| {
            let mut tokens = tokens.to_vec();
            for (at, name) in asked {
                let bit = names.iter().take_while(|n| **n != name).count();
                if let Some(token) = tokens.get_mut(*at) {
                    *token = Token::Number(i128::from(choice >> bit & 1));
                }
            }
            let value = expr::evaluate(&tokens, &|name| self.known_value(name, 0));
            value.map(|value| value != 0)
        });
        let first = values.next();
        first.is_some_and(|first| first.is_some() && values.all(|value| value == first))
    }

    /// A name that is no macro is 0 (C17 6.10.1, 4).
    fn known_value(&self, name: &str, depth: u32) -> Option<i128> {
        if depth > NESTING_LIMIT {
            return None;
        }
        match self.run.known.get(name) {
            Some(Some(body)) => expr::evaluate(&expr::tokens(body)?, &|name| {
                self.known_value(name, depth + 1)
            }),
            _ => Some(0),
        }
    }

    /// Replaces `defined X` and `defined(X)`; also where the names stood that nothing is known of.
    fn with_defined(&self, tokens: &[Token]) -> (Vec<Token>, Vec<(usize, String)>) {
        let (mut out, mut unknown) = (Vec::new(), Vec::new());
        let mut rest = tokens;
        while let Some((first, tail)) = rest.split_first() {
            let (name, tail) = match (first, tail) {
                (Token::Name(word), [Token::Name(name), tail @ ..]) if word == "defined" => {
                    (Some(name), tail)
                }
                (
                    Token::Name(word),
                    [
                        Token::Sign("("),
                        Token::Name(name),
                        Token::Sign(")"),
                        tail @ ..,
                    ],
                ) if word == "defined" => (Some(name), tail),
                _ => (None, tail),
            };
            out.push(match name {
                Some(name) => {
                    let known = self.run.known.get(name);
                    if known.is_none() {
                        unknown.push((out.len(), name.clone()));
                    }
                    let defined =
                        known.is_some_and(Option::is_some) || self.run.macros.contains_key(name);
                    Token::Number(i128::from(defined))
                }
                None => first.clone(),
            });
            rest = tail;
        }
        (out, unknown)
    }
}

/// What stands between a condition and its `#endif`; the pieces begin behind the condition.
fn part<'p, 't>(pieces: &'p [Piece<'t>]) -> &'p [Piece<'t>] {
    let mut depth = 0u32;
    for (n, piece) in pieces.iter().enumerate().filter(|(_, p)| p.directive) {
        match piece.words().0.as_str() {
            "if" | "ifdef" | "ifndef" => depth += 1,
            "endif" if depth == 0 => return pieces.get(..n).unwrap_or_default(),
            "endif" => depth -= 1,
            _ => {}
        }
    }
    pieces
}

/// Whether a part defines a macro.
fn defines(part: &[Piece<'_>], name: &str) -> bool {
    part.iter().filter(|p| p.directive).any(|piece| {
        let (directive, rest) = piece.words();
        directive == "define" && lexical::name(&rest).0 == name
    })
}

/// Whether a part says the same of everything else in the header if it is left out: it has no other branch, which could describe the same type
/// differently, and defines no macros.
fn same_without(part: &[Piece<'_>]) -> bool {
    let mut depth = 0u32;
    for piece in part.iter().filter(|p| p.directive) {
        match piece.words().0.as_str() {
            "if" | "ifdef" | "ifndef" => depth += 1,
            "endif" => depth -= 1,
            "elif" | "elifdef" | "elifndef" | "else" if depth == 0 => return false,
            "define" | "undef" | "include" | "pragma" => return false,
            _ => {}
        }
    }
    true
}

/// `X` of `!defined(X)`.
fn negated(condition: &str) -> Option<&str> {
    let name = condition
        .strip_prefix('!')?
        .trim_start()
        .strip_prefix("defined")?
        .trim();
    match name.strip_prefix('(') {
        Some(inner) => Some(inner.strip_suffix(')')?.trim()),
        None => Some(name),
    }
}
