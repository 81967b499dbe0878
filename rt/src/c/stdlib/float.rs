//! strtod and its kin (strtod(3)): decimal by core's own exact parser, hexadecimal here.

use core::ffi::{c_double, c_float};

use libc::c_char;

use super::integer::skip_space;
use crate::c::define::fail;
use crate::c::string::bytes;

/// What a text begins with.
enum Shape {
    /// A decimal number, as far as it goes.
    Decimal,
    /// A mantissa and the power of two that it is to be multiplied with; `sticky`: bits below the mantissa's were cut
    /// off, and were not all zero.
    Hexadecimal {
        mantissa: u64,
        sticky: bool,
        exponent: i64,
    },
    Infinity,
    NotANumber,
}

/// Finds a number without sign: its shape and its length.
fn shape(text: &[u8]) -> Option<(Shape, usize)> {
    let starts = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if starts(b"infinity") {
        return Some((Shape::Infinity, 8));
    }
    if starts(b"inf") {
        return Some((Shape::Infinity, 3));
    }
    if starts(b"nan") {
        // `nan(characters)`, of which the characters mean nothing here.
        let rest = text.get(3..).unwrap_or(&[]);
        let inner = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let n = rest.iter().skip(1).take_while(|b| inner(b)).count();
        let whole = rest.first() == Some(&b'(') && rest.get(n + 1) == Some(&b')');
        return Some((Shape::NotANumber, if whole { 3 + n + 2 } else { 3 }));
    }
    if starts(b"0x")
        && let Some(found) = hexadecimal(text)
    {
        return Some(found);
    }
    decimal_length(text).map(|length| (Shape::Decimal, length))
}

/// Where a run of digits ends.
fn digits_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or(&[]);
    from + rest.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// Where an exponent ends that may start at `at` with one of two letters; `at` if there is none.
fn exponent_end(text: &[u8], at: usize, letter: u8) -> usize {
    if !text
        .get(at)
        .is_some_and(|b| b.eq_ignore_ascii_case(&letter))
    {
        return at;
    }
    let digits = at + 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
    match digits_end(text, digits) {
        end if end > digits => end,
        _ => at,
    }
}

fn decimal_length(text: &[u8]) -> Option<usize> {
    let whole = digits_end(text, 0);
    let (end, count) = match text.get(whole) {
        Some(b'.') => {
            let end = digits_end(text, whole + 1);
            (end, end - 1)
        }
        _ => (whole, whole),
    };
    (count > 0).then(|| exponent_end(text, end, b'e'))
}

fn hexadecimal(text: &[u8]) -> Option<(Shape, usize)> {
    let (mut mantissa, mut sticky, mut exponent, mut digits) = (0u64, false, 0i64, 0usize);
    let mut at = 2;
    let mut after_point = false;
    loop {
        match text.get(at) {
            Some(b'.') if !after_point => after_point = true,
            Some(&b) => match char::from(b).to_digit(16) {
                Some(digit) => {
                    digits += 1;
                    if mantissa >> 60 == 0 {
                        mantissa = mantissa << 4 | u64::from(digit);
                        exponent -= if after_point { 4 } else { 0 };
                    } else {
                        sticky |= digit != 0;
                        exponent += if after_point { 0 } else { 4 };
                    }
                }
                None => break,
            },
            None => break,
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    let end = exponent_end(text, at, b'p');
    if end > at {
        exponent = exponent.saturating_add(written_exponent(&text[at + 1..end]));
    }
    Some((
        Shape::Hexadecimal {
            mantissa,
            sticky,
            exponent,
        },
        end,
    ))
}

/// A signed number, limited to what is far beyond every float.
fn written_exponent(text: &[u8]) -> i64 {
    let negative = text.first() == Some(&b'-');
    let value = text
        .iter()
        .filter(|b| b.is_ascii_digit())
        .fold(0i64, |n, b| (n * 10 + i64::from(b - b'0')).min(1 << 40));
    if negative { -value } else { value }
}

/// `mantissa * 2^exponent` in a format with `bits` of precision and a least exponent, as (mantissa, exponent) that a
/// float holds exactly, rounded to nearest, ties to even. The format's largest number is the caller's business.
fn round(mantissa: u64, sticky: bool, exponent: i64, bits: u32, least: i64) -> (u64, i64) {
    if mantissa == 0 {
        return (0, 0);
    }
    // Bits that must go: those beyond the precision, and those below the least exponent.
    let excess = i64::from(64 - mantissa.leading_zeros()) - i64::from(bits);
    let cut = excess.max(least - exponent);
    match cut {
        ..=0 => (mantissa, exponent),
        1..=63 => {
            let kept = mantissa >> cut;
            let rest = mantissa & ((1 << cut) - 1);
            let half = 1u64 << (cut - 1);
            let up = rest > half || rest == half && (sticky || kept & 1 == 1);
            (kept + u64::from(up), exponent + cut)
        }
        // All of it is below the half of the least number, or just at it.
        64 => (
            u64::from(mantissa > 1 << 63 || mantissa == 1 << 63 && sticky),
            exponent + cut,
        ),
        _ => (0, 0),
    }
}

macro_rules! parser {
    ($read:ident, $t:ty, $exact:path, $bits:expr, $least:expr) => {
        /// Reads a number: its value, its length, and whether it was out of range.
        pub(in crate::c) fn $read(text: &[u8]) -> ($t, usize, bool) {
            let mut at = skip_space(text);
            let sign = text.get(at).copied();
            if matches!(sign, Some(b'+' | b'-')) {
                at += 1;
            }
            let body = text.get(at..).unwrap_or(&[]);
            let Some((shape, length)) = shape(body) else {
                return (0.0, 0, false);
            };
            let (value, nonzero, finite): ($t, bool, bool) = match shape {
                Shape::Infinity => (<$t>::INFINITY, true, false),
                Shape::NotANumber => (<$t>::NAN, true, false),
                Shape::Decimal => {
                    let digits = &body[..length];
                    let mantissa = digits.iter().take_while(|b| !b.eq_ignore_ascii_case(&b'e'));
                    let nonzero = mantissa.clone().any(|b| matches!(b, b'1'..=b'9'));
                    let value = core::str::from_utf8(digits)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    (value.unwrap_or(0.0), nonzero, true)
                }
                Shape::Hexadecimal {
                    mantissa,
                    sticky,
                    exponent,
                } => {
                    let (rounded, exponent) = round(mantissa, sticky, exponent, $bits, $least);
                    let exponent = exponent.clamp(-100_000, 100_000) as i32;
                    ($exact(rounded as $t, exponent), mantissa != 0, true)
                }
            };
            let out_of_range =
                finite && (value.is_infinite() || nonzero && value.abs() < <$t>::MIN_POSITIVE);
            (
                if sign == Some(b'-') { -value } else { value },
                at + length,
                out_of_range,
            )
        }
    };
}

// The least exponents are those of the last bit of the smallest number.
parser!(read_double, f64, libm::ldexp, f64::MANTISSA_DIGITS, -1074);
parser!(read_float, f32, libm::ldexpf, f32::MANTISSA_DIGITS, -149);

/// Hands a number to C.
///
/// # Safety
/// `text` must be a C string, `end` null or writable.
unsafe fn report<T>(
    text: *const c_char,
    end: *mut *mut c_char,
    read: fn(&[u8]) -> (T, usize, bool),
) -> T {
    // SAFETY: `end` is null or writable, and points into the text.
    unsafe {
        let (value, length, out_of_range) = read(bytes(text));
        if let Some(end) = end.as_mut() {
            *end = text.add(length).cast_mut();
        }
        if out_of_range {
            fail(libc::ERANGE);
        }
        value
    }
}

c_fn! {
    /// strtod(3)
    fn strtod(text: *const c_char, end: *mut *mut c_char) -> c_double {
        report(text, end, read_double)
    }

    /// strtof(3)
    fn strtof(text: *const c_char, end: *mut *mut c_char) -> c_float {
        report(text, end, read_float)
    }

    /// atof(3)
    fn atof(text: *const c_char) -> c_double {
        report(text, core::ptr::null_mut(), read_double)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        #[link_name = "strtod"]
        fn host_strtod(text: *const c_char, end: *mut *mut c_char) -> f64;
        #[link_name = "strtof"]
        fn host_strtof(text: *const c_char, end: *mut *mut c_char) -> f32;
    }

    #[test]
    fn agrees_with_the_host() {
        let texts = [
            "0",
            "-0",
            " +1.5e3x",
            "1e",
            "1e+",
            ".5",
            "5.",
            ".",
            "-.",
            "e5",
            "1e400",
            "-1e400",
            "1e-400",
            "4.9e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "179769313486231580793e289",
            "123456789012345678901234567890",
            "0x",
            "0x1",
            "0x1.8p1",
            "0x.8",
            "0x.",
            "0x1p",
            "0x1p-1074",
            "0x1p-1075",
            "0x1.8p-1075",
            "0x1.00000000000008p0",
            "0x1.00000000000018p0",
            "0x1.000000000000080000000001p0",
            "0x1p1024",
            "0xffffffffffffffffffff",
            "0x1.fffffffffffffp1023",
            "0x1.fffffffffffff8p1023",
            "0x1.8p-150",
            "0x1.000001p-126",
            "0x0p99999999999999999999",
            "0x1p99999999999999999999",
            "inf",
            "-Infinity",
            "infinit",
            "nan",
            "nan(12_a)",
            "nan(",
            "nan(-)",
            "n",
            "1.5.2",
            "0x1.8.1",
            "1__",
            "\t\n1",
            "1e5e5",
            "1e99999999999999999999",
            "0e99999999999999999999",
            "0.1",
            "3.4028236e38",
            "1.17549429e-38",
            "16777217",
        ];
        for text in texts {
            let c = std::ffi::CString::new(text).expect("no NUL");
            let mut end = core::ptr::null_mut();
            // SAFETY: a C string.
            let (host, host_f) = unsafe {
                (
                    host_strtod(c.as_ptr(), &mut end),
                    host_strtof(c.as_ptr(), core::ptr::null_mut()),
                )
            };
            let (value, length, _) = read_double(text.as_bytes());
            assert_eq!(
                length,
                end as usize - c.as_ptr() as usize,
                "length of {text:?}"
            );
            let same = value.to_bits() == host.to_bits() || value.is_nan() && host.is_nan();
            assert!(same, "{text:?}: {value:?}, the host has {host:?}");
            let value = read_float(text.as_bytes()).0;
            let same = value.to_bits() == host_f.to_bits() || value.is_nan() && host_f.is_nan();
            assert!(
                same,
                "{text:?} as float: {value:?}, the host has {host_f:?}"
            );
        }
    }

    #[test]
    fn range_is_reported() {
        for (text, out) in [
            ("1e400", true),
            ("1e-400", true),
            ("0e5", false),
            ("inf", false),
            ("1", false),
            ("0x1p2000", true),
        ] {
            assert_eq!(read_double(text.as_bytes()).2, out, "{text}");
        }
    }
}
