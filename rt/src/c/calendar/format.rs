//! strftime(3) in the C locale, with glibc's flags and widths.

use core::ffi::CStr;
use core::fmt::Write;

use libc::{c_char, tm};

use super::date::is_leap;
use crate::c::string::Text;

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The caller's memory; what does not fit makes the whole result nothing.
struct Output {
    to: *mut c_char,
    used: usize,
    /// The terminator's byte not counted.
    room: usize,
}

impl Output {
    fn put(&mut self, text: &[u8]) -> core::fmt::Result {
        let to = self.grow(text.len())?;
        // SAFETY: there is room for it in the caller's memory.
        unsafe { core::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len()) };
        Ok(())
    }

    fn fill(&mut self, byte: u8, count: usize) -> core::fmt::Result {
        let to = self.grow(count)?;
        // SAFETY: there is room for it in the caller's memory.
        unsafe { to.write_bytes(byte, count) };
        Ok(())
    }

    /// The place of so many bytes more.
    fn grow(&mut self, count: usize) -> Result<*mut c_char, core::fmt::Error> {
        if count > self.room - self.used {
            return Err(core::fmt::Error);
        }
        // SAFETY: within the caller's memory.
        let place = unsafe { self.to.add(self.used) };
        self.used += count;
        Ok(place)
    }
}

/// The letters of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    AsTheyAre,
    Upper,
    Lower,
}

/// What stands between the `%` and the conversion (strftime(3), "Glibc notes").
struct Field {
    /// `_`, `-`, `0`, or 0.
    pad: u8,
    case: Case,
    /// `#`: the other case.
    swapped: bool,
    width: usize,
    /// `E`, `O`: other locales' forms. The C locale has none, but only some conversions may have them.
    modifier: u8,
}

impl Field {
    /// Reads one off the front of a format.
    fn read(format: &mut &[u8]) -> Self {
        let mut field = Field {
            pad: 0,
            case: Case::AsTheyAre,
            swapped: false,
            width: 0,
            modifier: 0,
        };
        while let Some((&first, rest)) = format.split_first() {
            match first {
                b'_' | b'-' | b'0' if field.width == 0 => field.pad = first,
                b'^' if field.width == 0 => field.case = Case::Upper,
                b'#' if field.width == 0 => field.swapped = true,
                b'0'..=b'9' => {
                    let digit = usize::from(first - b'0');
                    field.width = field.width.saturating_mul(10).saturating_add(digit);
                }
                b'E' | b'O' => {
                    field.modifier = first;
                    *format = rest;
                    break;
                }
                _ => break,
            }
            *format = rest;
        }
        field
    }

    /// Writes a text, padded to the width.
    fn text(&self, out: &mut Output, text: &[u8]) -> core::fmt::Result {
        let fill = if self.pad == b'0' { b'0' } else { b' ' };
        out.fill(fill, self.width.saturating_sub(text.len()))?;
        for &byte in text {
            out.put(&[match self.case {
                Case::AsTheyAre => byte,
                Case::Upper => byte.to_ascii_uppercase(),
                Case::Lower => byte.to_ascii_lowercase(),
            }])?;
        }
        Ok(())
    }

    /// Writes a number of at least so many digits, or as wide as the field; padded with zeros unless a flag says otherwise.
    fn number(&self, out: &mut Output, n: i64, digits: usize) -> core::fmt::Result {
        let mut buf = [0; 24];
        let mut text = Text::new(&mut buf);
        // Every number fits.
        let _ = write!(text, "{n}");
        let text = text.into_written();
        let missing = self.width.max(digits).saturating_sub(text.len());
        match (self.pad, text) {
            (b'-', _) => self.text(out, text),
            (b'_', _) => {
                out.fill(b' ', missing)?;
                out.put(text)
            }
            (_, [b'-', number @ ..]) => {
                out.put(b"-")?;
                out.fill(b'0', missing)?;
                out.put(number)
            }
            _ => {
                out.fill(b'0', missing)?;
                out.put(text)
            }
        }
    }

    /// What the flags mean for a conversion.
    fn settle(&mut self, conversion: u8) {
        match conversion {
            b'a' | b'A' | b'b' | b'B' | b'h' if self.swapped => self.case = Case::Upper,
            b'p' | b'Z' if self.swapped => self.case = Case::Lower,
            b'P' => self.case = Case::Lower,
            b'e' | b'k' | b'l' if !matches!(self.pad, b'0' | b'-') => self.pad = b'_',
            _ => {}
        }
    }
}

fn name(names: &[&'static str], index: i32) -> &'static str {
    usize::try_from(index)
        .ok()
        .and_then(|i| names.get(i))
        .copied()
        .unwrap_or("?")
}

fn first_three(names: &[&'static str], index: i32) -> &'static [u8] {
    let name = name(names, index).as_bytes();
    name.get(..3).unwrap_or(name)
}

/// Year and week by ISO 8601: weeks begin on Monday, and belong to the year of their Thursday.
fn iso_week(date: &tm) -> (i64, i64) {
    let year = i64::from(date.tm_year) + 1900;
    let from_monday = (i64::from(date.tm_wday) + 6).rem_euclid(7);
    let week = (i64::from(date.tm_yday) + 10 - from_monday).div_euclid(7);
    // December 31st lies in week 53 of years that begin, or being leap years end, on a Thursday.
    let weeks_in = |year: i64, first_from_monday: i64| {
        let begins = first_from_monday.rem_euclid(7);
        52 + i64::from(begins == 3 || begins == 2 && is_leap(year))
    };
    let first = (from_monday - i64::from(date.tm_yday)).rem_euclid(7);
    match week {
        ..1 => {
            let before = year - 1;
            (
                before,
                weeks_in(before, first - if is_leap(before) { 366 } else { 365 }),
            )
        }
        week if week > weeks_in(year, first) => (year + 1, 1),
        week => (year, week),
    }
}

/// Formats; the bytes without the terminator, 0 if they did not fit.
///
/// # Safety
/// `to` must have `size` bytes; `tm_zone` must be null or a C string.
pub(super) unsafe fn format(to: *mut c_char, size: usize, format: &[u8], date: &tm) -> usize {
    let Some(room) = size.checked_sub(1) else {
        return 0;
    };
    let mut out = Output { to, used: 0, room };
    // SAFETY: `tm_zone` is null or a C string, and `to` has `size` bytes.
    match unsafe { write(&mut out, format, date) } {
        Ok(()) => {
            // SAFETY: a byte was kept for it.
            unsafe { *to.add(out.used) = 0 };
            out.used
        }
        Err(_) => 0,
    }
}

/// # Safety
/// As [`format`].
unsafe fn write(out: &mut Output, format: &[u8], date: &tm) -> core::fmt::Result {
    let mut rest = format;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        out.put(&rest[..at])?;
        let start = &rest[at..];
        rest = &start[1..];
        let mut field = Field::read(&mut rest);
        let conversion = rest.split_first().map(|(first, after)| {
            rest = after;
            *first
        });
        if let Some(conversion) = conversion {
            field.settle(conversion);
        }
        let known = match conversion {
            Some(conversion) if may_have(field.modifier, conversion) => {
                // SAFETY: `tm_zone` is null or a C string.
                unsafe { convert(out, conversion, &field, date)? }
            }
            _ => false,
        };
        if !known {
            field.text(out, &start[..start.len() - rest.len()])?;
        }
    }
    out.put(rest)
}

/// Whether a conversion may have a modifier, as glibc has it.
fn may_have(modifier: u8, conversion: u8) -> bool {
    match modifier {
        b'E' => !b"aAbBdDeFgGhHIjklmMSUVwW".contains(&conversion),
        b'O' => !b"aAcDFxXY".contains(&conversion),
        _ => true,
    }
}

/// Writes one conversion; `false` if there is no such one.
///
/// # Safety
/// As [`format`].
unsafe fn convert(
    out: &mut Output,
    conversion: u8,
    field: &Field,
    date: &tm,
) -> Result<bool, core::fmt::Error> {
    let year = i64::from(date.tm_year) + 1900;
    let days = i64::from(date.tm_yday);
    let from_monday = (i64::from(date.tm_wday) + 6).rem_euclid(7);
    let hour12 = match date.tm_hour.rem_euclid(12) {
        0 => 12,
        hour => hour.into(),
    };
    match conversion {
        b'%' => field.text(out, b"%")?,
        b'n' => field.text(out, b"\n")?,
        b't' => field.text(out, b"\t")?,
        b'a' => field.text(out, first_three(&DAYS, date.tm_wday))?,
        b'A' => field.text(out, name(&DAYS, date.tm_wday).as_bytes())?,
        b'b' | b'h' => field.text(out, first_three(&MONTHS, date.tm_mon))?,
        b'B' => field.text(out, name(&MONTHS, date.tm_mon).as_bytes())?,
        b'p' | b'P' => field.text(out, if date.tm_hour >= 12 { b"PM" } else { b"AM" })?,
        b'C' => field.number(out, year.div_euclid(100), 2)?,
        b'd' | b'e' => field.number(out, date.tm_mday.into(), 2)?,
        b'g' => field.number(out, iso_week(date).0.rem_euclid(100), 2)?,
        b'G' => field.number(out, iso_week(date).0, 1)?,
        b'H' | b'k' => field.number(out, date.tm_hour.into(), 2)?,
        b'I' | b'l' => field.number(out, hour12, 2)?,
        b'j' => field.number(out, days + 1, 3)?,
        b'm' => field.number(out, i64::from(date.tm_mon) + 1, 2)?,
        b'M' => field.number(out, date.tm_min.into(), 2)?,
        b's' => field.number(out, super::local_moment(date).unwrap_or(-1), 1)?,
        b'S' => field.number(out, date.tm_sec.into(), 2)?,
        b'u' => field.number(out, from_monday + 1, 1)?,
        b'U' => {
            let week = (days + 7 - i64::from(date.tm_wday)).div_euclid(7);
            field.number(out, week, 2)?
        }
        b'V' => field.number(out, iso_week(date).1, 2)?,
        b'w' => field.number(out, date.tm_wday.into(), 1)?,
        b'W' => field.number(out, (days + 7 - from_monday).div_euclid(7), 2)?,
        b'y' => field.number(out, year.rem_euclid(100), 2)?,
        b'Y' => field.number(out, year, 1)?,
        b'z' if date.tm_isdst < 0 => {}
        b'z' => {
            let minutes = date.tm_gmtoff.abs() / 60;
            field.text(out, if date.tm_gmtoff < 0 { b"-" } else { b"+" })?;
            field.number(out, minutes / 60 * 100 + minutes % 60, 4)?
        }
        b'Z' if date.tm_zone.is_null() => field.text(out, b"")?,
        // SAFETY: not null, so it is a C string.
        b'Z' => field.text(out, unsafe { CStr::from_ptr(date.tm_zone) }.to_bytes())?,
        _ => {
            return match short_for(conversion) {
                // SAFETY: `tm_zone` is null or a C string.
                Some(parts) => unsafe { whole(out, parts, field, date) }.map(|()| true),
                None => Ok(false),
            };
        }
    }
    Ok(true)
}

/// What a conversion stands for that is made of others, in the C locale.
fn short_for(conversion: u8) -> Option<&'static [u8]> {
    Some(match conversion {
        b'c' => b"%a %b %e %H:%M:%S %Y",
        b'D' | b'x' => b"%m/%d/%y",
        b'F' => b"%Y-%m-%d",
        b'r' => b"%I:%M:%S %p",
        b'R' => b"%H:%M",
        b'T' | b'X' => b"%H:%M:%S",
        _ => return None,
    })
}

/// Writes a conversion that is made of others; width and case are those of the whole.
///
/// # Safety
/// As [`format`].
unsafe fn whole(out: &mut Output, parts: &[u8], field: &Field, date: &tm) -> core::fmt::Result {
    let mut text = [0; 128];
    // SAFETY: a place of our own, in which every date has room; the caller's date.
    let used = unsafe { format(text.as_mut_ptr().cast(), text.len(), parts, date) };
    field.text(out, &text[..used])
}
