//! threads.h of C11, on the functions of pthread.h. The types are glibc's, which are those of pthread.h by other names.

use core::mem::MaybeUninit;

use libc::{c_int, c_uint, c_void, pthread_cond_t, pthread_mutex_t, pthread_mutexattr_t, timespec};

use super::sync::cond::*;
use super::sync::mutex::*;
use super::sync::once::*;
use super::thread::keys::*;

/// The results (glibc's threads.h).
const SUCCESS: c_int = 0;
const BUSY: c_int = 1;
const ERROR: c_int = 2;
const NO_MEMORY: c_int = 3;
const TIMED_OUT: c_int = 4;

/// A bit of a mutex's type.
const RECURSIVE_TYPE: c_int = 1;

/// `TIME_UTC`, the only base that there is.
const UTC: c_int = 1;

fn result(errno: c_int) -> c_int {
    match errno {
        0 => SUCCESS,
        libc::EBUSY => BUSY,
        libc::ENOMEM => NO_MEMORY,
        libc::ETIMEDOUT => TIMED_OUT,
        _ => ERROR,
    }
}

c_fn! {
    /// mtx_init: mutexes without an error check; all have time limits.
    undeclared fn mtx_init(mutex: *mut pthread_mutex_t, kind: c_int) -> c_int {
        // SAFETY: a place of our own, and the caller's.
        unsafe {
            let mut attr = MaybeUninit::<pthread_mutexattr_t>::uninit();
            pthread_mutexattr_init(attr.as_mut_ptr());
            if kind & RECURSIVE_TYPE != 0 {
                pthread_mutexattr_settype(attr.as_mut_ptr(), libc::PTHREAD_MUTEX_RECURSIVE);
            }
            result(pthread_mutex_init(mutex, attr.as_ptr()))
        }
    }

    /// mtx_destroy
    undeclared fn mtx_destroy(mutex: *mut pthread_mutex_t) {
        pthread_mutex_destroy(mutex);
    }

    /// mtx_lock
    undeclared fn mtx_lock(mutex: *mut pthread_mutex_t) -> c_int {
        result(pthread_mutex_lock(mutex))
    }

    /// mtx_timedlock
    undeclared fn mtx_timedlock(mutex: *mut pthread_mutex_t, limit: *const timespec) -> c_int {
        result(pthread_mutex_timedlock(mutex, limit))
    }

    /// mtx_trylock
    undeclared fn mtx_trylock(mutex: *mut pthread_mutex_t) -> c_int {
        result(pthread_mutex_trylock(mutex))
    }

    /// mtx_unlock
    undeclared fn mtx_unlock(mutex: *mut pthread_mutex_t) -> c_int {
        result(pthread_mutex_unlock(mutex))
    }

    /// cnd_init
    undeclared fn cnd_init(cond: *mut pthread_cond_t) -> c_int {
        result(pthread_cond_init(cond, core::ptr::null()))
    }

    /// cnd_destroy
    undeclared fn cnd_destroy(cond: *mut pthread_cond_t) {
        pthread_cond_destroy(cond);
    }

    /// cnd_signal
    undeclared fn cnd_signal(cond: *mut pthread_cond_t) -> c_int {
        result(pthread_cond_signal(cond))
    }

    /// cnd_broadcast
    undeclared fn cnd_broadcast(cond: *mut pthread_cond_t) -> c_int {
        result(pthread_cond_broadcast(cond))
    }

    /// cnd_wait
    undeclared fn cnd_wait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int {
        result(pthread_cond_wait(cond, mutex))
    }

    /// cnd_timedwait
    undeclared fn cnd_timedwait(cond: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, limit: *const timespec) -> c_int {
        result(pthread_cond_timedwait(cond, mutex, limit))
    }

    /// call_once
    undeclared fn call_once(flag: *mut libc::pthread_once_t, run: extern "C" fn()) {
        pthread_once(flag, run);
    }

    /// tss_create
    undeclared fn tss_create(to: *mut c_uint, destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int {
        result(pthread_key_create(to, destructor))
    }

    /// tss_delete
    undeclared fn tss_delete(key: c_uint) {
        // SAFETY: a number.
        unsafe { pthread_key_delete(key) };
    }

    /// tss_get
    undeclared fn tss_get(key: c_uint) -> *mut c_void {
        // SAFETY: a number.
        unsafe { pthread_getspecific(key) }
    }

    /// tss_set
    undeclared fn tss_set(key: c_uint, value: *mut c_void) -> c_int {
        // SAFETY: a number.
        result(unsafe { pthread_setspecific(key, value) })
    }

    /// thrd_current
    undeclared fn thrd_current() -> libc::pthread_t {
        // SAFETY: no arguments.
        unsafe { super::thread::pthread_self() }
    }

    /// thrd_equal
    undeclared fn thrd_equal(a: libc::pthread_t, b: libc::pthread_t) -> c_int {
        (a == b).into()
    }

    /// thrd_sleep: 0, -1 after a signal, or less.
    undeclared fn thrd_sleep(wanted: *const timespec, left: *mut timespec) -> c_int {
        match super::time::clock_nanosleep(libc::CLOCK_REALTIME, 0, wanted, left) {
            0 => 0,
            libc::EINTR => -1,
            _ => -2,
        }
    }

    /// thrd_yield
    undeclared fn thrd_yield() {
        // SAFETY: no arguments.
        unsafe { super::sched::sched_yield() };
    }

    /// timespec_get: the base, or 0 if there is none of that number.
    undeclared fn timespec_get(to: *mut timespec, base: c_int) -> c_int {
        match base == UTC && super::time::clock_gettime(libc::CLOCK_REALTIME, to) == 0 {
            true => base,
            false => 0,
        }
    }
}

#[cfg(not(test))]
c_fn! {
    /// thrd_create. The function's result is an `int`, which is the lower half of the word that pthread.h's functions give.
    undeclared fn thrd_create(
        to: *mut libc::pthread_t,
        run: extern "C" fn(*mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int {
        // SAFETY: the caller's. Only the lower half of the result is looked at, in `thrd_join`.
        unsafe {
            let run = core::mem::transmute::<
                extern "C" fn(*mut c_void) -> c_int,
                extern "C" fn(*mut c_void) -> *mut c_void,
            >(run);
            result(libc::pthread_create(to, core::ptr::null(), run, argument))
        }
    }

    /// thrd_join
    undeclared fn thrd_join(thread: libc::pthread_t, to: *mut c_int) -> c_int {
        let mut value = core::ptr::null_mut();
        let joined = super::thread::pthread_join(thread, &mut value);
        if joined == 0 && !to.is_null() {
            *to = value as c_int;
        }
        result(joined)
    }

    /// thrd_detach
    undeclared fn thrd_detach(thread: libc::pthread_t) -> c_int {
        result(super::thread::pthread_detach(thread))
    }

    /// thrd_exit
    undeclared fn thrd_exit(value: c_int) -> ! {
        // SAFETY: the calling thread is one that was made for it.
        unsafe { libc::pthread_exit(value as usize as *mut c_void) }
    }
}
