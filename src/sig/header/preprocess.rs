//! What a preprocessor would do with the header, as far as headers for C and C++ at once need it: conditions, and macros that stand for
//! attributes or for nothing. Included files are not read.
//!
//! The text keeps its length and its lines: what goes is replaced with blanks. So places in the result are places in the file.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::expr::{self, Token};
use super::lexical::{Piece, bare, blank, pieces};
use super::macros::{self, Macro, NESTING_LIMIT, without_decorations};
use crate::base::diag::Problem;
use crate::model::Source;

/// The way out when the header asks for more than is done here.
pub(super) const RUN_PREPROCESSOR: &str = "run the C preprocessor first, which knows all macros (`cc -E -C foo.h -o foo.i`, with -D for those that the build defines), and give its output as the header";

/// Macros that are defined while a header is read: those of a C compiler for the platforms that are converted.
const DEFINED: [(&str, &str); 9] = [
    ("__STDC__", "1"),
    ("__STDC_VERSION__", "201710L"),
    ("__STDC_HOSTED__", "1"),
    ("__linux__", "1"),
    ("__unix__", "1"),
    ("__LP64__", "1"),
    ("__ELF__", "1"),
    ("__GNUC__", "12"),
    ("__GNUC_MINOR__", "0"),
];

/// Macros that are known to be undefined: other languages, other compilers, other systems.
const UNDEFINED: [&str; 22] = [
    "__cplusplus",
    "__OBJC__",
    "__clang__",
    "__INTEL_COMPILER",
    "_MSC_VER",
    "_WIN32",
    "_WIN64",
    "WIN32",
    "__CYGWIN__",
    "__MINGW32__",
    "__MINGW64__",
    "__APPLE__",
    "__MACH__",
    "__FreeBSD__",
    "__NetBSD__",
    "__OpenBSD__",
    "__ANDROID__",
    "__EMSCRIPTEN__",
    "__wasm__",
    "__has_include",
    "__has_attribute",
    "__has_feature",
];

/// A header without directives.
pub(super) struct Clean {
    /// As long as the file, line by line.
    pub text: String,
    /// Macros in force at the end, by name.
    pub macros: BTreeMap<String, Macro>,
    /// Lines (from 0) from which on another file or line holds, after `# 12 "foo.h"`.
    marks: Vec<(usize, Source)>,
    name: String,
}

impl Clean {
    /// Where a line (from 0) of the text was written.
    pub fn source(&self, line: usize) -> Source {
        let above = self.marks.partition_point(|m| m.0 <= line);
        let mark = above.checked_sub(1).and_then(|n| self.marks.get(n));
        let (from, file, first) = match mark {
            Some((from, source)) => (*from, &source.file, source.line),
            None => (0, &self.name, 1),
        };
        let line = u32::try_from(line - from).unwrap_or(u32::MAX);
        Source {
            file: file.clone(),
            line: first.saturating_add(line),
        }
    }

    /// The value of a macro that is a constant expression.
    pub fn value(&self, name: &str) -> Option<i128> {
        macros::value(&self.macros, name, 0)
    }
}

/// One `#if` that is open.
struct Condition {
    /// Whether its lines count.
    active: bool,
    /// Whether one of its branches was taken, or none may be.
    done: bool,
    /// `#else` was seen.
    last: bool,
    line: usize,
}

/// Reads a header. All that is wrong is told at once.
pub(super) fn clean(name: &str, text: &str) -> Result<Clean, Vec<Problem>> {
    let mut reader = Reader {
        out: Clean {
            text: String::new(),
            macros: BTreeMap::new(),
            marks: Vec::new(),
            name: name.to_owned(),
        },
        known: DEFINED
            .iter()
            .map(|m| (m.0.to_owned(), Some(m.1.to_owned())))
            .chain(UNDEFINED.iter().map(|m| (m.to_string(), None)))
            .collect(),
        conditions: Vec::new(),
        foreign: false,
        own: HashSet::new(),
        problems: Vec::new(),
    };
    let pieces = pieces(text);
    let mut kept = Vec::with_capacity(text.len());
    for (n, piece) in pieces.iter().enumerate() {
        let keep = match piece.directive {
            true => {
                let next = pieces.get(n + 1..).unwrap_or_default();
                reader.directive(piece, next.iter().find(|p| p.directive));
                false
            }
            false => reader.active(),
        };
        match keep {
            true => kept.extend_from_slice(piece.text.as_bytes()),
            false => kept.extend(blank(piece.text)),
        }
    }
    for open in &reader.conditions {
        let source = reader.out.source(open.line);
        reader
            .problems
            .push(problem("a condition without its `#endif`", &source));
    }
    reader.problems.truncate(super::PROBLEMS);
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    // Whole lines were replaced, so this is UTF-8 as it was.
    let text = String::from_utf8_lossy(&kept).into_owned();
    reader.out.text = without_decorations(&text, &reader.out.macros);
    Ok(reader.out)
}

fn problem(message: impl Into<String>, source: &Source) -> Problem {
    Problem::new(message).at(super::super::place_of(source))
}

struct Reader {
    out: Clean,
    /// Macros with their values; None for those that are known to be undefined.
    known: HashMap<String, Option<String>>,
    conditions: Vec<Condition>,
    /// In a part that the preprocessor took from a system header.
    foreign: bool,
    /// Files that are no system headers.
    own: HashSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    fn active(&self) -> bool {
        !self.foreign && self.conditions.last().is_none_or(|c| c.active)
    }

    fn problem(&mut self, message: impl Into<String>, line: usize) {
        let problem = problem(message, &self.out.source(line)).help(RUN_PREPROCESSOR);
        self.problems.push(problem);
    }

    fn directive(&mut self, piece: &Piece<'_>, next: Option<&Piece<'_>>) {
        debug_assert!(!piece.in_comment);
        let text = bare(piece.text);
        let text = text.trim_start_matches('#').trim_start();
        let word = text
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(word);
        let (rest, line) = (rest.trim(), piece.line);
        match word {
            "if" | "ifdef" | "ifndef" => self.open(word, rest, line, next),
            "elif" | "elifdef" | "elifndef" | "else" => self.branch(word, rest, line),
            "endif" => self.close(line),
            _ if word.bytes().next().is_some_and(|b| b.is_ascii_digit()) => {
                self.mark(text, line);
            }
            _ if !self.active() => {}
            "line" => self.mark(rest, line),
            "define" => self.define(rest, line),
            "undef" => {
                self.out.macros.remove(rest);
                self.known.insert(rest.to_owned(), None);
            }
            "error" => self.problem(format!("the header stops here: #error {rest}"), line),
            "pragma" if rest.starts_with("pack") => {
                self.problem(
                    "`#pragma pack` changes the layout of structs, and Go has no such structs",
                    line,
                );
            }
            // Included files are not read; what they would define is known or is missed where it is used.
            _ => {}
        }
    }

    /// `# 12 "foo.h" 3`: what follows is from there; 3 stands for a system header (GCC manual, "Preprocessor Output"). GCC puts such marks
    /// around the `_Bool` of <stdbool.h>'s `bool` too, amid a declaration, with the name of the file that uses the macro.
    fn mark(&mut self, text: &str, line: usize) {
        let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
        let Ok(number) = number.parse() else {
            return self.problem("a line number that is none", line);
        };
        let (file, flags) = match rest
            .trim()
            .strip_prefix('"')
            .and_then(|r| r.split_once('"'))
        {
            Some((file, flags)) => (file.to_owned(), flags),
            None => (self.out.source(line).file, ""),
        };
        let system = flags.split_whitespace().any(|flag| flag == "3");
        self.foreign = system && !self.own.contains(&file);
        if !system {
            self.own.insert(file.clone());
        }
        let source = Source { file, line: number };
        self.out.marks.push((line + 1, source));
    }

    fn define(&mut self, rest: &str, line: usize) {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, body) = rest.split_at(end);
        let function = body.starts_with('(');
        let body = match body.split_once(')') {
            Some((_, body)) if function => body.trim(),
            _ => body.trim(),
        };
        let source = self.out.source(line);
        self.known
            .insert(name.to_owned(), (!function).then(|| body.to_owned()));
        let found = Macro {
            function,
            body: body.to_owned(),
            source,
        };
        self.out.macros.insert(name.to_owned(), found);
    }

    fn open(&mut self, word: &str, rest: &str, line: usize, next: Option<&Piece<'_>>) {
        let active = self.active();
        // An include guard, or a default for a macro: the header defines at once what it asks for.
        let guard = next.map(|p| bare(p.text)).and_then(|text| {
            let text = text.trim_start_matches('#').trim_start();
            let name = text.strip_prefix("define")?.trim_start();
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            name.get(..end.unwrap_or(name.len())).map(str::to_owned)
        });
        if let Some(guard) = guard
            && active
            && !self.known.contains_key(&guard)
            && (word == "ifndef" && rest == guard || negated(rest) == Some(&guard))
        {
            self.known.insert(guard, None);
        }
        let value = active && self.condition(word, rest, line);
        self.conditions.push(Condition {
            active: value,
            done: value || !active,
            last: false,
            line,
        });
    }

    fn close(&mut self, line: usize) {
        if self.conditions.pop().is_none() {
            self.problem("`#endif` without its condition", line);
        }
    }

    fn branch(&mut self, word: &str, rest: &str, line: usize) {
        let Some(mut open) = self.conditions.pop() else {
            return self.problem(format!("`#{word}` without its condition"), line);
        };
        if open.last {
            self.problem(format!("`#{word}` after `#else`"), line);
        }
        open.active = !open.done
            && match word.strip_prefix("el") {
                Some("se") => true,
                Some(word) => self.condition(word, rest, line),
                None => false,
            };
        open.done |= open.active;
        open.last |= word == "else";
        self.conditions.push(open);
    }

    fn condition(&mut self, word: &str, rest: &str, line: usize) -> bool {
        let text = match word {
            "ifdef" => format!("defined({rest})"),
            "ifndef" => format!("!defined({rest})"),
            _ => rest.to_owned(),
        };
        let Some(tokens) = expr::tokens(&text) else {
            self.problem(format!("the condition `{rest}` cannot be read"), line);
            return false;
        };
        let (tokens, mut unknown) = self.with_defined(&tokens);
        let names = tokens.iter().filter_map(|t| match t {
            Token::Name(name) => Some(name.clone()),
            _ => None,
        });
        unknown.extend(names.filter(|n| !self.known.contains_key(n)));
        if let Some(name) = unknown.first() {
            self.problem(
                format!("a condition asks for `{name}`, and whether that is defined is not known"),
                line,
            );
            return false;
        }
        match expr::evaluate(&tokens, &|name| self.known_value(name, 0)) {
            Some(value) => value != 0,
            None => {
                self.problem(format!("the condition `{rest}` cannot be evaluated"), line);
                false
            }
        }
    }

    /// A name that is no macro is 0 (C17 6.10.1, 4).
    fn known_value(&self, name: &str, depth: u32) -> Option<i128> {
        if depth > NESTING_LIMIT {
            return None;
        }
        match self.known.get(name) {
            Some(Some(body)) => expr::evaluate(&expr::tokens(body)?, &|name| {
                self.known_value(name, depth + 1)
            }),
            _ => Some(0),
        }
    }

    /// Replaces `defined X` and `defined(X)`; also the names that nothing is known of.
    fn with_defined(&self, tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
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
                    let known = self.known.get(name);
                    if known.is_none() {
                        unknown.push(name.clone());
                    }
                    let defined =
                        known.is_some_and(Option::is_some) || self.out.macros.contains_key(name);
                    Token::Number(i128::from(defined))
                }
                None => first.clone(),
            });
            rest = tail;
        }
        (out, unknown)
    }
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
