//! Lines, comments and strings of C.

/// Blanks in place of a text; its line ends stay.
pub(super) fn blank(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().map(|b| if b == b'\n' { b } else { b' ' })
}

/// A directive with its continuation lines, or the lines up to the next one.
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    /// From 0.
    pub(super) line: usize,
    pub(super) directive: bool,
    /// Whether it begins inside a comment.
    pub(super) in_comment: bool,
}

impl Piece<'_> {
    /// The name of a directive (empty for `# 12 "foo.h"`), and what stands behind it, without comments.
    pub(super) fn words(&self) -> (String, String) {
        let text = bare(self.text);
        let text = text.trim_start_matches('#').trim_start();
        let end = text.find(|c: char| !c.is_alphabetic() && c != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        (name.to_owned(), rest.trim().to_owned())
    }
}

/// Cuts off the name that a text begins with.
pub(super) fn name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    text.split_at(end.unwrap_or(text.len()))
}

/// Cuts a text at its directives. A `#` in a comment is none.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out: Vec<Piece<'_>> = Vec::new();
    let mut in_comment = false;
    let (mut at, mut line) = (0, 0);
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let directive = !in_comment && rest.trim_start_matches([' ', '\t']).starts_with('#');
        let before = in_comment;
        let mut used = 0;
        loop {
            let tail = rest.get(used..).unwrap_or_default();
            let end = tail.find('\n').map_or(tail.len(), |n| n + 1);
            let one = tail.get(..end).unwrap_or_default();
            in_comment = comment_open(one, in_comment);
            used += end;
            let goes_on = one.trim_end_matches(['\n', '\r']).ends_with('\\') || in_comment;
            if !directive || !goes_on || used >= rest.len() {
                break;
            }
        }
        let text = rest.get(..used).unwrap_or_default();
        out.push(Piece {
            text,
            line,
            directive,
            in_comment: before,
        });
        line += text.matches('\n').count();
        at += used.max(1);
    }
    out
}

/// Whether a comment is open at the end of a line.
fn comment_open(line: &str, open: bool) -> bool {
    let (mut state, mut open) = (Scanner::default(), open);
    for (at, c) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        open = state.step(c, rest, open);
        if state.line_comment {
            return false;
        }
    }
    open
}

/// Follows comments, strings and characters.
#[derive(Default)]
pub(super) struct Scanner {
    /// The quote that ends the string.
    quote: Option<char>,
    line_comment: bool,
    /// The next character has no meaning of its own.
    skip: bool,
}

impl Scanner {
    /// Takes one character, which `rest` begins with. Gives whether a block comment is open behind it.
    pub(super) fn step(&mut self, c: char, rest: &str, open: bool) -> bool {
        if std::mem::take(&mut self.skip) {
            return open;
        }
        if open {
            self.skip = rest.starts_with("*/");
            return !self.skip;
        }
        if c == '\n' {
            (self.quote, self.line_comment) = (None, false);
            return false;
        }
        match self.quote {
            Some(_) if c == '\\' => self.skip = true,
            Some(quote) if c == quote => self.quote = None,
            Some(_) => {}
            None if self.line_comment => {}
            None if rest.starts_with("//") => self.line_comment = true,
            None if rest.starts_with("/*") => {
                self.skip = true;
                return true;
            }
            None if c == '"' || c == '\'' => self.quote = Some(c),
            None => {}
        }
        false
    }

    pub(super) fn in_code(&self, open: bool) -> bool {
        !open && !self.line_comment && self.quote.is_none() && !self.skip
    }
}

/// A directive without comments and line ends.
fn bare(text: &str) -> String {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut out = String::new();
    let (mut state, mut open) = (Scanner::default(), false);
    for (at, c) in joined.char_indices() {
        let (was_code, was_open) = (state.in_code(open), open);
        let in_sign = state.skip && state.quote.is_none();
        open = state.step(c, joined.get(at..).unwrap_or_default(), open);
        if was_code && (open || state.line_comment) {
            // A comment is a blank (C17 5.1.1.2).
            out.push(' ');
        } else if !was_open && !open && !in_sign && !state.line_comment {
            out.push(c);
        }
    }
    out.trim().to_owned()
}
