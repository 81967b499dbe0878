//! The local time zone: what TZ says (tzset(3)), or /etc/localtime. Files are TZif (RFC 9636).

use core::ffi::CStr;

use libc::c_char;

use super::posix_tz::Rules;
use crate::c::file::read_into;
use crate::c::string::{Text, bytes};
use crate::sys::lock::Lock;

/// Where zones are kept.
const ZONES: &[u8] = b"/usr/share/zoneinfo/";
/// The longest TZ that is understood.
const TZ_MAX: usize = 255;
/// Far larger than any zone's file.
const FILE_MAX: usize = 64 * 1024;
/// The longest abbreviation that is handed out, with its terminator.
const NAME_MAX: usize = 16;

/// What the clock shows at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Seconds east of UTC.
    pub(super) seconds: i32,
    pub(super) daylight: bool,
    /// A C string that stays.
    pub(super) name: *const c_char,
}

impl Offset {
    /// UTC as `gmtime` has it.
    pub(super) const UTC: Offset = Offset {
        seconds: 0,
        daylight: false,
        name: c"GMT".as_ptr(),
    };
}

/// The zone that was looked up last, and the TZ that it was looked up for.
struct Cached {
    known: bool,
    tz: [u8; TZ_MAX],
    tz_length: usize,
    /// Whether TZ was set at all.
    tz_set: bool,
    /// A file or rules, on the heap for good: names in it were handed out.
    data: &'static [u8],
    names: Names,
}

/// Abbreviations that were handed out, each once, for good.
struct Names {
    list: [[u8; NAME_MAX]; 64],
    count: usize,
}

static ZONE: Lock<Cached> = Lock::new(Cached {
    known: false,
    tz: [0; TZ_MAX],
    tz_length: 0,
    tz_set: false,
    data: b"",
    names: Names {
        list: [[0; NAME_MAX]; 64],
        count: 0,
    },
});

impl Names {
    /// The abbreviation as a C string that stays. When there is no more room it is empty: nobody has so many zones.
    fn intern(&mut self, name: &[u8]) -> *const c_char {
        let name = &name[..name.len().min(NAME_MAX - 1)];
        let known = |entry: &&[u8; NAME_MAX]| entry.starts_with(name) && entry[name.len()] == 0;
        if let Some(entry) = self.list[..self.count].iter().find(known) {
            return entry.as_ptr().cast();
        }
        match self.list.get_mut(self.count) {
            Some(entry) => {
                entry[..name.len()].copy_from_slice(name);
                self.count += 1;
                entry.as_ptr().cast()
            }
            None => c"".as_ptr(),
        }
    }
}

/// TZ as it is set now.
fn tz<'a>() -> Option<&'a [u8]> {
    // SAFETY: a C string of the environment.
    unsafe {
        let tz = crate::c::env::getenv(c"TZ".as_ptr());
        (!tz.is_null()).then(|| bytes(tz))
    }
}

/// What the clock shows at a moment, in the local zone.
pub(super) fn offset_at(moment: i64) -> Offset {
    with_zone(|cached| {
        let data = cached.data;
        match look_up(data, moment) {
            Some((seconds, daylight, name)) => Offset {
                seconds,
                daylight,
                name: cached.names.intern(name),
            },
            None => Offset {
                seconds: 0,
                daylight: false,
                name: cached.names.intern(b"UTC"),
            },
        }
    })
}

/// By how much daylight saving time differs from standard time in the zone, most likely.
pub(super) fn daylight_difference() -> i32 {
    with_zone(|cached| match rules_of(cached.data) {
        Some(Rules {
            standard,
            daylight: Some((daylight, ..)),
        }) => daylight.offset - standard.offset,
        _ => 3600,
    })
}

fn with_zone<T>(f: impl FnOnce(&mut Cached) -> T) -> T {
    let tz = tz();
    let mut cached = ZONE.lock();
    let same = cached.known
        && cached.tz_set == tz.is_some()
        && cached.tz.get(..cached.tz_length) == Some(tz.unwrap_or(b""));
    if !same {
        let text = tz.unwrap_or(b"");
        cached.data = load(tz);
        cached.known = text.len() <= TZ_MAX;
        cached.tz_set = tz.is_some();
        cached.tz_length = text.len().min(TZ_MAX);
        let length = cached.tz_length;
        cached.tz[..length].copy_from_slice(&text[..length]);
    }
    f(&mut cached)
}

/// The data of a zone; empty for UTC, and for what cannot be found, as in other C libraries.
fn load(tz: Option<&[u8]>) -> &'static [u8] {
    let Some(tz) = tz else {
        return read_zone(c"/etc/localtime");
    };
    let name = tz.strip_prefix(b":").unwrap_or(tz);
    if name.is_empty() {
        return b"";
    }
    if Rules::parse(name).is_some() {
        return keep(name);
    }
    let mut path = [0; TZ_MAX + ZONES.len() + 2];
    let mut text = Text::new(&mut path);
    let folder: &[u8] = if name.starts_with(b"/") { b"" } else { ZONES };
    // No way out of the folder.
    if name.split(|&b| b == b'/').any(|part| part == b"..")
        || !(text.push(folder) && text.push(name) && text.push(b"\0"))
    {
        return b"";
    }
    CStr::from_bytes_with_nul(text.into_written()).map_or(b"", read_zone)
}

/// A copy on the heap, for good; empty if there is no memory.
fn keep(text: &[u8]) -> &'static [u8] {
    // SAFETY: a fresh block of that size, which is never freed.
    unsafe {
        let block: *mut u8 = libc::malloc(text.len()).cast();
        if block.is_null() {
            return b"";
        }
        core::ptr::copy_nonoverlapping(text.as_ptr(), block, text.len());
        core::slice::from_raw_parts(block, text.len())
    }
}

fn read_zone(path: &CStr) -> &'static [u8] {
    // SAFETY: a block of that size, which is freed when what is wanted of it was copied.
    unsafe {
        let block: *mut u8 = libc::calloc(1, FILE_MAX).cast();
        if block.is_null() {
            return b"";
        }
        let buf = core::slice::from_raw_parts_mut(block, FILE_MAX);
        let kept = match read_into(path, buf) {
            Ok(n) if Table::parse(&buf[..n]).is_some() => keep(&buf[..n]),
            _ => b"",
        };
        libc::free(block.cast());
        kept
    }
}

/// Offset, whether it is daylight saving time, and name; `None` for UTC.
fn look_up(data: &[u8], moment: i64) -> Option<(i32, bool, &[u8])> {
    if let Some(table) = Table::parse(data)
        && let Some(found) = table.at(moment)
    {
        return Some(found);
    }
    let (part, daylight) = rules_of(data)?.at(moment);
    Some((part.offset, daylight, part.name))
}

/// The rules that hold after a file's table, or that the data are.
fn rules_of(data: &[u8]) -> Option<Rules<'_>> {
    match Table::parse(data) {
        Some(table) => Rules::parse(table.footer),
        None => Rules::parse(data),
    }
}

/// A TZif file's table, with 64-bit times.
struct Table<'a> {
    times: &'a [u8],
    types: &'a [u8],
    descriptions: &'a [u8],
    names: &'a [u8],
    footer: &'a [u8],
}

const HEADER: usize = 44;
const DESCRIPTION: usize = 6;

/// The six counts of a header: indicators UT and standard, leap seconds, times, types, bytes of names.
fn counts(data: &[u8]) -> Option<[usize; 6]> {
    let header = data
        .get(..HEADER)
        .filter(|header| header.starts_with(b"TZif"))?;
    let mut counts = [0; 6];
    for (count, word) in counts.iter_mut().zip(header[20..].chunks_exact(4)) {
        *count = u32::from_be_bytes(word.try_into().ok()?) as usize;
    }
    Some(counts)
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (front, back) = rest.split_at_checked(length)?;
    *rest = back;
    Some(front)
}

impl<'a> Table<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let [ut, standard, leaps, times, types, names] = counts(data)?;
        // A first block with 32-bit times goes before that with 64-bit ones; version 1 has only the first.
        if data.get(4).is_none_or(|version| *version < b'2') {
            return None;
        }
        let first = times.checked_mul(5)?
            + types.checked_mul(DESCRIPTION)?
            + names
            + leaps.checked_mul(8)?
            + standard
            + ut;
        let block = data.get(HEADER.checked_add(first)?..)?;
        let [ut, standard, leaps, times, types, names] = counts(block)?;
        let mut rest = block.get(HEADER..)?;
        let table = Table {
            times: cut(&mut rest, times.checked_mul(8)?)?,
            types: cut(&mut rest, times)?,
            descriptions: cut(&mut rest, types.checked_mul(DESCRIPTION)?)?,
            names: cut(&mut rest, names)?,
            footer: b"",
        };
        // Leap seconds are not C's business: its days have 86,400 seconds.
        cut(&mut rest, leaps.checked_mul(12)?)?;
        cut(&mut rest, standard.checked_add(ut)?)?;
        let footer = rest.strip_prefix(b"\n")?;
        let end = footer.iter().position(|&b| b == b'\n')?;
        Some(Table {
            footer: &footer[..end],
            ..table
        })
    }

    fn time(&self, i: usize) -> Option<i64> {
        let bytes = self.times.get(i * 8..)?.first_chunk::<8>()?;
        Some(i64::from_be_bytes(*bytes))
    }

    fn description(&self, i: usize) -> Option<(i32, bool, &'a [u8])> {
        let bytes = self
            .descriptions
            .get(i * DESCRIPTION..)?
            .first_chunk::<DESCRIPTION>()?;
        let [a, b, c, d, daylight, name] = *bytes;
        let name = self.names.get(name.into()..)?;
        let end = name.iter().position(|&b| b == 0)?;
        Some((
            i32::from_be_bytes([a, b, c, d]),
            daylight != 0,
            &name[..end],
        ))
    }

    /// `None` after the last time if there are rules for it.
    fn at(&self, moment: i64) -> Option<(i32, bool, &'a [u8])> {
        let (mut low, mut high) = (0, self.types.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.time(middle)? <= moment {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        match low {
            // Before the first time the first type holds.
            0 if !self.types.is_empty() || self.footer.is_empty() => self.description(0),
            low if low == self.types.len() && !self.footer.is_empty() => None,
            low => self.description((*self.types.get(low - 1)?).into()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file with one change at 1000, from LMT to XYZ, and rules after that.
    fn file(footer: &str) -> Vec<u8> {
        let header = |times: u32, types: u32, names: u32| {
            let mut header = b"TZif2".to_vec();
            header.extend([0; 15]);
            for count in [0, 0, 0, times, types, names] {
                header.extend(count.to_be_bytes());
            }
            header
        };
        let mut data = header(0, 1, 1);
        data.extend([0; 7]);
        data.extend(header(1, 2, 8));
        data.extend(1000i64.to_be_bytes());
        data.push(1);
        data.extend([0, 0, 0, 60, 0, 0]);
        data.extend([0, 0, 14, 16, 1, 4]);
        data.extend(b"LMT\0XYZ\0");
        data.extend(format!("\n{footer}\n").bytes());
        data
    }

    #[test]
    fn tables_are_read() {
        let data = file("");
        assert_eq!(look_up(&data, 999), Some((60, false, &b"LMT"[..])));
        assert_eq!(look_up(&data, 1000), Some((3600, true, &b"XYZ"[..])));
        let data = file("ABC-2");
        assert_eq!(look_up(&data, 999), Some((60, false, &b"LMT"[..])));
        assert_eq!(look_up(&data, 1000), Some((7200, false, &b"ABC"[..])));
    }

    #[test]
    fn damaged_tables_are_survived() {
        let data = file("ABC-2");
        for length in 0..data.len() {
            let _ = look_up(&data[..length], 1000);
        }
        for at in 0..data.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut data = data.clone();
                data[at] = value;
                let _ = look_up(&data, 999);
                let _ = look_up(&data, 1001);
            }
        }
    }
}
