//! strftime(3) in the C locale.

use core::ffi::CStr;
use core::fmt::Write;

use libc::{c_char, tm};

use super::date::is_leap;

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

impl Write for Output {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.put(text.as_bytes())
    }
}

impl Output {
    fn put(&mut self, text: &[u8]) -> core::fmt::Result {
        if text.len() > self.room - self.used {
            return Err(core::fmt::Error);
        }
        // SAFETY: there is room for it in the caller's memory.
        unsafe {
            core::ptr::copy_nonoverlapping(text.as_ptr().cast(), self.to.add(self.used), text.len())
        };
        self.used += text.len();
        Ok(())
    }

    /// A number, padded to a width as the flag says (`_` spaces, `-` nothing, `0` zeros).
    fn number(&mut self, n: i64, width: usize, pad: u8) -> core::fmt::Result {
        match pad {
            b'-' => write!(self, "{n}"),
            b'_' => write!(self, "{n:width$}"),
            _ => write!(self, "{n:0width$}"),
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
    // SAFETY: the caller's.
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
        let mut length = 1;
        let mut pad = 0;
        while let Some(&flag @ (b'-' | b'_' | b'0')) = start.get(length) {
            pad = flag;
            length += 1;
        }
        // Other locales' forms: the C locale has none.
        length += usize::from(matches!(start.get(length), Some(b'E' | b'O')));
        let known = match start.get(length) {
            // SAFETY: the caller's.
            Some(&conversion) => unsafe { convert(out, conversion, pad, date)? },
            None => false,
        };
        let end = (length + 1).min(start.len());
        if !known {
            out.put(&start[..end])?;
        }
        rest = &start[end..];
    }
    out.put(rest)
}

/// Writes one conversion; `false` if there is no such one.
///
/// # Safety
/// As [`format`].
unsafe fn convert(
    out: &mut Output,
    conversion: u8,
    pad: u8,
    date: &tm,
) -> Result<bool, core::fmt::Error> {
    let year = i64::from(date.tm_year) + 1900;
    let spaces = if pad == 0 { b'_' } else { pad };
    let hour12 = match date.tm_hour.rem_euclid(12) {
        0 => 12,
        hour => hour.into(),
    };
    // SAFETY: the caller's.
    let again = |out: &mut Output, text: &[u8]| unsafe { write(out, text, date) };
    match conversion {
        b'%' => out.put(b"%")?,
        b'n' => out.put(b"\n")?,
        b't' => out.put(b"\t")?,
        b'a' => out.write_str(name(&DAYS, date.tm_wday).get(..3).unwrap_or("?"))?,
        b'A' => out.write_str(name(&DAYS, date.tm_wday))?,
        b'b' | b'h' => out.write_str(name(&MONTHS, date.tm_mon).get(..3).unwrap_or("?"))?,
        b'B' => out.write_str(name(&MONTHS, date.tm_mon))?,
        b'c' => again(out, b"%a %b %e %H:%M:%S %Y")?,
        b'C' => out.number(year.div_euclid(100), 2, pad)?,
        b'd' => out.number(date.tm_mday.into(), 2, pad)?,
        b'D' | b'x' => again(out, b"%m/%d/%y")?,
        b'e' => out.number(date.tm_mday.into(), 2, spaces)?,
        b'F' => again(out, b"%Y-%m-%d")?,
        b'g' => out.number(iso_week(date).0.rem_euclid(100), 2, pad)?,
        b'G' => out.number(iso_week(date).0, 1, pad)?,
        b'H' => out.number(date.tm_hour.into(), 2, pad)?,
        b'I' => out.number(hour12, 2, pad)?,
        b'j' => out.number(i64::from(date.tm_yday) + 1, 3, pad)?,
        b'k' => out.number(date.tm_hour.into(), 2, spaces)?,
        b'l' => out.number(hour12, 2, spaces)?,
        b'm' => out.number(i64::from(date.tm_mon) + 1, 2, pad)?,
        b'M' => out.number(date.tm_min.into(), 2, pad)?,
        b'p' => out.write_str(if date.tm_hour >= 12 { "PM" } else { "AM" })?,
        b'P' => out.write_str(if date.tm_hour >= 12 { "pm" } else { "am" })?,
        b'r' => again(out, b"%I:%M:%S %p")?,
        b'R' => again(out, b"%H:%M")?,
        b's' => out.number(super::local_moment(date).unwrap_or(-1), 1, pad)?,
        b'S' => out.number(date.tm_sec.into(), 2, pad)?,
        b'T' | b'X' => again(out, b"%H:%M:%S")?,
        b'u' => out.number((i64::from(date.tm_wday) + 6).rem_euclid(7) + 1, 1, pad)?,
        b'U' => out.number(
            (i64::from(date.tm_yday) + 7 - i64::from(date.tm_wday)).div_euclid(7),
            2,
            pad,
        )?,
        b'V' => out.number(iso_week(date).1, 2, pad)?,
        b'w' => out.number(date.tm_wday.into(), 1, pad)?,
        b'W' => {
            let from_monday = (i64::from(date.tm_wday) + 6).rem_euclid(7);
            out.number(
                (i64::from(date.tm_yday) + 7 - from_monday).div_euclid(7),
                2,
                pad,
            )?
        }
        b'y' => out.number(year.rem_euclid(100), 2, pad)?,
        b'Y' => out.number(year, 1, pad)?,
        b'z' => {
            let minutes = date.tm_gmtoff / 60;
            let sign = if date.tm_gmtoff < 0 { '-' } else { '+' };
            write!(
                out,
                "{sign}{:02}{:02}",
                (minutes / 60).abs(),
                (minutes % 60).abs()
            )?
        }
        b'Z' if date.tm_zone.is_null() => {}
        // SAFETY: the caller's.
        b'Z' => out.put(unsafe { CStr::from_ptr(date.tm_zone) }.to_bytes())?,
        _ => return Ok(false),
    }
    Ok(true)
}
