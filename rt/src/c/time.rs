//! Clocks and sleeping. Clocks are read through the vDSO, the kernel's code in the process (vdso(7)).

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libc::{c_int, c_uint, clock_t, clockid_t, itimerval, time_t, timespec, timeval, useconds_t};

use crate::c::define::{code, ret, uninterrupted};
use linux_raw_sys::general::*;

mod vdso;

/// Where the vDSO's clock_gettime lies; 0 before it was looked for, 1 if there is none.
static CLOCK_GETTIME: AtomicUsize = AtomicUsize::new(0);
const NONE: usize = 1;

type ClockGettime = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;

/// Reads a clock: 0, or a negated errno.
///
/// # Safety
/// `to` must be writable.
unsafe fn read_clock(clock: clockid_t, to: *mut timespec) -> isize {
    let mut address = CLOCK_GETTIME.load(Relaxed);
    if address == 0 {
        address = vdso::symbol(crate::arch::vdso::CLOCK_GETTIME).unwrap_or(NONE);
        CLOCK_GETTIME.store(address, Relaxed);
    }
    if address == NONE {
        // SAFETY: `to` is writable, as this function demands.
        return unsafe { syscall!(__NR_clock_gettime, clock, to) };
    }
    // SAFETY: the kernel's function of this type; it needs little stack and falls back to the system call itself.
    unsafe { core::mem::transmute::<usize, ClockGettime>(address)(clock, to) as isize }
}

/// Milliseconds on a clock that only goes forward.
pub(crate) fn monotonic_ms() -> i64 {
    let mut now = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a place of our own; every kernel has that clock.
    unsafe { read_clock(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000)
}

/// clock_nanosleep(2), to its end.
///
/// # Safety
/// As there.
unsafe fn sleep_through(
    clock: clockid_t,
    flags: c_int,
    wanted: *const timespec,
    left: *mut timespec,
) -> isize {
    if flags & libc::TIMER_ABSTIME != 0 {
        // SAFETY: two times, readable and null or writable, as clock_nanosleep(2) demands.
        return uninterrupted(|| unsafe {
            syscall!(__NR_clock_nanosleep, clock, flags, wanted, left)
        });
    }
    let mut rest = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut next = wanted;
    let rest = &raw mut rest;
    uninterrupted(|| {
        // SAFETY: the caller's; what is left goes to a place of our own, from which the call goes on.
        let result = unsafe { syscall!(__NR_clock_nanosleep, clock, flags, next, rest) };
        next = rest;
        result
    })
}

c_fn! {
    /// clock_gettime(2)
    fn clock_gettime(clock: clockid_t, to: *mut timespec) -> c_int {
        ret(read_clock(clock, to)) as c_int
    }

    /// gettimeofday(2); the time zone is not the kernel's business and reads as zero.
    fn gettimeofday(to: *mut timeval, zone: *mut libc::timezone) -> c_int {
        let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a place of our own; the caller's places, null or writable.
        unsafe {
            if ret(read_clock(libc::CLOCK_REALTIME, &mut now)) == -1 {
                return -1;
            }
            if let Some(to) = to.as_mut() {
                *to = timeval { tv_sec: now.tv_sec, tv_usec: now.tv_nsec / 1000 };
            }
            if let Some(zone) = zone.cast::<[c_int; 2]>().as_mut() {
                *zone = [0; 2];
            }
        }
        0
    }

    /// time(2)
    fn time(to: *mut time_t) -> time_t {
        let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a place of our own; the caller's place, null or writable.
        unsafe {
            if ret(read_clock(libc::CLOCK_REALTIME, &mut now)) == -1 {
                return -1;
            }
            if let Some(to) = to.as_mut() {
                *to = now.tv_sec;
            }
        }
        now.tv_sec
    }

    /// clock(3): processor time of the process in microseconds.
    undeclared fn clock() -> clock_t {
        let mut used = timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a place of our own.
        match ret(unsafe { read_clock(libc::CLOCK_PROCESS_CPUTIME_ID, &mut used) }) {
            -1 => -1,
            _ => used.tv_sec.saturating_mul(1_000_000).saturating_add(used.tv_nsec / 1000),
        }
    }

    /// clock_nanosleep(2); returns the error number.
    fn clock_nanosleep(clock: clockid_t, flags: c_int, wanted: *const timespec, left: *mut timespec) -> c_int {
        code(sleep_through(clock, flags, wanted, left))
    }

    /// nanosleep(2)
    fn nanosleep(wanted: *const timespec, left: *mut timespec) -> c_int {
        ret(sleep_through(libc::CLOCK_MONOTONIC, 0, wanted, left)) as c_int
    }

    /// usleep(3)
    fn usleep(microseconds: useconds_t) -> c_int {
        let wanted = timespec {
            tv_sec: (microseconds / 1_000_000).into(),
            tv_nsec: (microseconds % 1_000_000 * 1000).into(),
        };
        // SAFETY: a value of our own.
        ret(unsafe { sleep_through(libc::CLOCK_MONOTONIC, 0, &wanted, core::ptr::null_mut()) }) as c_int
    }

    /// sleep(3): the seconds that are left, which are none.
    fn sleep(seconds: c_uint) -> c_uint {
        let wanted = timespec { tv_sec: seconds.into(), tv_nsec: 0 };
        // SAFETY: a value of our own.
        unsafe { sleep_through(libc::CLOCK_MONOTONIC, 0, &wanted, core::ptr::null_mut()) };
        0
    }
}

syscalls! {
    /// clock_getres(2)
    clock_getres(clock: clockid_t, to: *mut timespec) -> c_int = __NR_clock_getres(clock, to);
    /// clock_settime(2)
    clock_settime(clock: clockid_t, to: *const timespec) -> c_int = __NR_clock_settime(clock, to);
    /// getitimer(2)
    getitimer(which: c_int, now: *mut itimerval) -> c_int = __NR_getitimer(which, now);
    /// times(2)
    times(to: *mut libc::tms) -> clock_t = __NR_times(to);
}
