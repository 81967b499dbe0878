//! Formatted output: printf(3), in the C locale. Left out, and reported as errors: wide characters (`%lc`, `%ls`),
//! and `long double`, which Rust cannot hold.

use core::ffi::{CStr, c_char, c_int, c_long, c_short};

use crate::arch::va_list::VaList;
use crate::c::string::length_up_to;

mod directive;
mod float;
mod sink;

use directive::{Args, Reader};

pub(crate) use sink::{Heap, Memory, Sink};

/// One directive, up to its conversion.
#[derive(Clone, Copy, Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    length: Length,
}

/// How large an integer argument is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Length {
    Char,
    Short,
    #[default]
    Int,
    /// `l`, `ll`, `j`, `z`, `t`: all 64 bits.
    Long,
    LongDouble,
}

/// What a converted argument consists of, in this order: padding, prefix, zeros, body, zeros, suffix.
#[derive(Default)]
struct Parts<'a> {
    prefix: &'a [u8],
    zeros_before: usize,
    body: &'a [u8],
    zeros_after: usize,
    suffix: &'a [u8],
}

/// Output with its length.
struct Output<'a> {
    sink: &'a mut dyn Sink,
    count: usize,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        self.count = self.count.saturating_add(bytes.len());
        self.sink.put(bytes)
    }

    fn repeat(&mut self, byte: u8, mut count: usize) -> Result<(), c_int> {
        let block = [byte; 64];
        while count > 0 {
            let n = count.min(block.len());
            self.put(&block[..n])?;
            count -= n;
        }
        Ok(())
    }

    /// Writes a converted argument, padded; `zero`: by zeros behind the prefix, unless it is to be on the left.
    fn padded(&mut self, spec: &Spec, zero: bool, parts: &Parts<'_>) -> Result<(), c_int> {
        let length = [
            parts.zeros_before,
            parts.body.len(),
            parts.zeros_after,
            parts.suffix.len(),
        ]
        .into_iter()
        .fold(parts.prefix.len(), usize::saturating_add);
        // A result that C cannot count is an error, before it takes for ever to write.
        if length.max(spec.width) > c_int::MAX as usize {
            return Err(libc::EOVERFLOW);
        }
        let fill = spec.width.saturating_sub(length);
        let zeros = if zero && !spec.left { fill } else { 0 };
        if !spec.left {
            self.repeat(b' ', fill - zeros)?;
        }
        self.put(parts.prefix)?;
        self.repeat(b'0', parts.zeros_before + zeros)?;
        self.put(parts.body)?;
        self.repeat(b'0', parts.zeros_after)?;
        self.put(parts.suffix)?;
        self.repeat(b' ', if spec.left { fill } else { 0 })
    }
}

/// Formats; the number of bytes, or the errno.
///
/// # Safety
/// `format` must be a C string, and `args` must have what it asks for.
pub(crate) unsafe fn format(
    sink: &mut dyn Sink,
    format: *const c_char,
    args: &mut VaList,
) -> Result<c_int, c_int> {
    // SAFETY: `format` is a C string, as this function demands.
    let format = unsafe { CStr::from_ptr(format) }.to_bytes();
    // As it stood when the function was called (`%m`).
    let errno = crate::c::errno::errno();
    let mut out = Output { sink, count: 0 };
    let mut args = Args::new(args, format)?;
    let mut reader = Reader::new(format);
    loop {
        let (text, directive) = reader.next()?;
        out.put(text)?;
        let Some(directive) = directive else {
            return c_int::try_from(out.count).map_err(|_| libc::EOVERFLOW);
        };
        // SAFETY: `args` has what the directives ask for, in their order.
        unsafe {
            let (spec, args) = args.settle(&directive);
            convert(&mut out, &spec, directive.conversion, args, errno)?;
        }
    }
}

/// Converts one argument.
///
/// # Safety
/// As [`format`].
unsafe fn convert(
    out: &mut Output<'_>,
    spec: &Spec,
    conversion: u8,
    args: &mut VaList,
    errno: c_int,
) -> Result<(), c_int> {
    // SAFETY: `args` has what this directive asks for.
    unsafe {
        match conversion {
            b'd' | b'i' => signed(out, spec, args.word()),
            b'u' => unsigned(out, spec, args.word(), 10, false),
            b'o' => octal(out, spec, args.word()),
            b'x' => unsigned(out, spec, args.word(), 16, false),
            b'X' => unsigned(out, spec, args.word(), 16, true),
            b'c' if spec.length == Length::Int => {
                let byte = [args.word() as u8];
                out.padded(
                    spec,
                    false,
                    &Parts {
                        body: &byte,
                        ..Parts::default()
                    },
                )
            }
            b's' if spec.length == Length::Int => string(out, spec, args.word() as *const c_char),
            b'p' => pointer(out, spec, args.word()),
            b'm' => {
                let text = crate::c::errno::message(errno).unwrap_or("Unknown error");
                out.padded(
                    spec,
                    false,
                    &Parts {
                        body: cut(text.as_bytes(), spec),
                        ..Parts::default()
                    },
                )
            }
            b'n' => store_count(spec, args.word(), out.count),
            b'%' => out.put(b"%"),
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G'
                if spec.length != Length::LongDouble =>
            {
                float::convert(out, spec, conversion, args.double())
            }
            // Wide characters could not be represented; the rest is no directive.
            b'c' | b's' | b'C' | b'S' => Err(libc::EILSEQ),
            _ => Err(libc::EINVAL),
        }
    }
}

fn cut<'a>(text: &'a [u8], spec: &Spec) -> &'a [u8] {
    let n = spec.precision.unwrap_or(usize::MAX).min(text.len());
    &text[..n]
}

/// What is printed for a null pointer.
const NULL: &[u8] = b"(null)";

/// # Safety
/// Null, or a string that ends with a zero or at the precision.
unsafe fn string(out: &mut Output<'_>, spec: &Spec, text: *const c_char) -> Result<(), c_int> {
    let body = match text.is_null() {
        // glibc's text, and only where there is room for all of it.
        true if spec.precision.is_some_and(|room| room < NULL.len()) => &[],
        true => NULL,
        // SAFETY: not null, so the string ends with a zero or at the precision.
        false => unsafe {
            let length = length_up_to(text, spec.precision.unwrap_or(usize::MAX));
            core::slice::from_raw_parts(text.cast(), length)
        },
    };
    out.padded(
        spec,
        false,
        &Parts {
            body,
            ..Parts::default()
        },
    )
}

fn pointer(out: &mut Output<'_>, spec: &Spec, address: u64) -> Result<(), c_int> {
    if address == 0 {
        return out.padded(
            spec,
            false,
            &Parts {
                body: b"(nil)",
                ..Parts::default()
            },
        );
    }
    let spec = Spec {
        alternate: true,
        length: Length::Long,
        ..*spec
    };
    unsigned(out, &spec, address, 16, false)
}

/// # Safety
/// `to` must be the address of an integer of that length.
unsafe fn store_count(spec: &Spec, to: u64, count: usize) -> Result<(), c_int> {
    // SAFETY: `to` is the address of an integer of that length, as this function demands.
    unsafe {
        match spec.length {
            Length::Char => *(to as *mut i8) = count as i8,
            Length::Short => *(to as *mut c_short) = count as c_short,
            Length::Int => *(to as *mut c_int) = count as c_int,
            Length::Long => *(to as *mut c_long) = count as c_long,
            Length::LongDouble => return Err(libc::EINVAL),
        }
    }
    Ok(())
}

/// The argument of a signed conversion.
fn as_signed(length: Length, word: u64) -> i64 {
    match length {
        Length::Char => (word as i8).into(),
        Length::Short => (word as i16).into(),
        Length::Int => (word as i32).into(),
        Length::Long | Length::LongDouble => word as i64,
    }
}

/// The argument of an unsigned conversion.
fn as_unsigned(length: Length, word: u64) -> u64 {
    match length {
        Length::Char => (word as u8).into(),
        Length::Short => (word as u16).into(),
        Length::Int => (word as u32).into(),
        Length::Long | Length::LongDouble => word,
    }
}

/// The sign of a number in front of it.
fn sign(spec: &Spec, negative: bool) -> &'static [u8] {
    match (negative, spec.plus, spec.space) {
        (true, ..) => b"-",
        (_, true, _) => b"+",
        (_, _, true) => b" ",
        _ => b"",
    }
}

/// Digits of a number, from the end of a buffer that holds 64 of them; none for zero.
fn digits(mut n: u64, base: u64, upper: bool, buf: &mut [u8; 64]) -> &[u8] {
    let alphabet: &[u8; 16] = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let mut at = buf.len();
    while n > 0 {
        at -= 1;
        buf[at] = alphabet[(n % base) as usize];
        n /= base;
    }
    &buf[at..]
}

/// An integer: at least as many digits as the precision says, one if it says nothing.
fn integer(out: &mut Output<'_>, spec: &Spec, prefix: &[u8], digits: &[u8]) -> Result<(), c_int> {
    let zeros_before = spec.precision.unwrap_or(1).saturating_sub(digits.len());
    let zero = spec.zero && spec.precision.is_none();
    out.padded(
        spec,
        zero,
        &Parts {
            prefix,
            zeros_before,
            body: digits,
            ..Parts::default()
        },
    )
}

fn signed(out: &mut Output<'_>, spec: &Spec, word: u64) -> Result<(), c_int> {
    let n = as_signed(spec.length, word);
    let mut buf = [0; 64];
    integer(
        out,
        spec,
        sign(spec, n < 0),
        digits(n.unsigned_abs(), 10, false, &mut buf),
    )
}

fn unsigned(
    out: &mut Output<'_>,
    spec: &Spec,
    word: u64,
    base: u64,
    upper: bool,
) -> Result<(), c_int> {
    let n = as_unsigned(spec.length, word);
    let mut buf = [0; 64];
    let prefix: &[u8] = match (spec.alternate && base == 16 && n != 0, upper) {
        (false, _) => b"",
        (true, false) => b"0x",
        (true, true) => b"0X",
    };
    integer(out, spec, prefix, digits(n, base, upper, &mut buf))
}

fn octal(out: &mut Output<'_>, spec: &Spec, word: u64) -> Result<(), c_int> {
    let mut buf = [0; 64];
    let digits = digits(as_unsigned(spec.length, word), 8, false, &mut buf);
    // `#`: the first digit is a zero.
    let precision = match spec.precision {
        precision if !spec.alternate || precision.is_some_and(|p| p > digits.len()) => precision,
        _ => Some(digits.len() + 1),
    };
    let zero = spec.zero && spec.precision.is_none();
    let zeros_before = precision.unwrap_or(1).saturating_sub(digits.len());
    out.padded(
        spec,
        zero,
        &Parts {
            zeros_before,
            body: digits,
            ..Parts::default()
        },
    )
}

#[cfg(test)]
mod tests;
