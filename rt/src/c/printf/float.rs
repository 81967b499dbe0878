//! Floating-point conversions. Decimal digits are core's, which are exact.

use core::fmt::Write;

use libc::c_int;

use super::{Output, Parts, Spec, sign};
use crate::c::string::Text;

/// Digits behind the point that can be other than zero: the smallest number is 2^-1074.
const FRACTION: usize = 1074;
/// All digits of the largest number, the point, and the fraction.
const DIGITS: usize = 309 + 1 + FRACTION;

pub(super) fn convert(
    out: &mut Output<'_>,
    spec: &Spec,
    conversion: u8,
    value: f64,
) -> Result<(), c_int> {
    let upper = conversion.is_ascii_uppercase();
    let prefix = sign(spec, value.is_sign_negative());
    let value = value.abs();
    if !value.is_finite() {
        let body: &[u8] = match (value.is_nan(), upper) {
            (true, false) => b"nan",
            (true, true) => b"NAN",
            (false, false) => b"inf",
            (false, true) => b"INF",
        };
        return out.padded(
            spec,
            false,
            &Parts {
                prefix,
                body,
                ..Parts::default()
            },
        );
    }
    match conversion.to_ascii_lowercase() {
        b'f' => fixed(out, spec, prefix, value, spec.precision.unwrap_or(6), false),
        b'e' => scientific(
            out,
            spec,
            prefix,
            value,
            spec.precision.unwrap_or(6),
            upper,
            false,
        ),
        b'g' => general(out, spec, prefix, value, upper),
        _ => hexadecimal(out, spec, prefix, value, upper),
    }
}

/// Drops zeros at the end of a fraction, and a point without one.
fn strip(digits: &[u8]) -> &[u8] {
    if !digits.contains(&b'.') {
        return digits;
    }
    let end = digits
        .iter()
        .rposition(|&b| b != b'0')
        .map_or(0, |at| at + 1);
    let digits = &digits[..end];
    digits.strip_suffix(b".").unwrap_or(digits)
}

fn fixed(
    out: &mut Output<'_>,
    spec: &Spec,
    prefix: &[u8],
    value: f64,
    precision: usize,
    stripped: bool,
) -> Result<(), c_int> {
    let exact = precision.min(FRACTION);
    let mut buf = [0; DIGITS + 1];
    let mut text = Text::new(&mut buf);
    // Everything fits (above).
    let _ = write!(text, "{value:.exact$}");
    if precision == 0 && spec.alternate {
        text.push(b".");
    }
    let digits = text.into_written();
    let body = if stripped { strip(digits) } else { digits };
    let zeros_after = if stripped { 0 } else { precision - exact };
    out.padded(
        spec,
        spec.zero,
        &Parts {
            prefix,
            body,
            zeros_after,
            ..Parts::default()
        },
    )
}

/// Digits and exponent of a number with as many digits behind the point.
fn split(value: f64, precision: usize, buf: &mut [u8; DIGITS + 1]) -> (&[u8], i32) {
    let mut text = Text::new(buf);
    // Everything fits: at most one digit, the point, the fraction and the exponent.
    let _ = write!(text, "{value:.precision$e}");
    let written = text.into_written();
    let at = written
        .iter()
        .position(|&b| b == b'e')
        .unwrap_or(written.len());
    let exponent = written
        .get(at + 1..)
        .and_then(|e| core::str::from_utf8(e).ok()?.parse().ok());
    (&written[..at], exponent.unwrap_or(0))
}

fn scientific(
    out: &mut Output<'_>,
    spec: &Spec,
    prefix: &[u8],
    value: f64,
    precision: usize,
    upper: bool,
    stripped: bool,
) -> Result<(), c_int> {
    let exact = precision.min(FRACTION);
    let mut buf = [0; DIGITS + 1];
    let (digits, exponent) = split(value, exact, &mut buf);
    let body = if stripped { strip(digits) } else { digits };
    let zeros_after = if stripped { 0 } else { precision - exact };
    let mut buf = [0; 8];
    let mut suffix = Text::new(&mut buf);
    if precision == 0 && spec.alternate {
        suffix.push(b".");
    }
    let letter = if upper { 'E' } else { 'e' };
    // Three digits at most.
    let _ = write!(suffix, "{letter}{exponent:+03}");
    let suffix = suffix.into_written();
    out.padded(
        spec,
        spec.zero,
        &Parts {
            prefix,
            body,
            zeros_after,
            suffix,
            ..Parts::default()
        },
    )
}

/// `%g`: the shorter of the two, by the exponent that `%e` would show.
fn general(
    out: &mut Output<'_>,
    spec: &Spec,
    prefix: &[u8],
    value: f64,
    upper: bool,
) -> Result<(), c_int> {
    let precision = spec.precision.unwrap_or(6).max(1);
    let mut buf = [0; DIGITS + 1];
    let exponent = split(value, (precision - 1).min(FRACTION), &mut buf).1;
    let stripped = !spec.alternate;
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < precision => {
            fixed(out, spec, prefix, value, precision - 1 - exponent, stripped)
        }
        Err(_) if exponent >= -4 => {
            let fraction = (precision - 1).saturating_add(exponent.unsigned_abs() as usize);
            fixed(out, spec, prefix, value, fraction, stripped)
        }
        _ => scientific(out, spec, prefix, value, precision - 1, upper, stripped),
    }
}

/// `%a`: one digit, a fraction of hexadecimal digits, a power of two.
fn hexadecimal(
    out: &mut Output<'_>,
    spec: &Spec,
    prefix: &[u8],
    value: f64,
    upper: bool,
) -> Result<(), c_int> {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const FRACTION_DIGITS: usize = FRACTION_BITS as usize / 4;
    let bits = value.to_bits();
    let biased = bits >> FRACTION_BITS;
    let (mut mantissa, exponent) = match biased {
        // Subnormal numbers have the least exponent, and zero has none.
        0 => (bits, if bits == 0 { 0 } else { f64::MIN_EXP - 1 }),
        _ => (
            bits & ((1 << FRACTION_BITS) - 1) | 1 << FRACTION_BITS,
            biased as i32 - 1023,
        ),
    };
    let kept = spec
        .precision
        .map_or(FRACTION_DIGITS, |p| p.min(FRACTION_DIGITS));
    let cut = 4 * (FRACTION_DIGITS - kept) as u32;
    if cut > 0 {
        // To nearest, ties to even.
        let rest = mantissa & ((1 << cut) - 1);
        let half = 1 << (cut - 1);
        mantissa >>= cut;
        mantissa += u64::from(rest > half || rest == half && mantissa & 1 == 1);
        mantissa <<= cut;
    }
    let mut buf = [0; FRACTION_DIGITS + 4];
    let mut body = Text::new(&mut buf);
    let fraction = mantissa & ((1 << FRACTION_BITS) - 1);
    let first = mantissa >> FRACTION_BITS;
    // One digit and the fraction fit.
    let _ = match upper {
        true => write!(body, "{first}.{fraction:0FRACTION_DIGITS$X}"),
        false => write!(body, "{first}.{fraction:0FRACTION_DIGITS$x}"),
    };
    let written = body.into_written();
    let body = match spec.precision {
        None if spec.alternate && fraction == 0 => &written[..2],
        None => strip(written),
        Some(0) if spec.alternate => &written[..2],
        Some(0) => &written[..1],
        Some(_) => &written[..2 + kept],
    };
    let zeros_after = spec.precision.map_or(0, |p| p - kept);
    let mut buf = [0; 8];
    let mut suffix = Text::new(&mut buf);
    let _ = write!(suffix, "{}{exponent:+}", if upper { 'P' } else { 'p' });
    let suffix = suffix.into_written();
    let mut buf = [0; 3];
    let mut front = Text::new(&mut buf);
    front.push(prefix);
    front.push(if upper { b"0X" } else { b"0x" });
    let prefix = front.into_written();
    out.padded(
        spec,
        spec.zero,
        &Parts {
            prefix,
            body,
            zeros_after,
            suffix,
            ..Parts::default()
        },
    )
}
