//! Mutexes. Not between processes, not robust, without priorities: asking for that is ENOTSUP.

use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::*};

use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t, timespec};

use super::{Deadline, FREE, HELD, lock_word, me, unlock_word};

/// What this file keeps in a `pthread_mutex_t`. The kind lies where glibc has it, since static initialisers set it
/// (PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP and its kin; `struct __pthread_mutex_s`, `__kind`).
#[repr(C)]
pub(super) struct Mutex {
    word: AtomicU32,
    /// How often the owner has locked it, beyond the first time.
    depth: AtomicU32,
    owner: AtomicI32,
    unused: u32,
    kind: AtomicI32,
}

const _: () = assert!(size_of::<Mutex>() <= size_of::<pthread_mutex_t>());
const _: () = assert!(align_of::<Mutex>() <= align_of::<pthread_mutex_t>());
const _: () = assert!(core::mem::offset_of!(Mutex, kind) == 16);
const _: () = assert!(size_of::<pthread_mutexattr_t>() >= size_of::<i32>());

/// The kinds; glibc's adaptive one is a normal one.
const NORMAL: c_int = libc::PTHREAD_MUTEX_NORMAL;
const RECURSIVE: c_int = libc::PTHREAD_MUTEX_RECURSIVE;
const ERRORCHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
const ADAPTIVE: c_int = 3;

impl Mutex {
    /// # Safety
    /// Initialised, statically or by `pthread_mutex_init`.
    pub(super) unsafe fn of<'a>(mutex: *mut pthread_mutex_t) -> &'a Mutex {
        // SAFETY: the caller's; all of it is atomic.
        unsafe { &*mutex.cast() }
    }

    fn tracks_owner(&self) -> bool {
        matches!(self.kind.load(Relaxed), RECURSIVE | ERRORCHECK)
    }

    /// Deals with a lock by the thread that has it already: the result, or `None` if it must wait as anyone else.
    fn relock(&self, blocking: bool) -> Option<c_int> {
        if !self.tracks_owner() || self.owner.load(Relaxed) != me() {
            return None;
        }
        if self.kind.load(Relaxed) == ERRORCHECK {
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
        if let Some(result) = self.relock(true) {
            return result;
        }
        match lock_word(&self.word, deadline) {
            Ok(()) => {
                self.taken();
                0
            }
            Err(errno) => errno,
        }
    }

    fn try_lock(&self) -> c_int {
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
        unlock_word(&self.word);
        0
    }

    /// The owner lets go of it however often he has locked it, to wait on a condition; [`Mutex::retake`] undoes it.
    pub(super) fn let_go(&self) -> u32 {
        let depth = self.depth.swap(0, Relaxed);
        self.unlock();
        depth
    }

    /// See [`Mutex::let_go`].
    pub(super) fn retake(&self, depth: u32) {
        self.lock(None);
        self.depth.store(depth, Relaxed);
    }
}

/// # Safety
/// Initialised.
unsafe fn kind_of<'a>(attr: *mut pthread_mutexattr_t) -> &'a mut i32 {
    // SAFETY: the caller's; an attribute object is at least one word.
    unsafe { &mut *attr.cast() }
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
        // SAFETY: the caller's.
        match unsafe { Mutex::of(mutex) }.word.load(Relaxed) {
            FREE => 0,
            _ => libc::EBUSY,
        }
    }

    /// pthread_mutex_lock(3)
    fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int {
        // SAFETY: the caller's.
        unsafe { Mutex::of(mutex) }.lock(None)
    }

    /// pthread_mutex_trylock(3)
    fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
        // SAFETY: the caller's.
        unsafe { Mutex::of(mutex) }.try_lock()
    }

    /// pthread_mutex_timedlock(3)
    fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, limit: *const timespec) -> c_int {
        // SAFETY: the caller's.
        unsafe {
            match Deadline::new(limit, libc::CLOCK_REALTIME) {
                Ok(deadline) => Mutex::of(mutex).lock(Some(deadline)),
                Err(errno) => errno,
            }
        }
    }

    /// pthread_mutex_unlock(3)
    fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int {
        // SAFETY: the caller's.
        unsafe { Mutex::of(mutex) }.unlock()
    }

    /// pthread_mutexattr_init(3)
    fn pthread_mutexattr_init(attr: *mut pthread_mutexattr_t) -> c_int {
        // SAFETY: the caller's place.
        unsafe {
            attr.write_bytes(0, 1);
            *kind_of(attr) = NORMAL;
        }
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
        // SAFETY: the caller's.
        unsafe { *kind_of(attr) = kind };
        0
    }

    /// pthread_mutexattr_gettype(3)
    undeclared fn pthread_mutexattr_gettype(attr: *const pthread_mutexattr_t, kind: *mut c_int) -> c_int {
        // SAFETY: the caller's.
        unsafe { *kind = *kind_of(attr.cast_mut()) };
        0
    }

    /// pthread_mutexattr_setpshared(3): only within the process.
    fn pthread_mutexattr_setpshared(_attr: *mut pthread_mutexattr_t, shared: c_int) -> c_int {
        if shared == libc::PTHREAD_PROCESS_PRIVATE { 0 } else { libc::ENOTSUP }
    }
}
