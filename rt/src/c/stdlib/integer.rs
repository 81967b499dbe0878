//! strtol and its kin (strtol(3)).

use libc::{c_char, c_int, c_long, c_longlong, c_ulong, c_ulonglong, intmax_t, uintmax_t};

use crate::c::define::fail;
use crate::c::string::bytes;

/// A number read from the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::c) struct Parsed {
    pub negative: bool,
    /// `None`: more than fits into 64 bits.
    pub magnitude: Option<u64>,
    /// Bytes of the text that belong to it; 0 if there is no number.
    pub length: usize,
}

/// As C's isspace.
pub(super) fn skip_space(text: &[u8]) -> usize {
    text.iter()
        .position(|b| !matches!(b, b' ' | 0x09..=0x0d))
        .unwrap_or(text.len())
}

/// Reads a number; the base is 2 to 36, or 0 for the one that the number's prefix tells. `binary`: C23's `0b` counts.
pub(in crate::c) fn parse(text: &[u8], base: u32, binary: bool) -> Parsed {
    let mut at = skip_space(text);
    let sign = text.get(at).copied();
    let negative = sign == Some(b'-');
    if negative || sign == Some(b'+') {
        at += 1;
    }
    let prefix = |letter: u8| {
        text.get(at) == Some(&b'0')
            && text
                .get(at + 1)
                .is_some_and(|b| b.eq_ignore_ascii_case(&letter))
    };
    let digit_at = |at: usize, base: u32| text.get(at).and_then(|&b| char::from(b).to_digit(base));
    let (base, skip) = match base {
        // The prefix counts only if a digit follows; else it is the number zero.
        0 | 16 if prefix(b'x') && digit_at(at + 2, 16).is_some() => (16, 2),
        0 | 2 if binary && prefix(b'b') && digit_at(at + 2, 2).is_some() => (2, 2),
        0 if text.get(at) == Some(&b'0') => (8, 0),
        0 => (10, 0),
        base => (base, 0),
    };
    at += skip;
    let first = at;
    let mut magnitude = Some(0u64);
    while let Some(digit) = digit_at(at, base) {
        magnitude = magnitude
            .and_then(|n| n.checked_mul(base.into()))
            .and_then(|n| n.checked_add(digit.into()));
        at += 1;
    }
    Parsed {
        negative,
        magnitude,
        length: if at == first { 0 } else { at },
    }
}

/// Parses and reports the end; `None` with `errno` for a base that is none.
///
/// # Safety
/// `text` must be a C string, `end` null or writable.
unsafe fn read(
    text: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    binary: bool,
) -> Option<Parsed> {
    let Some(base) = u32::try_from(base)
        .ok()
        .filter(|base| *base != 1 && *base <= 36)
    else {
        fail(libc::EINVAL);
        return None;
    };
    // SAFETY: `text` is a C string, and `end` null or writable.
    unsafe {
        let parsed = parse(bytes(text), base, binary);
        if let Some(end) = end.as_mut() {
            *end = text.add(parsed.length).cast_mut();
        }
        Some(parsed)
    }
}

/// # Safety
/// As [`read`].
unsafe fn signed(text: *const c_char, end: *mut *mut c_char, base: c_int, binary: bool) -> i64 {
    // SAFETY: `text` is a C string, and `end` null or writable.
    let Some(Parsed {
        negative,
        magnitude,
        ..
    }) = (unsafe { read(text, end, base, binary) })
    else {
        return 0;
    };
    let value = magnitude.and_then(|n| match negative {
        true => 0i64.checked_sub_unsigned(n),
        false => i64::try_from(n).ok(),
    });
    value.unwrap_or_else(|| {
        fail(libc::ERANGE);
        if negative { i64::MIN } else { i64::MAX }
    })
}

/// # Safety
/// As [`read`].
unsafe fn unsigned(text: *const c_char, end: *mut *mut c_char, base: c_int, binary: bool) -> u64 {
    // SAFETY: `text` is a C string, and `end` null or writable.
    match unsafe { read(text, end, base, binary) } {
        None => 0,
        // C negates the unsigned number.
        Some(Parsed {
            negative: true,
            magnitude: Some(n),
            ..
        }) => n.wrapping_neg(),
        Some(Parsed {
            magnitude: Some(n), ..
        }) => n,
        Some(_) => {
            fail(libc::ERANGE);
            u64::MAX
        }
    }
}

macro_rules! parsers {
    ($($name:ident as $t:ty = $how:ident, $binary:literal $($kind:ident)?;)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            $($kind)? fn $name(text: *const c_char, end: *mut *mut c_char, base: c_int) -> $t {
                $how(text, end, base, $binary)
            }
        )*}
    };
}

// The names of C23 are what compilers with newer headers ask for: they read `0b` as well.
parsers! {
    strtol as c_long = signed, false;
    strtoll as c_longlong = signed, false;
    strtoul as c_ulong = unsigned, false;
    strtoull as c_ulonglong = unsigned, false;
    strtoimax as intmax_t = signed, false undeclared;
    strtoumax as uintmax_t = unsigned, false undeclared;
    __isoc23_strtol as c_long = signed, true undeclared;
    __isoc23_strtoll as c_longlong = signed, true undeclared;
    __isoc23_strtoul as c_ulong = unsigned, true undeclared;
    __isoc23_strtoull as c_ulonglong = unsigned, true undeclared;
    __isoc23_strtoimax as intmax_t = signed, true undeclared;
    __isoc23_strtoumax as uintmax_t = unsigned, true undeclared;
}

c_fn! {
    /// atoi(3)
    fn atoi(text: *const c_char) -> c_int {
        signed(text, core::ptr::null_mut(), 10, false) as c_int
    }

    /// atol(3)
    fn atol(text: *const c_char) -> c_long {
        signed(text, core::ptr::null_mut(), 10, false)
    }

    /// atoll(3)
    fn atoll(text: *const c_char) -> c_longlong {
        signed(text, core::ptr::null_mut(), 10, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c::errno::{errno, set_errno};
    use core::ffi::CStr;

    fn long(text: &CStr, base: c_int) -> (c_long, usize, c_int) {
        let mut end = core::ptr::null_mut();
        set_errno(0);
        // SAFETY: a C string.
        let value = unsafe { strtol(text.as_ptr(), &mut end, base) };
        (value, end as usize - text.as_ptr() as usize, errno())
    }

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        assert_eq!(long(c" \t-42x", 10), (-42, 5, 0));
        assert_eq!(long(c"0x1fz", 0), (31, 4, 0));
        assert_eq!(long(c"0x1fz", 16), (31, 4, 0));
        assert_eq!(long(c"0xz", 0), (0, 1, 0));
        assert_eq!(long(c"0b11", 0), (0, 1, 0));
        assert_eq!(long(c"0778", 0), (0o77, 3, 0));
        assert_eq!(long(c"zZ", 36), (35 * 36 + 35, 2, 0));
        assert_eq!(long(c"+", 10), (0, 0, 0));
        assert_eq!(long(c"", 10), (0, 0, 0));
        assert_eq!(long(c"9223372036854775807", 10).0, c_long::MAX);
        assert_eq!(
            long(c"9223372036854775808", 10),
            (c_long::MAX, 19, libc::ERANGE)
        );
        assert_eq!(long(c"-9223372036854775808", 10), (c_long::MIN, 20, 0));
        assert_eq!(
            long(c"-99999999999999999999", 10),
            (c_long::MIN, 21, libc::ERANGE)
        );
        // SAFETY: C strings.
        unsafe {
            assert_eq!(
                strtoul(c"-1".as_ptr(), core::ptr::null_mut(), 10),
                c_ulong::MAX
            );
            assert_eq!(
                __isoc23_strtol(c"0b101".as_ptr(), core::ptr::null_mut(), 0),
                5
            );
            set_errno(0);
            assert_eq!(strtol(c"1".as_ptr(), core::ptr::null_mut(), 37), 0);
            assert_eq!(errno(), libc::EINVAL);
        }
    }
}
