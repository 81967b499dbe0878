//! time.h's calendar: from seconds to dates and back, in UTC and in the local time zone (`zone.rs`), and in text.

use core::ptr::null_mut;

use libc::{c_char, c_double, c_int, c_long, size_t, time_t, tm};

use crate::c::define::fail;

mod date;
mod format;
mod posix_tz;
mod zone;

use date::Date;
use zone::Offset;

/// The date of a moment at an offset from UTC.
fn broken_down(moment: time_t, offset: Offset) -> Option<tm> {
    let local = moment.checked_add(offset.seconds.into())?;
    let date = Date::from_seconds(local)?;
    Some(tm {
        tm_sec: date.second,
        tm_min: date.minute,
        tm_hour: date.hour,
        tm_mday: date.day,
        tm_mon: date.month,
        tm_year: date.year,
        tm_wday: date.week_day,
        tm_yday: date.year_day,
        tm_isdst: offset.daylight.into(),
        tm_gmtoff: offset.seconds.into(),
        tm_zone: offset.name,
    })
}

/// Seconds of a date as UTC. The fields may be out of their ranges, as C allows.
fn seconds_of(tm: &tm) -> Option<i64> {
    date::to_seconds(
        tm.tm_year.into(),
        tm.tm_mon.into(),
        tm.tm_mday.into(),
        tm.tm_hour.into(),
        tm.tm_min.into(),
        tm.tm_sec.into(),
    )
}

/// The moment of a local date. Where clocks are set back a date comes twice: `tm_isdst` says which is meant, the first
/// if it does not. Where they are set forward it does not come at all: it is taken by the offset before.
fn local_moment(tm: &tm) -> Option<time_t> {
    const DAY: i64 = 86_400;
    let as_utc = seconds_of(tm)?;
    let before = zone::offset_at(as_utc.checked_sub(DAY)?);
    let after = zone::offset_at(as_utc.checked_add(DAY)?);
    let candidates = [before, after].map(|offset| as_utc - i64::from(offset.seconds));
    let holds = |moment: &i64| zone::offset_at(*moment).seconds == (as_utc - moment) as i32;
    let wanted =
        |moment: &i64| tm.tm_isdst < 0 || zone::offset_at(*moment).daylight == (tm.tm_isdst > 0);
    let exact = candidates.iter().find(|m| holds(m) && wanted(m));
    if let Some(&moment) = exact {
        return Some(moment);
    }
    let any = candidates.into_iter().find(holds).unwrap_or(candidates[0]);
    // The date is meant in a time that the zone does not have then: by the difference that it has at other times.
    match (tm.tm_isdst, zone::offset_at(any).daylight) {
        (1.., false) => Some(any - i64::from(zone::daylight_difference())),
        (0, true) => Some(any + i64::from(zone::daylight_difference())),
        _ => Some(any),
    }
}

/// Writes a date to C's place; null with `errno` set if the year does not fit.
///
/// # Safety
/// `moment` must be readable, `to` writable.
unsafe fn hand_out(
    moment: *const time_t,
    to: *mut tm,
    offset: impl Fn(time_t) -> Offset,
) -> *mut tm {
    // SAFETY: `moment` is readable and `to` writable, as this function demands.
    unsafe {
        match broken_down(*moment, offset(*moment)) {
            Some(date) => {
                to.write(date);
                to
            }
            None => {
                fail(libc::EOVERFLOW);
                null_mut()
            }
        }
    }
}

/// Where `localtime` and `gmtime` put their result: one place for all, as C has it.
struct Shared(core::cell::UnsafeCell<core::mem::MaybeUninit<tm>>);
// SAFETY: as for C's functions, users must keep order among themselves.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(core::cell::UnsafeCell::new(core::mem::MaybeUninit::uninit()));

c_fn! {
    /// gmtime(3)
    fn gmtime_r(moment: *const time_t, to: *mut tm) -> *mut tm {
        hand_out(moment, to, |_| Offset::UTC)
    }

    /// localtime(3)
    fn localtime_r(moment: *const time_t, to: *mut tm) -> *mut tm {
        hand_out(moment, to, zone::offset_at)
    }

    /// gmtime(3)
    fn gmtime(moment: *const time_t) -> *mut tm {
        // SAFETY: the caller's; the shared place.
        unsafe { gmtime_r(moment, SHARED.0.get().cast()) }
    }

    /// localtime(3)
    fn localtime(moment: *const time_t) -> *mut tm {
        // SAFETY: the caller's; the shared place.
        unsafe { localtime_r(moment, SHARED.0.get().cast()) }
    }

    /// timegm(3)
    fn timegm(date: *mut tm) -> time_t {
        let normal = seconds_of(&*date).and_then(|moment| Some((moment, broken_down(moment, Offset::UTC)?)));
        finish(date, normal)
    }

    /// mktime(3)
    fn mktime(date: *mut tm) -> time_t {
        let moment = local_moment(&*date);
        let normal = moment.and_then(|moment| Some((moment, broken_down(moment, zone::offset_at(moment))?)));
        finish(date, normal)
    }

    /// difftime(3)
    fn difftime(end: time_t, start: time_t) -> c_double {
        end as f64 - start as f64
    }

    /// tzset(3): the zone is looked up again whenever TZ has changed.
    undeclared fn tzset() {}

    /// strftime(3), in the C locale.
    fn strftime(to: *mut c_char, size: size_t, text: *const c_char, date: *const tm) -> size_t {
        format::format(to, size, crate::c::string::bytes(text), &*date)
    }

    /// asctime(3)
    fn asctime_r(date: *const tm, to: *mut c_char) -> *mut c_char {
        // SAFETY: the caller's, with room for 26 bytes.
        match unsafe { format::format(to, ASCTIME, b"%a %b %e %H:%M:%S %Y\n", &*date) } {
            0 => {
                fail(libc::EOVERFLOW);
                null_mut()
            }
            _ => to,
        }
    }

    /// ctime(3)
    fn ctime_r(moment: *const time_t, to: *mut c_char) -> *mut c_char {
        let mut date = core::mem::MaybeUninit::uninit();
        // SAFETY: the caller's; the date is read only if it was written.
        unsafe {
            match localtime_r(moment, date.as_mut_ptr()).is_null() {
                true => null_mut(),
                false => asctime_r(date.as_ptr(), to),
            }
        }
    }
}

/// Bytes that C promises to `asctime_r`.
const ASCTIME: usize = 26;

/// Hands out a moment and its date in normal form; -1 if there is none.
///
/// # Safety
/// `date` must be writable.
unsafe fn finish(date: *mut tm, normal: Option<(time_t, tm)>) -> time_t {
    match normal {
        Some((moment, normal)) => {
            // SAFETY: `date` is writable, as this function demands.
            unsafe { date.write(normal) };
            moment
        }
        None => fail(libc::EOVERFLOW).into(),
    }
}

const _: () =
    assert!(size_of::<time_t>() == 8 && size_of::<c_long>() == 8 && size_of::<c_int>() == 4);

#[cfg(test)]
mod tests;
