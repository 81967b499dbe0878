//! fnmatch(3), in the C locale.

use libc::{c_char, c_int};

use crate::c::string::bytes;

const NO_ESCAPE: c_int = libc::FNM_NOESCAPE;
const PATHNAME: c_int = libc::FNM_PATHNAME;
const PERIOD: c_int = libc::FNM_PERIOD;
const CASE_FOLD: c_int = libc::FNM_CASEFOLD;
/// The pattern may match a directory above (glibc's FNM_LEADING_DIR).
const LEADING_DIR: c_int = 1 << 3;

/// A place in the text, and what may be matched there.
#[derive(Clone, Copy)]
struct Text<'a> {
    whole: &'a [u8],
    at: usize,
    flags: c_int,
}

impl Text<'_> {
    fn byte(&self) -> Option<u8> {
        self.whole.get(self.at).copied()
    }

    /// Whether the byte here is a period that only a period of the pattern matches.
    fn leading_period(&self) -> bool {
        let first = match self.at.checked_sub(1) {
            None => true,
            Some(before) => self.flags & PATHNAME != 0 && self.whole[before] == b'/',
        };
        self.flags & PERIOD != 0 && first && self.byte() == Some(b'.')
    }

    fn fold(&self, byte: u8) -> u8 {
        if self.flags & CASE_FOLD != 0 {
            byte.to_ascii_lowercase()
        } else {
            byte
        }
    }
}

/// Whether a pattern matches all of the text from its place on.
fn matches(mut pattern: &[u8], mut text: Text<'_>) -> bool {
    while let Some((&first, mut rest)) = pattern.split_first() {
        match first {
            b'*' => {
                while rest.first() == Some(&b'*') {
                    rest = &rest[1..];
                }
                return !text.leading_period() && star(rest, text);
            }
            b'?' => match text.byte() {
                None => return false,
                Some(b'/') if text.flags & PATHNAME != 0 => return false,
                Some(_) if text.leading_period() => return false,
                Some(_) => {}
            },
            b'[' if let Some((inside, after)) = bracket(rest, &text) => {
                match text.byte() {
                    None => return false,
                    Some(b'/') if text.flags & PATHNAME != 0 => return false,
                    Some(_) if text.leading_period() || !inside => return false,
                    Some(_) => {}
                }
                rest = after;
            }
            _ => {
                let mut wanted = first;
                if first == b'\\' && text.flags & NO_ESCAPE == 0 {
                    // A backslash at the end matches nothing.
                    let Some((&escaped, after)) = rest.split_first() else {
                        return false;
                    };
                    (wanted, rest) = (escaped, after);
                }
                if text.byte().map(|b| text.fold(b)) != Some(text.fold(wanted)) {
                    return false;
                }
            }
        }
        text.at += 1;
        pattern = rest;
    }
    match text.byte() {
        None => true,
        Some(b'/') => text.flags & LEADING_DIR != 0,
        Some(_) => false,
    }
}

/// Whether what follows a star matches somewhere from here on.
fn star(rest: &[u8], mut text: Text<'_>) -> bool {
    loop {
        if matches(rest, text) {
            return true;
        }
        match text.byte() {
            None => return false,
            Some(b'/') if text.flags & PATHNAME != 0 => return false,
            Some(_) => text.at += 1,
        }
    }
}

/// A bracket expression after its `[`: whether the byte here is in it, and what follows it. None if it has no end: then `[` is a
/// byte as others.
fn bracket<'p>(pattern: &'p [u8], text: &Text<'_>) -> Option<(bool, &'p [u8])> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let mut rest = &pattern[usize::from(negated)..];
    let byte = text.byte().map(|b| text.fold(b));
    let (mut found, mut begun) = (false, false);
    loop {
        let (&first, after) = rest.split_first()?;
        if first == b']' && begun {
            return Some((found != negated, after));
        }
        // No path has a slash within a component; the first byte is not looked at, as in glibc.
        if first == b'/' && begun && text.flags & PATHNAME != 0 {
            return Some((false, after));
        }
        begun = true;
        if let Some((class, after)) = class(rest) {
            found |= text.byte().is_some_and(|b| in_class(class, b));
            rest = after;
            continue;
        }
        let (low, after) = element(rest, text)?;
        rest = after;
        let mut high = low;
        if let [b'-', next, ..] = *rest
            && next != b']'
        {
            (high, rest) = element(&rest[1..], text)?;
        }
        found |= byte.is_some_and(|b| (text.fold(low)..=text.fold(high)).contains(&b));
    }
}

/// One byte of a bracket expression, by itself, escaped, or as `[.x.]` or `[=x=]`.
fn element<'p>(pattern: &'p [u8], text: &Text<'_>) -> Option<(u8, &'p [u8])> {
    match *pattern {
        [b'[', kind @ (b'.' | b'='), byte, end, b']', ref rest @ ..] if kind == end => {
            Some((byte, rest))
        }
        [b'\\', byte, ref rest @ ..] if text.flags & NO_ESCAPE == 0 => Some((byte, rest)),
        [byte, ref rest @ ..] => Some((byte, rest)),
        [] => None,
    }
}

/// The name in `[:alpha:]`, and what follows.
fn class(pattern: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = pattern.strip_prefix(b"[:")?;
    let end = inner.windows(2).position(|two| two == b":]")?;
    Some((&inner[..end], &inner[end + 2..]))
}

/// Whether a byte is in a class; an unknown one has none.
fn in_class(class: &[u8], byte: u8) -> bool {
    match class {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => matches!(byte, b' ' | 9..=13),
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

c_fn! {
    /// fnmatch(3)
    fn fnmatch(pattern: *const c_char, text: *const c_char, flags: c_int) -> c_int {
        let (pattern, whole) = (bytes(pattern), bytes(text));
        let text = Text { whole, at: 0, flags };
        if matches(pattern, text) { 0 } else { libc::FNM_NOMATCH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn patterns_match_as_the_hosts_do() {
        let patterns = [
            "",
            "*",
            "a",
            "a*",
            "*a",
            "?",
            "??",
            "a?c",
            "*.c",
            "a*b*c",
            "[abc]",
            "[a-c]x",
            "[!a]*",
            "[^a]",
            "[]a]",
            "[!]a]",
            "[a",
            "a[",
            "[a-]",
            "[[:alpha:]]*",
            "[[:digit:][:upper:]]",
            "\\*",
            "\\a",
            "a\\",
            "[\\]]",
            "*/b",
            "a/*",
            "*/*",
            ".*",
            "?a",
            "[.]a",
            "*/.b",
            "**",
            "a**b",
            "[z-a]",
            "A*",
            "[A-C]",
            "*[0-9]",
            "dir",
            "[[.a.]]",
            "[[=a=]b]",
            "a[/]b",
            "*b",
            "[!/]*",
        ];
        let texts = [
            "", "a", "b", "ab", "abc", "axc", "a.c", ".c", ".a", "]", "]a", "a]", "[a", "[", "-",
            "5", "Q", "*", "\\", "a\\", "a/b", "/b", "a/", "a/.b", ".", "dir/file", "abcabc", "x9",
            "A", "cx", "aXb", "a/b/c",
        ];
        for pattern in patterns {
            for text in texts {
                for flags in [0, 1, 2, 4, 8, 16, 1 | 4, 2 | 1, 4 | 16, 1 | 8, 5 | 8, 21] {
                    // glibc does not fold what stands in [. .] and [= =].
                    if flags & CASE_FOLD != 0 && (pattern.contains("[.a") || pattern.contains("[="))
                    {
                        continue;
                    }
                    let (p, t) = (CString::new(pattern).unwrap(), CString::new(text).unwrap());
                    // SAFETY: C strings.
                    let (ours, host) = unsafe {
                        (
                            fnmatch(p.as_ptr(), t.as_ptr(), flags),
                            libc::fnmatch(p.as_ptr(), t.as_ptr(), flags),
                        )
                    };
                    assert_eq!(ours, host, "{pattern:?} {text:?} {flags}");
                }
            }
        }
    }
}
