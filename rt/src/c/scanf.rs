//! Formatted input from a text: sscanf(3), in the C locale. Left out, and answered as input that does not match, with EINVAL: wide characters
//! (`%lc`, `%ls`), arguments by number (`%1$d`), allocation (`%ms`) and `long double`.

use core::ffi::{c_char, c_int, c_void};

use crate::arch::va_list::{VaList, variadic_c_fn};
use crate::c::define::fail;
use crate::c::stdlib::float::{read_double, read_float};
use crate::c::stdlib::integer::parse;
use crate::c::string::bytes;

/// The result when the text ends before the first conversion.
const EOF: c_int = -1;

/// Why reading stops.
enum Stop {
    /// The text has something else.
    Mismatch,
    /// The text has nothing more.
    End,
    /// The directive is none, or none that is known here.
    Unknown,
}

/// One directive, up to its conversion.
struct Spec {
    /// `*`: the input is read and not stored.
    skip: bool,
    /// Most bytes that it takes.
    width: Option<usize>,
    /// Bytes of an integer; 8 also says that a floating-point number is a double.
    size: usize,
}

fn space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

/// Takes off what both begin with and `wanted` accepts.
fn take_while<'a>(text: &mut &'a [u8], limit: usize, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
    let count = text.iter().take(limit).take_while(|b| wanted(**b)).count();
    let (taken, rest) = text.split_at(count);
    *text = rest;
    taken
}

fn take_byte(text: &mut &[u8], wanted: u8) -> bool {
    !take_while(text, 1, |b| b == wanted).is_empty()
}

fn spec(format: &mut &[u8]) -> Spec {
    let skip = take_byte(format, b'*');
    let digits = take_while(format, usize::MAX, |b| b.is_ascii_digit());
    let width = digits.iter().fold(0usize, |n, b| {
        n.saturating_mul(10).saturating_add((b - b'0').into())
    });
    let size = match *format {
        [b'h', b'h', ..] => 1,
        [b'h', ..] => 2,
        [b'l' | b'q' | b'j' | b'z' | b'Z' | b't', ..] => 8,
        _ => 4,
    };
    let letters = match *format {
        [b'h', b'h', ..] | [b'l', b'l', ..] => 2,
        _ => usize::from(size != 4),
    };
    *format = format.get(letters..).unwrap_or_default();
    Spec {
        skip,
        // A width of zero is none.
        width: (width > 0).then_some(width),
        size,
    }
}

/// The set of `%[...]`, and whether it names what does not match. A `]` that stands first belongs to it.
fn set<'a>(format: &mut &'a [u8]) -> Result<(&'a [u8], bool), Stop> {
    let negated = take_byte(format, b'^');
    let after_first = format.get(1..).unwrap_or_default();
    let end = after_first.iter().position(|b| *b == b']');
    let length = end.ok_or(Stop::Unknown)? + 1;
    let (set, rest) = format.split_at(length);
    *format = rest.get(1..).unwrap_or_default();
    Ok((set, negated))
}

/// Whether a set has a byte; `a-z` is a range unless the `-` stands at an end.
fn holds(mut set: &[u8], byte: u8) -> bool {
    loop {
        set = match *set {
            [first, b'-', last, ..] if (first..=last).contains(&byte) => return true,
            [_, b'-', _, ref rest @ ..] => rest,
            [one, ..] if one == byte => return true,
            [_, ref rest @ ..] => rest,
            [] => return false,
        }
    }
}

/// Stores an integer of 1, 2, 4 or 8 bytes.
///
/// # Safety
/// `to` must be valid for that many bytes.
unsafe fn store(to: *mut c_void, size: usize, value: u64) {
    // SAFETY: the caller's; little-endian, so the low bytes come first. C's pointers are aligned, but nothing here needs that.
    unsafe { core::ptr::copy_nonoverlapping(value.to_le_bytes().as_ptr(), to.cast(), size) }
}

/// An integer, and its length.
fn integer(field: &[u8], conversion: u8, binary: bool) -> Result<(u64, usize), Stop> {
    let base = match conversion {
        b'i' => 0,
        b'o' => 8,
        b'x' | b'X' | b'p' => 16,
        _ => 10,
    };
    let number = parse(field, base, binary);
    if number.length == 0 {
        return Err(Stop::Mismatch);
    }
    let signed = matches!(conversion, b'd' | b'i');
    let value = match (number.magnitude, signed, number.negative) {
        (Some(n), false, negative) => {
            if negative {
                n.wrapping_neg()
            } else {
                n
            }
        }
        (None, false, _) => u64::MAX,
        (Some(n), true, false) => n.min(i64::MAX as u64),
        (Some(n), true, true) => n.min(1 << 63).wrapping_neg(),
        (None, true, false) => i64::MAX as u64,
        (None, true, true) => 1 << 63,
    };
    // `0x` without a digit: a zero, and the letter is read as well, as glibc does.
    let letter = matches!(base, 0 | 16)
        && number.magnitude == Some(0)
        && field.get(number.length - 1) == Some(&b'0')
        && matches!(field.get(number.length), Some(b'x' | b'X'))
        && field
            .iter()
            .take(number.length)
            .filter(|b| b.is_ascii_digit())
            .count()
            == 1;
    Ok((value, number.length + usize::from(letter)))
}

/// The length of an exponent without digits that stands behind a number, `e` or `e+`: glibc reads it as well.
fn bare_exponent(field: &[u8], number: usize) -> usize {
    let (number, rest) = field.split_at(number);
    let hexadecimal = number.iter().any(|b| b.eq_ignore_ascii_case(&b'x'));
    let letter = if hexadecimal { b'p' } else { b'e' };
    let is_letter = |b: &u8| b.eq_ignore_ascii_case(&letter);
    let complete = number.iter().any(is_letter) || !number.iter().any(u8::is_ascii_digit);
    match rest {
        [first, b'+' | b'-', ..] if is_letter(first) && !complete => 2,
        [first, ..] if is_letter(first) && !complete => 1,
        _ => 0,
    }
}

/// Reads `text` as `format` says, and gives how many values were stored.
///
/// # Safety
/// The arguments must be pointers that the format's directives can store to.
unsafe fn scan(mut text: &[u8], mut format: &[u8], args: &mut VaList, binary: bool) -> c_int {
    let whole = text.len();
    let mut stored = 0;
    while let Some((&first, rest)) = format.split_first() {
        format = rest;
        if space(first) {
            take_while(&mut text, usize::MAX, space);
            continue;
        }
        let done = match first {
            // SAFETY: the next argument is a pointer that this directive can store to.
            b'%' => unsafe { directive(&mut text, &mut format, whole, args, binary) },
            _ if take_byte(&mut text, first) => Ok(None),
            _ if text.is_empty() => Err(Stop::End),
            _ => Err(Stop::Mismatch),
        };
        match done {
            Ok(None) => {}
            Ok(Some(count)) => stored += count,
            // glibc does not count what it read and did not store.
            Err(Stop::End) if stored == 0 => return EOF,
            Err(Stop::End | Stop::Mismatch) => return stored,
            Err(Stop::Unknown) => {
                fail(libc::EINVAL);
                return stored;
            }
        }
    }
    stored
}

/// A percent sign in the text.
fn percent(text: &mut &[u8]) -> Result<(), Stop> {
    match take_byte(text, b'%') {
        true => Ok(()),
        false if text.is_empty() => Err(Stop::End),
        false => Err(Stop::Mismatch),
    }
}

/// A floating-point number at the start of a field, and where it ends.
fn real(field: &[u8]) -> Result<(f64, usize), Stop> {
    let (double, length, _) = read_double(field);
    // The beginning of `infinity` or `nan(...)` that does not come: strtod leaves it, scanf must not.
    let torn = matches!(field.get(length), Some(b'i' | b'I' | b'(')) && !double.is_finite();
    match length == 0 || torn {
        true => Err(Stop::Mismatch),
        false => Ok((double, length + bare_exponent(field, length))),
    }
}

/// Stores text, and a zero after it if it is a C string.
///
/// # Safety
/// There must be room.
unsafe fn store_text(to: *mut u8, text: &[u8], ends: bool) {
    // SAFETY: there is room, as this function demands.
    unsafe {
        to.copy_from_nonoverlapping(text.as_ptr(), text.len());
        if ends {
            to.add(text.len()).write(0);
        }
    }
}

/// One directive: how many values it stored, and None if it is no conversion of input.
///
/// # Safety
/// As [`scan`].
unsafe fn directive(
    text: &mut &[u8],
    format: &mut &[u8],
    whole: usize,
    args: &mut VaList,
    binary: bool,
) -> Result<Option<c_int>, Stop> {
    let spec = spec(format);
    let (&conversion, rest) = format.split_first().ok_or(Stop::Unknown)?;
    *format = rest;
    if !matches!(conversion, b'c' | b'[' | b'n') {
        take_while(text, usize::MAX, space);
    }
    let mut target = || match spec.skip {
        true => core::ptr::null_mut(),
        // SAFETY: the caller's: each conversion has its pointer.
        false => (unsafe { args.word() }) as *mut c_void,
    };
    if conversion == b'n' {
        let to = target();
        if !to.is_null() {
            // SAFETY: `to` is where this directive stores a number of that size.
            unsafe { store(to, spec.size, (whole - text.len()) as u64) };
        }
        return Ok(None);
    }
    if conversion == b'%' {
        return percent(text).map(|()| None);
    }
    let set = match conversion {
        b'[' => Some(set(format)?),
        _ => None,
    };
    if text.is_empty() {
        return Err(Stop::End);
    }
    let limit = spec.width.unwrap_or(usize::MAX);
    let field = text.get(..limit).unwrap_or(text);
    let wide = spec.size == 8;
    match conversion {
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' | b'p' => {
            let (value, length) = integer(field, conversion, binary)?;
            *text = text.get(length..).unwrap_or_default();
            let size = if conversion == b'p' { 8 } else { spec.size };
            let to = target();
            if !to.is_null() {
                // SAFETY: `to` is where this directive stores a number of that size.
                unsafe { store(to, size, value) };
            }
        }
        b'a' | b'e' | b'f' | b'g' | b'A' | b'E' | b'F' | b'G' => {
            let (double, end) = real(field)?;
            *text = text.get(end..).unwrap_or_default();
            let to = target();
            if !to.is_null() {
                // SAFETY: `to` is where this directive stores a number of that type.
                unsafe {
                    match wide {
                        true => store(to, 8, double.to_bits()),
                        false => store(to, 4, read_float(field).0.to_bits().into()),
                    }
                }
            }
        }
        b's' | b'[' | b'c' if !wide => {
            let taken = match (conversion, set) {
                (b'c', _) => take_while(text, spec.width.unwrap_or(1), |_| true),
                (_, Some((set, negated))) => take_while(text, limit, |b| holds(set, b) != negated),
                _ => take_while(text, limit, |b| !space(b)),
            };
            if taken.is_empty() {
                return Err(Stop::Mismatch);
            }
            let to = target().cast::<u8>();
            if !to.is_null() {
                // SAFETY: there is room for the field, and for an end but after `%c`.
                unsafe { store_text(to, taken, conversion != b'c') };
            }
        }
        _ => return Err(Stop::Unknown),
    }
    Ok(Some(c_int::from(!spec.skip)))
}

c_fn! {
    /// vsscanf(3)
    undeclared fn vsscanf(text: *const c_char, format: *const c_char, args: &mut VaList) -> c_int {
        scan(bytes(text), bytes(format), args, false)
    }

    /// vsscanf(3), as C99 programs call it in glibc: `%a` is a number there.
    undeclared fn __isoc99_vsscanf(text: *const c_char, format: *const c_char, args: &mut VaList) -> c_int {
        scan(bytes(text), bytes(format), args, false)
    }

    /// vsscanf(3), as C23 programs call it in glibc: `%i` reads `0b101` there.
    undeclared fn __isoc23_vsscanf(text: *const c_char, format: *const c_char, args: &mut VaList) -> c_int {
        scan(bytes(text), bytes(format), args, true)
    }
}

variadic_c_fn! {
    /// sscanf(3)
    sscanf(2) => vsscanf;
    /// sscanf(3) of C99.
    __isoc99_sscanf(2) => __isoc99_vsscanf;
    /// sscanf(3) of C23.
    __isoc23_sscanf(2) => __isoc23_vsscanf;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    type Sscanf = unsafe extern "C" fn(*const c_char, *const c_char, ...) -> c_int;

    /// Both give the same count and the same bytes.
    fn same(text: &str, format: &str) {
        let (text, format) = (CString::new(text).unwrap(), CString::new(format).unwrap());
        let run = |f: Sscanf| {
            let mut out = [[0xaau8; 64]; 4];
            let [a, b, c, d] = &mut out;
            // SAFETY: each place has room for what one directive stores.
            let n = unsafe {
                f(
                    text.as_ptr(),
                    format.as_ptr(),
                    a.as_mut_ptr(),
                    b.as_mut_ptr(),
                    c.as_mut_ptr(),
                    d.as_mut_ptr(),
                )
            };
            (n, out)
        };
        // SAFETY: the naked function takes its arguments as a variadic one.
        let ours =
            unsafe { core::mem::transmute::<unsafe extern "C" fn() -> c_int, Sscanf>(sscanf) };
        assert_eq!(run(ours), run(libc::sscanf), "{text:?} {format:?}");
    }

    #[test]
    fn integers_as_the_host_reads_them() {
        let texts = [
            "",
            " ",
            "0",
            "42",
            " -42x",
            "+7",
            "-",
            "x",
            "0x1F",
            "0x",
            "0xg",
            "1f",
            "077",
            "08",
            "300",
            "-129",
            "4294967296",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "-1",
            "12 34",
            "12,34",
            "(nil)x",
        ];
        for text in texts {
            for conversion in ["d", "i", "u", "o", "x", "X"] {
                for size in ["", "hh", "h", "l", "ll", "j", "z", "t"] {
                    for width in ["", "1", "2", "3", "20"] {
                        same(text, &format!("%{width}{size}{conversion}%n"));
                    }
                }
                same(text, &format!("%{conversion} %{conversion}%c"));
                same(text, &format!("%*{conversion},%{conversion}%n"));
            }
        }
    }

    #[test]
    fn floats_as_the_host_reads_them() {
        for text in [
            "",
            "1",
            "-1.5",
            ".5e1z",
            "1e",
            "1e+",
            "5.",
            ".",
            "0x1p3",
            "inf",
            "INFINITYx",
            "infi",
            "nan",
            "1 2",
            "3.25,4",
            "1e5e",
            "0x1p",
            "0x1.8p-z",
            "infe",
            "nane",
            "1p3",
            "-2.e-",
        ] {
            for conversion in ["f", "lf", "e", "lg", "3f", "*f"] {
                same(text, &format!("%{conversion}%n"));
            }
        }
    }

    #[test]
    fn texts_and_sets_as_the_host_reads_them() {
        for text in [
            "",
            "  ab cd",
            "abc123",
            "]x-",
            "key=value; b",
            "100%",
            "a-c",
            "é",
        ] {
            for format in [
                "%s%s",
                "%3s%n",
                "%c%c%c",
                "%2c",
                "%[a-c]%n",
                "%[^=]=%[^;]; %s",
                "%[]x]%n",
                "%[^]]%n",
                "%[a-]%n",
                "%*s%s",
                "%d%%%n",
                " %c",
                "ab%n",
                "a b %s",
                "%*c%n",
                "%5[ab c]",
                "%",
                "%[a",
                "%[-a]",
            ] {
                same(text, format);
            }
        }
        same("7ffe", "%p");
    }
}
