//! Unnamed semaphores, within the process.

use core::sync::atomic::{AtomicU32, Ordering::*};

use libc::{c_int, c_uint, sem_t, timespec};

use super::{Deadline, wait, wake};
use crate::c::define::fail;

/// POSIX's SEM_VALUE_MAX on Linux.
const VALUE_MAX: u32 = i32::MAX as u32;

/// # Safety
/// Initialised by `sem_init`.
unsafe fn of<'a>(semaphore: *mut sem_t) -> &'a AtomicU32 {
    // SAFETY: the caller's; the first word.
    unsafe { AtomicU32::from_ptr(semaphore.cast()) }
}

const _: () = assert!(size_of::<sem_t>() >= 4 && align_of::<sem_t>() >= 4);

fn try_take(word: &AtomicU32) -> bool {
    word.fetch_update(Acquire, Relaxed, |n| n.checked_sub(1))
        .is_ok()
}

fn take(word: &AtomicU32, deadline: Option<Deadline>) -> c_int {
    while !try_take(word) {
        if let Err(errno) = wait(word, 0, deadline) {
            return fail(errno);
        }
    }
    0
}

c_fn! {
    /// sem_init(3): only within the process.
    fn sem_init(semaphore: *mut sem_t, shared: c_int, value: c_uint) -> c_int {
        if value > VALUE_MAX {
            return fail(libc::EINVAL);
        }
        if shared != 0 {
            return fail(libc::ENOSYS);
        }
        semaphore.write_bytes(0, 1);
        of(semaphore).store(value, Release);
        0
    }

    /// sem_destroy(3)
    fn sem_destroy(_semaphore: *mut sem_t) -> c_int {
        0
    }

    /// sem_wait(3)
    fn sem_wait(semaphore: *mut sem_t) -> c_int {
        take(of(semaphore), None)
    }

    /// sem_wait(3)
    fn sem_trywait(semaphore: *mut sem_t) -> c_int {
        match try_take(of(semaphore)) {
            true => 0,
            false => fail(libc::EAGAIN),
        }
    }

    /// sem_wait(3)
    fn sem_timedwait(semaphore: *mut sem_t, limit: *const timespec) -> c_int {
        match Deadline::new(limit, libc::CLOCK_REALTIME) {
            Ok(deadline) => take(of(semaphore), Some(deadline)),
            Err(errno) => fail(errno),
        }
    }

    /// sem_post(3). The word is woken even if nobody waits: a thread that waits may go, and its memory with it, as soon as it is up.
    fn sem_post(semaphore: *mut sem_t) -> c_int {
        let word = of(semaphore);
        let raised = word.fetch_update(Release, Relaxed, |n| (n < VALUE_MAX).then_some(n + 1));
        match raised {
            Ok(_) => {
                wake(word, 1);
                0
            }
            Err(_) => fail(libc::EOVERFLOW),
        }
    }

    /// sem_getvalue(3)
    fn sem_getvalue(semaphore: *mut sem_t, to: *mut c_int) -> c_int {
        *to = of(semaphore).load(Relaxed) as c_int;
        0
    }
}
