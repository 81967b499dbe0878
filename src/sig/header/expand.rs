//! Macros in declarations, replaced as a preprocessor does it (C17 6.10.3), except that every line stays where it is.

use std::collections::BTreeMap;

use super::lexical::{Scanner, name};
use super::macros::{Macro, NESTING_LIMIT, is_decoration};

/// What the rest of a macro's arguments is called in it.
const REST: &str = "__VA_ARGS__";

/// Bytes that the macros of one text may become; macros that double each other would become more than any memory.
const BUDGET: usize = 4 << 20;

/// Replaces all macros that are in force.
pub(super) fn expand(text: &str, macros: &BTreeMap<String, Macro>) -> String {
    let mut expander = Expander {
        macros,
        budget: BUDGET,
    };
    expander.text(text, &[])
}

struct Expander<'m> {
    macros: &'m BTreeMap<String, Macro>,
    /// Bytes that are left.
    budget: usize,
}

impl Expander<'_> {
    /// A text with its macros replaced, but for those whose own replacement it is.
    fn text(&mut self, text: &str, hidden: &[&str]) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut state, mut open) = (Scanner::default(), false);
        let mut at = 0;
        while let Some(rest) = text.get(at..)
            && let Some(c) = rest.chars().next()
        {
            if state.in_code(open) && (c.is_alphanumeric() || c == '_') {
                let (word, tail) = name(rest);
                at += word.len();
                match self.replaced(word, tail, hidden) {
                    Some((by, used)) => {
                        out.push_str(&by);
                        at += used;
                    }
                    None => out.push_str(word),
                }
                continue;
            }
            open = state.step(c, rest, open);
            at += c.len_utf8();
            out.push(c);
        }
        out
    }

    /// What a word becomes, and how many bytes behind it go with it. None for a word that stays.
    fn replaced(&mut self, word: &str, tail: &str, hidden: &[&str]) -> Option<(String, usize)> {
        let found = self.macros.get(word)?;
        if self.budget == 0 || hidden.contains(&word) || hidden.len() >= NESTING_LIMIT as usize {
            return None;
        }
        let (arguments, used) = match found.params {
            Some(_) => arguments(tail)?,
            None => (Vec::new(), 0),
        };
        let mut by = String::from(" ");
        if !is_decoration(&found.body) {
            let body = self.substituted(found, &arguments, hidden)?;
            let inside: Vec<&str> = hidden.iter().copied().chain([word]).collect();
            by.push_str(&self.text(&body, &inside));
            by.push(' ');
        }
        self.budget = self.budget.saturating_sub(by.len());
        let lines = tail.get(..used)?.matches('\n').count();
        by.extend(std::iter::repeat_n('\n', lines));
        Some((by, used))
    }

    /// The body of a macro with arguments in the place of parameters (C17 6.10.3.1 to 6.10.3.3).
    fn substituted(
        &mut self,
        found: &Macro,
        arguments: &[String],
        hidden: &[&str],
    ) -> Option<String> {
        let Some(params) = &found.params else {
            return Some(found.body.clone());
        };
        let given = bound(params, arguments)?;
        let tokens = tokens(&found.body);
        let glued = |at: Option<usize>| at.and_then(|at| tokens.get(at)) == Some(&Token::Glue);
        let mut out = String::new();
        for (at, token) in tokens.iter().enumerate() {
            let argument = |word: &str| given.get(word).map(String::as_str);
            match token {
                // Only what is no part of another word is a macro of its own.
                Token::Word(word) => match argument(word) {
                    Some(given) if glued(at.checked_sub(1)) || glued(Some(at + 1)) => {
                        out.push_str(given);
                    }
                    Some(given) => out.push_str(&self.text(given, hidden)),
                    None => out.push_str(word),
                },
                Token::Quote(word) => out.push_str(&quoted(argument(word)?)),
                Token::Glue => {}
                Token::Other(text) => out.push_str(text),
            }
        }
        Some(out)
    }
}

/// The parameters with what they stand for; None where their number is another.
fn bound<'p>(params: &'p [String], arguments: &[String]) -> Option<BTreeMap<&'p str, String>> {
    let (named, rest) = match params.split_last() {
        Some((last, named)) if last == "..." => (named, true),
        _ => (params, false),
    };
    let arguments = match (named, arguments) {
        // `F()` gives nothing to a macro without parameters, and an empty argument to others.
        ([], [one]) if one.is_empty() => &[],
        (_, all) => all,
    };
    let fits = match rest {
        true => arguments.len() >= named.len(),
        false => arguments.len() == named.len(),
    };
    if !fits {
        return None;
    }
    let (own, more) = arguments.split_at_checked(named.len())?;
    let own = named.iter().map(String::as_str).zip(own.iter().cloned());
    let more = rest.then(|| (REST, more.join(", ")));
    Some(own.chain(more).collect())
}

/// The arguments that a text begins with, and how many bytes they take, parentheses and blanks before them included.
fn arguments(text: &str) -> Option<(Vec<String>, usize)> {
    let inside = text.trim_start().strip_prefix('(')?;
    let begin = text.len() - inside.len();
    let mut state = Scanner::default();
    let (mut all, mut one) = (Vec::new(), String::new());
    let (mut depth, mut at) = (0usize, 0);
    while let Some(rest) = inside.get(at..)
        && let Some(c) = rest.chars().next()
    {
        let code = state.in_code(false);
        if code && let Some(comment) = comment(rest) {
            one.push(' ');
            at += comment;
            continue;
        }
        state.step(c, rest, false);
        at += c.len_utf8();
        match c {
            ')' if code && depth == 0 => {
                all.push(one.trim().to_owned());
                return Some((all, begin + at));
            }
            ',' if code && depth == 0 => all.push(std::mem::take(&mut one).trim().to_owned()),
            '(' if code => depth += 1,
            ')' if code => depth -= 1,
            _ => {}
        }
        match c {
            '\n' => one.push(' '),
            ',' if code && depth == 0 => {}
            c => one.push(c),
        }
    }
    None
}

/// The bytes of the comment that a text begins with. The line end behind one of C++'s is no part of it.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let inside = text.strip_prefix("/*")?;
    Some(inside.find("*/").map_or(text.len(), |end| end + 4))
}

/// A part of a macro's body.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name or a number.
    Word(String),
    /// `#name`.
    Quote(String),
    /// `##`, and the blanks around it.
    Glue,
    /// Anything else.
    Other(String),
}

fn tokens(body: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut state = Scanner::default();
    let mut at = 0;
    while let Some(rest) = body.get(at..)
        && let Some(c) = rest.chars().next()
    {
        let code = state.in_code(false);
        if code && (c.is_alphanumeric() || c == '_') {
            let word = name(rest).0;
            at += word.len();
            out.push(Token::Word(word.to_owned()));
            continue;
        }
        if code && rest.starts_with("##") {
            while matches!(out.last(), Some(Token::Other(text)) if text.trim().is_empty()) {
                out.pop();
            }
            let behind = rest.trim_start_matches('#').trim_start();
            at += rest.len() - behind.len();
            out.push(Token::Glue);
            continue;
        }
        if code && c == '#' {
            let behind = rest.trim_start_matches('#').trim_start();
            let word = name(behind).0;
            at += rest.len() - behind.len() + word.len();
            out.push(Token::Quote(word.to_owned()));
            continue;
        }
        state.step(c, rest, false);
        at += c.len_utf8();
        out.push(Token::Other(c.to_string()));
    }
    out
}

/// A text as a string literal (C17 6.10.3.2).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    fn macros(all: &[(&str, Option<&[&str]>, &str)]) -> BTreeMap<String, Macro> {
        let one = |(name, params, body): &(&str, Option<&[&str]>, &str)| {
            let found = Macro {
                params: params.map(|p| p.iter().map(|p| p.to_string()).collect()),
                body: body.to_string(),
                source: Source::default(),
            };
            (name.to_string(), found)
        };
        all.iter().map(one).collect()
    }

    /// Without the blanks, which mean nothing.
    fn expanded(text: &str) -> String {
        let macros = macros(&[
            ("own", None, ""),
            (
                "API",
                None,
                "__attribute__((visibility(\"default\"))) extern",
            ),
            ("API_OF", Some(&["x"]), "__attribute__((x)) extern"),
            ("ALIAS", None, "API"),
            (
                "DECLARE",
                Some(&["name"]),
                "typedef struct foo_##name##_t foo_##name##_t; API void foo_##name##_delete(own foo_##name##_t*);",
            ),
            ("TWICE", Some(&["a", "b"]), "DECLARE(a) DECLARE(b)"),
            ("LIST", Some(&["first", "..."]), "first(__VA_ARGS__)"),
            ("NAMED", Some(&["x"]), "x = #x"),
            ("SELF", None, "SELF + OTHER"),
            ("OTHER", None, "SELF"),
            ("NONE", Some(&[]), "int"),
            ("SIZE", None, "uint64_t"),
            ("A0", None, "A1 A1"),
            ("A1", None, "A2 A2"),
        ]);
        let out = expand(text, &macros);
        assert_eq!(
            out.matches('\n').count(),
            text.matches('\n').count(),
            "{text}"
        );
        out.split(' ')
            .filter(|w| !w.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn macros_are_replaced_as_a_preprocessor_does() {
        for (text, want) in [
            ("ALIAS int f(own T*);", "int f( T*);"),
            ("API_OF(y) SIZE f(void);", "uint64_t f(void);"),
            (
                "DECLARE(config)",
                "typedef struct foo_config_t foo_config_t; void foo_config_delete( foo_config_t*);",
            ),
            ("LIST(f, int, SIZE) LIST(g)", "f(int, uint64_t ) g()"),
            (
                "NAMED(a \"b\" SIZE)",
                "a \"b\" uint64_t = \"a \\\"b\\\" SIZE\"",
            ),
            ("SELF", "SELF + SELF"),
            ("NONE() x; NONE y;", "int x; NONE y;"),
            ("\"SIZE\" /* SIZE */ // SIZE", "\"SIZE\" /* SIZE */ // SIZE"),
            ("LIST(f, (a, b), g(\")\", ','))", "f((a, b), g(\")\", ','))"),
            ("LIST(f, /* , */ a)", "f(a)"),
            ("A0", "A2 A2 A2 A2"),
            ("TWICE(a)", "TWICE(a)"),
            ("DECLARE(a", "DECLARE(a"),
            ("SIZE_OF SIZE2", "SIZE_OF SIZE2"),
        ] {
            assert_eq!(expanded(text), want, "{text}");
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let out = expanded("LIST(f,\n  int,\n  SIZE)\nint g;");
        assert_eq!(out.lines().last(), Some("int g;"));
    }

    #[test]
    fn what_would_grow_without_end_ends() {
        let names: Vec<String> = (0..40).map(|n| format!("A{n}")).collect();
        let all = names.iter().enumerate().map(|(n, name)| {
            let found = Macro {
                params: None,
                body: format!("A{0} A{0}", n + 1),
                source: Source::default(),
            };
            (name.clone(), found)
        });
        let out = expand("A0 A0 A0", &all.collect());
        assert!(out.len() < 4 * BUDGET);
    }
}
