//! Mutexes, between processes too, and robust ones (`robust.rs`). Without priorities: asking for them is ENOTSUP.

use core::sync::atomic::Ordering::*;

use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t, timespec};

use super::mutex_object::*;
use super::robust::{self, Patience};
use super::{Deadline, FREE, HELD, PRIVATE, SHARED, lock_word, me, unlock_word};

impl Mutex {
    fn tracks_owner(&self) -> bool {
        matches!(self.kind(), RECURSIVE | ERRORCHECK)
    }

    fn is_robust(&self) -> bool {
        self.kind.load(Relaxed) & IS_ROBUST != 0
    }

    fn scope(&self) -> u32 {
        match self.kind.load(Relaxed) & IS_SHARED {
            0 => PRIVATE,
            _ => SHARED,
        }
    }

    /// Deals with a lock by the thread that has it already: the result, or `None` if it must wait as anyone else.
    fn relock(&self, blocking: bool) -> Option<c_int> {
        if !self.tracks_owner() || self.owner.load(Relaxed) != me() {
            return None;
        }
        if self.kind() == ERRORCHECK {
            return Some(if blocking { libc::EDEADLK } else { libc::EBUSY });
        }
        // Only the owner touches it.
        match self.depth.load(Relaxed).checked_add(1) {
            Some(depth) => {
                self.depth.store(depth, Relaxed);
                Some(0)
            }
            None => Some(libc::EAGAIN),
        }
    }

    fn taken(&self) {
        if self.tracks_owner() {
            self.owner.store(me(), Relaxed);
        }
    }

    pub(super) fn lock(&self, deadline: Option<Deadline>) -> c_int {
        if self.is_robust() {
            return robust::lock(self, Patience::Until(deadline));
        }
        if let Some(result) = self.relock(true) {
            return result;
        }
        match lock_word(&self.word, deadline, self.scope()) {
            Ok(()) => {
                self.taken();
                0
            }
            Err(errno) => errno,
        }
    }

    fn try_lock(&self) -> c_int {
        if self.is_robust() {
            return robust::lock(self, Patience::None);
        }
        if let Some(result) = self.relock(false) {
            return result;
        }
        match self.word.compare_exchange(FREE, HELD, Acquire, Relaxed) {
            Ok(_) => {
                self.taken();
                0
            }
            Err(_) => libc::EBUSY,
        }
    }

    pub(super) fn unlock(&self) -> c_int {
        if self.is_robust() {
            return robust::unlock(self);
        }
        if self.tracks_owner() {
            if self.owner.load(Relaxed) != me() {
                return libc::EPERM;
            }
            let depth = self.depth.load(Relaxed);
            if depth > 0 {
                self.depth.store(depth - 1, Relaxed);
                return 0;
            }
            self.owner.store(0, Relaxed);
        }
        unlock_word(&self.word, self.scope());
        0
    }

    /// The owner lets go of it however often he has locked it, to wait on a condition; [`Mutex::retake`] undoes it.
    pub(super) fn let_go(&self) -> u32 {
        let depth = self.depth.swap(0, Relaxed);
        self.unlock();
        depth
    }

    /// See [`Mutex::let_go`]. The result is that of the lock, which may be that an owner died meanwhile.
    pub(super) fn retake(&self, depth: u32) -> c_int {
        let result = self.lock(None);
        self.depth.store(depth, Relaxed);
        result
    }
}

/// # Safety
/// Initialised.
unsafe fn kind_of<'a>(attr: *mut pthread_mutexattr_t) -> &'a mut i32 {
    // SAFETY: the caller's; an attribute object is at least one word.
    unsafe { &mut *attr.cast() }
}

/// Sets or clears a bit of an attribute object: `value` must be 0, or `yes`.
///
/// # Safety
/// Initialised.
unsafe fn set(attr: *mut pthread_mutexattr_t, bit: c_int, value: c_int, yes: c_int) -> c_int {
    if value != 0 && value != yes {
        return libc::EINVAL;
    }
    // SAFETY: initialised, as this function demands.
    let attr = unsafe { kind_of(attr) };
    *attr = if value == yes {
        *attr | bit
    } else {
        *attr & !bit
    };
    0
}

c_fn! {
    /// pthread_mutex_init(3)
    fn pthread_mutex_init(mutex: *mut pthread_mutex_t, attr: *const pthread_mutexattr_t) -> c_int {
        // SAFETY: the caller's place; null or initialised.
        unsafe {
            let kind = if attr.is_null() { NORMAL } else { *kind_of(attr.cast_mut()) };
            mutex.write_bytes(0, 1);
            Mutex::of(mutex).kind.store(kind, Relaxed);
        }
        0
    }

    /// pthread_mutex_destroy(3)
    fn pthread_mutex_destroy(mutex: *mut pthread_mutex_t) -> c_int {
        let mutex = Mutex::of(mutex);
        match mutex.word.load(Relaxed) {
            FREE => 0,
            _ if mutex.is_robust() => 0,
            _ => libc::EBUSY,
        }
    }

    /// pthread_mutex_consistent(3)
    fn pthread_mutex_consistent(mutex: *mut pthread_mutex_t) -> c_int {
        let mutex = Mutex::of(mutex);
        if mutex.is_robust() { robust::consistent(mutex) } else { libc::EINVAL }
    }

    /// pthread_mutex_consistent(3), by its older name.
    undeclared fn pthread_mutex_consistent_np(mutex: *mut pthread_mutex_t) -> c_int {
        pthread_mutex_consistent(mutex)
    }

    /// pthread_mutex_lock(3)
    fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int {
        Mutex::of(mutex).lock(None)
    }

    /// pthread_mutex_trylock(3)
    fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
        Mutex::of(mutex).try_lock()
    }

    /// pthread_mutex_timedlock(3)
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, limit: *const timespec) -> c_int {
        match Deadline::new(limit, libc::CLOCK_REALTIME) {
            Ok(deadline) => Mutex::of(mutex).lock(Some(deadline)),
            Err(errno) => errno,
        }
    }

    /// pthread_mutex_unlock(3)
    fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int {
        Mutex::of(mutex).unlock()
    }

    /// pthread_mutexattr_init(3)
    fn pthread_mutexattr_init(attr: *mut pthread_mutexattr_t) -> c_int {
        attr.write_bytes(0, 1);
        *kind_of(attr) = NORMAL;
        0
    }

    /// pthread_mutexattr_init(3)
    fn pthread_mutexattr_destroy(_attr: *mut pthread_mutexattr_t) -> c_int {
        0
    }

    /// pthread_mutexattr_settype(3)
    fn pthread_mutexattr_settype(attr: *mut pthread_mutexattr_t, kind: c_int) -> c_int {
        if !matches!(kind, NORMAL | RECURSIVE | ERRORCHECK | ADAPTIVE) {
            return libc::EINVAL;
        }
        let attr = kind_of(attr);
        *attr = *attr & !KIND | kind;
        0
    }

    /// pthread_mutexattr_gettype(3)
    undeclared fn pthread_mutexattr_gettype(attr: *const pthread_mutexattr_t, kind: *mut c_int) -> c_int {
        *kind = *kind_of(attr.cast_mut()) & KIND;
        0
    }

    /// pthread_mutexattr_setpshared(3)
    fn pthread_mutexattr_setpshared(attr: *mut pthread_mutexattr_t, shared: c_int) -> c_int {
        set(attr, IS_SHARED, shared, libc::PTHREAD_PROCESS_SHARED)
    }

    /// pthread_mutexattr_getpshared(3)
    fn pthread_mutexattr_getpshared(attr: *const pthread_mutexattr_t, shared: *mut c_int) -> c_int {
        *shared = (*kind_of(attr.cast_mut()) & IS_SHARED != 0).into();
        0
    }

    /// pthread_mutexattr_setrobust(3)
    fn pthread_mutexattr_setrobust(attr: *mut pthread_mutexattr_t, robust: c_int) -> c_int {
        set(attr, IS_ROBUST, robust, libc::PTHREAD_MUTEX_ROBUST)
    }

    /// pthread_mutexattr_getrobust(3)
    fn pthread_mutexattr_getrobust(attr: *const pthread_mutexattr_t, robust: *mut c_int) -> c_int {
        *robust = (*kind_of(attr.cast_mut()) & IS_ROBUST != 0).into();
        0
    }

    /// pthread_mutexattr_setrobust(3), by its older name.
    undeclared fn pthread_mutexattr_setrobust_np(attr: *mut pthread_mutexattr_t, robust: c_int) -> c_int {
        pthread_mutexattr_setrobust(attr, robust)
    }

    /// pthread_mutexattr_getrobust(3), by its older name.
    undeclared fn pthread_mutexattr_getrobust_np(attr: *const pthread_mutexattr_t, robust: *mut c_int) -> c_int {
        pthread_mutexattr_getrobust(attr, robust)
    }
}
