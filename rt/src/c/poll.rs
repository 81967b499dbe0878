//! Waiting for descriptors: poll, select, epoll, eventfd, timerfd, signalfd.

use libc::{
    c_int, c_uint, epoll_event, fd_set, itimerspec, nfds_t, pollfd, sigset_t, timespec, timeval,
};

use crate::c::define::{ret, uninterrupted};
use crate::sys::signal::SET_SIZE;
use linux_raw_sys::general::*;

syscalls! {
    /// epoll_create1(2)
    epoll_create1(flags: c_int) -> c_int = __NR_epoll_create1(flags);
    /// epoll_ctl(2)
    epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int = __NR_epoll_ctl(epoll, operation, fd, event);
    /// eventfd(2)
    eventfd(value: c_uint, flags: c_int) -> c_int = __NR_eventfd2(value, flags);
    /// timerfd_create(2)
    timerfd_create(clock: c_int, flags: c_int) -> c_int = __NR_timerfd_create(clock, flags);
    /// timerfd_settime(2)
    timerfd_settime(fd: c_int, flags: c_int, new: *const itimerspec, old: *mut itimerspec) -> c_int = __NR_timerfd_settime(fd, flags, new, old);
    /// signalfd(2)
    signalfd(fd: c_int, set: *const sigset_t, flags: c_int) -> c_int = __NR_signalfd4(fd, set, SET_SIZE, flags);
    /// timerfd_gettime(2)
    timerfd_gettime(fd: c_int, now: *mut itimerspec) -> c_int = __NR_timerfd_gettime(fd, now);
}

c_fn! {
    /// epoll_create(2)
    fn epoll_create(size: c_int) -> c_int {
        if size <= 0 {
            return crate::c::define::fail(libc::EINVAL);
        }
        // SAFETY: a plain number.
        ret(unsafe { syscall!(__NR_epoll_create1, 0) }) as c_int
    }

    /// epoll_pwait2(2)
    fn epoll_pwait2(
        epoll: c_int,
        events: *mut epoll_event,
        max: c_int,
        limit: *const timespec,
        mask: *const sigset_t,
    ) -> c_int {
        ret(uninterrupted(|| syscall!(__NR_epoll_pwait2, epoll, events, max, limit, mask, SET_SIZE))) as c_int
    }

    /// eventfd_read(3)
    fn eventfd_read(fd: c_int, to: *mut u64) -> c_int {
        match crate::c::fd::read(fd, to.cast(), size_of::<u64>()) {
            8 => 0,
            _ => -1,
        }
    }

    /// eventfd_read(3)
    fn eventfd_write(fd: c_int, value: u64) -> c_int {
        // SAFETY: a place of our own.
        match unsafe { crate::c::fd::write(fd, (&raw const value).cast(), size_of::<u64>()) } {
            8 => 0,
            _ => -1,
        }
    }

    /// epoll_wait(2)
    fn epoll_wait(epoll: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int {
        // SAFETY: the caller's; no mask.
        unsafe { wait_for_events(epoll, events, max, timeout, core::ptr::null()) }
    }

    /// epoll_pwait(2)
    fn epoll_pwait(epoll: c_int, events: *mut epoll_event, max: c_int, timeout: c_int, mask: *const sigset_t) -> c_int {
        wait_for_events(epoll, events, max, timeout, mask)
    }

    /// poll(2), by ppoll.
    fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
        let mut left = timespec {
            tv_sec: (timeout / 1000).into(),
            tv_nsec: libc::c_long::from(timeout % 1000) * 1_000_000,
        };
        let at = if timeout < 0 { core::ptr::null_mut() } else { &raw mut left };
        // SAFETY: the caller's array; null or a limit of our own.
        ret(uninterrupted(|| unsafe { syscall!(__NR_ppoll, fds, count, at, 0usize, 0usize) })) as c_int
    }

    /// ppoll(2)
    fn ppoll(fds: *mut pollfd, count: nfds_t, limit: *const timespec, mask: *const sigset_t) -> c_int {
        // The kernel writes the time that is left into the limit; C says that it stays.
        // SAFETY: null or a value, as the caller promises.
        let mut left = unsafe { limit.as_ref() }.copied();
        let at = left.as_mut().map_or(core::ptr::null_mut(), |left| &raw mut *left);
        // SAFETY: the caller's array and mask; null or a limit of our own.
        ret(uninterrupted(|| unsafe { syscall!(__NR_ppoll, fds, count, at, mask, SET_SIZE) })) as c_int
    }

    /// select(2), by pselect6; as on Linux, the limit becomes the time that is left.
    fn select(count: c_int, read: *mut fd_set, write: *mut fd_set, except: *mut fd_set, limit: *mut timeval) -> c_int {
        // SAFETY: null or a value, as the caller promises.
        let limit = unsafe { limit.as_mut() };
        let mut left = limit.as_ref().map(|limit| timespec {
            tv_sec: limit.tv_sec.saturating_add(limit.tv_usec / 1_000_000),
            tv_nsec: limit.tv_usec % 1_000_000 * 1000,
        });
        let at = left.as_mut().map_or(core::ptr::null_mut(), |left| &raw mut *left);
        // SAFETY: the caller's sets, which an interrupted call leaves alone; null or a limit of our own; no mask.
        let result = uninterrupted(|| unsafe { syscall!(__NR_pselect6, count, read, write, except, at, 0usize) });
        if let (Some(limit), Some(left)) = (limit, left) {
            limit.tv_sec = left.tv_sec;
            limit.tv_usec = left.tv_nsec / 1000;
        }
        ret(result) as c_int
    }
}

/// epoll_pwait(2), whose limit is in milliseconds and is not updated.
///
/// # Safety
/// As there.
unsafe fn wait_for_events(
    epoll: c_int,
    events: *mut epoll_event,
    max: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> c_int {
    let started = (timeout > 0).then(crate::c::time::monotonic_ms);
    ret(uninterrupted(|| {
        let left = started.map_or(timeout, |started| {
            let gone = crate::c::time::monotonic_ms().saturating_sub(started);
            i64::from(timeout).saturating_sub(gone).max(0) as c_int
        });
        // SAFETY: room for `max` events, and null or a mask, as epoll_pwait2(2) demands.
        unsafe { syscall!(__NR_epoll_pwait, epoll, events, max, left, mask, SET_SIZE) }
    })) as c_int
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_seen() {
        // SAFETY: descriptors and places of our own.
        unsafe {
            let (epoll, event) = (epoll_create1(0), eventfd(0, libc::EFD_NONBLOCK));
            let mut wanted = epoll_event {
                events: libc::EPOLLIN as u32,
                u64: 9,
            };
            assert_eq!(epoll_ctl(epoll, libc::EPOLL_CTL_ADD, event, &mut wanted), 0);
            let mut seen = epoll_event { events: 0, u64: 0 };
            let limit = timespec {
                tv_sec: 0,
                tv_nsec: 1_000_000,
            };
            let null = core::ptr::null();
            assert_eq!(epoll_pwait2(epoll, &mut seen, 1, &limit, null), 0);
            assert_eq!((eventfd_write(event, 3), eventfd_write(event, 4)), (0, 0));
            assert_eq!(
                epoll_pwait2(epoll, &mut seen, 1, core::ptr::null(), null),
                1
            );
            assert_eq!({ seen.u64 }, 9);
            let mut count = 0;
            assert_eq!((eventfd_read(event, &mut count), count), (0, 7));
            assert_eq!(eventfd_read(event, &mut count), -1);
            let mut set: sigset_t = core::mem::zeroed();
            libc::sigaddset(&mut set, libc::SIGUSR2);
            let signals = signalfd(-1, &set, libc::SFD_NONBLOCK);
            assert!(signals >= 0);
            for fd in [epoll, event, signals] {
                libc::close(fd);
            }
        }
    }
}
