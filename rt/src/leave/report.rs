//! What std prints about a panic, taken apart.
//!
//! The default panic hook (library/std/src/panicking.rs, `default_hook`) is the one place where a panic's message and place are seen
//! from outside, in the same form since Rust 1.73:
//!
//! ```text
//! thread '<unnamed>' (4711) panicked at src/lib.rs:10:5:
//! the message, of any number of lines
//! note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
//! ```
//!
//! and before that `thread 'main' panicked at 'the message', src/lib.rs:10:5`. The number came with 1.91, an empty line in front with 1.85.

/// The parts of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// What the panic says, without a line end. UTF-8 as far as the library's strings are.
    pub message: &'a [u8],
    /// The source file as the compiler knew it; empty when the text has none.
    pub file: &'a [u8],
    /// Its line, from 1; 0 when the text has none.
    pub line: usize,
}

const START: &[u8] = b"thread '";
const AT: &[u8] = b" panicked at ";
/// What the hook adds to the message, from the line end before it on.
const NOTE: &[u8] =
    b"\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
const BACKTRACE: &[u8] = b"\nstack backtrace:\n";

/// Whether a report may begin with these bytes.
pub fn begins(bytes: &[u8]) -> bool {
    without_line_end(bytes).starts_with(START)
}

/// Whether a text that [`begins`] like one is a report, by its first line; None while that is not complete.
///
/// Who prints such a line and does not panic is taken at his word, so it must be just as the hook writes it.
pub fn is_report(text: &[u8]) -> Option<bool> {
    let text = without_line_end(text);
    let line = &text[..memchr::memchr(b'\n', text)?];
    let place = find(line, AT).map(|at| &line[at + AT.len()..]);
    Some(place.is_some_and(|place| match place.strip_suffix(b":") {
        // Line 0, too: rustc can be told to leave it out.
        Some(place) => split_place(place).is_some(),
        // The old form, in which the message comes first.
        None => place.starts_with(b"'"),
    }))
}

/// Whether what is written next belongs to the report: the rest of its message, a note of the hook's, a backtrace.
///
/// The hook writes a report in one piece if it is short, and else piece by piece, the message being one of them.
pub fn goes_on(text: &[u8], next: &[u8]) -> bool {
    let (text, lines) = (without_line_end(text), |t| {
        memchr::memchr_iter(b'\n', t).count()
    });
    let message_is_complete = text.ends_with(b"\n") && lines(text) > 1;
    !message_is_complete
        || next == b"\n"
        || next.starts_with(&NOTE[1..])
        || next.starts_with(&BACKTRACE[1..])
        || has_backtrace(text)
}

/// Whether the text has a backtrace in it: somebody asked for one (RUST_BACKTRACE).
pub fn has_backtrace(text: &[u8]) -> bool {
    find(text, BACKTRACE).is_some()
}

/// The parts of a report; of another text, the message is all of it.
pub fn parse(text: &[u8]) -> Report<'_> {
    let text = without_line_end(text);
    let whole = Report {
        message: text.trim_ascii_end(),
        ..Report::default()
    };
    let Some(at) = find(text, AT) else {
        return whole;
    };
    let rest = &text[at + AT.len()..];
    let (place, message) = if rest.first() == Some(&b'\'') {
        let rest = until_notes(rest);
        // The message may hold anything; the place, which follows it, holds no quote and comma.
        let Some(end) = memchr::memmem::rfind(rest, b"', ") else {
            return whole;
        };
        (&rest[end + 3..], &rest[1..end.max(1)])
    } else {
        let Some(end) = find(rest, b":\n") else {
            return whole;
        };
        (&rest[..end], until_notes(&rest[end + 2..]))
    };
    let place = place.trim_ascii_end();
    let (file, line) = split_place(place).unwrap_or((place, 0));
    Report {
        message,
        file,
        line,
    }
}

/// `src/lib.rs:10:5`
fn split_place(place: &[u8]) -> Option<(&[u8], usize)> {
    let mut parts = place.rsplitn(3, |b| *b == b':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let number = |digits: Option<&[u8]>| -> Option<usize> {
        core::str::from_utf8(digits?).ok()?.parse().ok()
    };
    number(column)?;
    Some((file?, number(line)?))
}

/// The text up to what the hook adds, which is the last of its kind: a message may say anything.
fn until_notes(text: &[u8]) -> &[u8] {
    let last = |what| memchr::memmem::rfind(text, what);
    // What was found begins with the line end of the message.
    match last(BACKTRACE).or_else(|| last(NOTE)) {
        Some(end) => &text[..end],
        None => text.strip_suffix(b"\n").unwrap_or(text),
    }
}

fn without_line_end(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\n").unwrap_or(text)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report<'a>(message: &'a str, file: &'a str, line: usize) -> Report<'a> {
        Report {
            message: message.as_bytes(),
            file: file.as_bytes(),
            line,
        }
    }

    #[test]
    fn reports_of_all_versions_come_apart() {
        for (text, expected) in [
            (
                "\nthread '<unnamed>' (17) panicked at src/lib.rs:10:5:\nno luck\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
                report("no luck", "src/lib.rs", 10),
            ),
            (
                "thread 'main' panicked at /a:b/c.rs:1:2:\ntwo\n\nlines\n",
                report("two\n\nlines", "/a:b/c.rs", 1),
            ),
            (
                "\nthread 'x' panicked at a.rs:7:1:\n\nm\n\n\nstack backtrace:\n   0: f\n",
                report("\nm\n\n", "a.rs", 7),
            ),
            (
                "\nthread 'x' panicked at a.rs:7:1:\nm\nstack backtrace:\n   0: f\n",
                report("m", "a.rs", 7),
            ),
            (
                "thread 'main' panicked at 'it's ', really', src/a.rs:3:4\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
                report("it's ', really", "src/a.rs", 3),
            ),
            (
                "thread 'x' panicked at a.rs:1:1:\nm\nnote: run with it\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
                report("m\nnote: run with it", "a.rs", 1),
            ),
            (
                "thread 'x' panicked at a.rs:1:1:\n\n",
                report("", "a.rs", 1),
            ),
            ("something else\n", report("something else", "", 0)),
            (
                "thread 'x' panicked at ",
                report("thread 'x' panicked at", "", 0),
            ),
            ("", report("", "", 0)),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_report_is_told_by_its_first_line() {
        assert!(begins(b"\nthread '<unnamed>' ("));
        assert!(!begins(b"the thread '"));
        assert_eq!(is_report(b"thread 'a'"), None);
        assert_eq!(is_report(b"\nthread 'a' (3) panicked at "), None);
        assert_eq!(
            is_report(b"\nthread 'a' (3) panicked at a.rs:1:2:\n"),
            Some(true)
        );
        assert_eq!(is_report(b"thread 'a' panicked at 'two\nlines"), Some(true));
        assert_eq!(
            is_report(b"\nthread 'a' (3) panicked at <redacted>:0:0:\n"),
            Some(true)
        );
        assert_eq!(is_report(b"thread 'a' is ready\n"), Some(false));
        // What others might print about a panic.
        assert_eq!(is_report(b"thread 'a' panicked at a.rs\n"), Some(false));
        assert_eq!(is_report(b"thread 'a' panicked at noon:\n"), Some(false));
        assert!(has_backtrace(b"m\nstack backtrace:\n 0: f"));
        assert!(!has_backtrace(b"m\nnote: run with RUST_BACKTRACE"));
    }

    #[test]
    fn a_report_ends_where_the_hook_would_not_go_on() {
        let whole = b"\nthread 'a' (3) panicked at a.rs:1:2:\nmessage\n";
        assert!(goes_on(whole, &NOTE[1..]));
        assert!(goes_on(whole, b"stack backtrace:\n"));
        assert!(!goes_on(whole, b"another line\n"));
        assert!(!goes_on(whole, b"note: all is well\n"));
        let traced = [whole, &BACKTRACE[1..]].concat();
        assert!(goes_on(&traced, b"   0: main\n"));
        // In pieces, each up to what comes next.
        assert!(goes_on(b"\nthread 'a' (", b"3"));
        assert!(goes_on(
            b"\nthread 'a' (3) panicked at a.rs:1:2:\n",
            b"a long message\n"
        ));
        assert!(goes_on(
            b"\nthread 'a' (3) panicked at a.rs:1:2:\na long message\n",
            b"\n"
        ));
    }
}
