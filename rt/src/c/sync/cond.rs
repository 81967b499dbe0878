//! Conditions: a counter of signals. Who waits sleeps while it stays as it was when he let go of the mutex.

use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::*};

use libc::{c_int, clockid_t, pthread_cond_t, pthread_condattr_t, pthread_mutex_t, timespec};

use super::mutex_object::Mutex;
use super::{Deadline, wait, wake};

/// What this file keeps in a `pthread_cond_t`.
#[repr(C)]
struct Cond {
    signals: AtomicU32,
    /// The clock of timed waits; zero is CLOCK_REALTIME.
    clock: AtomicI32,
}

const _: () = assert!(size_of::<Cond>() <= size_of::<pthread_cond_t>());
const _: () =
    assert!(align_of::<Cond>() <= align_of::<pthread_cond_t>() && libc::CLOCK_REALTIME == 0);
const _: () = assert!(size_of::<pthread_condattr_t>() >= size_of::<i32>());
const _: () = assert!(align_of::<pthread_condattr_t>() >= align_of::<i32>());

/// # Safety
/// Initialised, statically or by `pthread_cond_init`.
unsafe fn of<'a>(cond: *mut pthread_cond_t) -> &'a Cond {
    // SAFETY: the caller's; all of it is atomic.
    unsafe { &*cond.cast() }
}

impl Cond {
    fn wait(&self, mutex: &Mutex, deadline: Option<Deadline>) -> c_int {
        // Read before the mutex is let go: a signal after that changes it, and the wait does not begin.
        let seen = self.signals.load(Relaxed);
        let depth = mutex.let_go();
        let result = wait(&self.signals, seen, deadline);
        match mutex.retake(depth) {
            0 => result.err().unwrap_or(0),
            errno => errno,
        }
    }

    fn signal(&self, count: c_int) -> c_int {
        self.signals.fetch_add(1, Relaxed);
        wake(&self.signals, count);
        0
    }
}

c_fn! {
    /// pthread_cond_init(3)
    fn pthread_cond_init(cond: *mut pthread_cond_t, attr: *const pthread_condattr_t) -> c_int {
        // SAFETY: the caller's place; null or initialised.
        unsafe {
            let clock = if attr.is_null() { libc::CLOCK_REALTIME } else { *attr.cast::<i32>() };
            cond.write_bytes(0, 1);
            of(cond).clock.store(clock, Relaxed);
        }
        0
    }

    /// pthread_cond_init(3)
    fn pthread_cond_destroy(_cond: *mut pthread_cond_t) -> c_int {
        0
    }

    /// pthread_cond_wait(3)
    fn pthread_cond_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int {
        of(cond).wait(Mutex::of(mutex), None)
    }

    /// pthread_cond_timedwait(3)
    fn pthread_cond_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, limit: *const timespec) -> c_int {
        let cond = of(cond);
        match Deadline::new(limit, cond.clock.load(Relaxed)) {
            Ok(deadline) => cond.wait(Mutex::of(mutex), Some(deadline)),
            Err(errno) => errno,
        }
    }

    /// pthread_cond_signal(3)
    fn pthread_cond_signal(cond: *mut pthread_cond_t) -> c_int {
        of(cond).signal(1)
    }

    /// pthread_cond_broadcast(3)
    fn pthread_cond_broadcast(cond: *mut pthread_cond_t) -> c_int {
        of(cond).signal(c_int::MAX)
    }

    /// pthread_condattr_init(3)
    fn pthread_condattr_init(attr: *mut pthread_condattr_t) -> c_int {
        attr.write_bytes(0, 1);
        attr.cast::<i32>().write(libc::CLOCK_REALTIME);
        0
    }

    /// pthread_condattr_init(3)
    fn pthread_condattr_destroy(_attr: *mut pthread_condattr_t) -> c_int {
        0
    }

    /// pthread_condattr_setclock(3): the two clocks that futex(2) knows.
    fn pthread_condattr_setclock(attr: *mut pthread_condattr_t, clock: clockid_t) -> c_int {
        if !matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC) {
            return libc::EINVAL;
        }
        attr.cast::<i32>().write(clock);
        0
    }

    /// pthread_condattr_setpshared(3): only within the process.
    fn pthread_condattr_setpshared(_attr: *mut pthread_condattr_t, shared: c_int) -> c_int {
        if shared == libc::PTHREAD_PROCESS_PRIVATE { 0 } else { libc::ENOTSUP }
    }
}
