//! Read-write locks. Writers go first: a reader waits while one waits, unless it is woken by one.

use core::sync::atomic::{AtomicU32, Ordering::*};

use libc::{c_int, pthread_rwlock_t, pthread_rwlockattr_t, timespec};

use super::{Deadline, wait, wake};

/// What this file keeps in a `pthread_rwlock_t`.
#[repr(C)]
struct RwLock {
    /// Readers, or `WRITER`.
    state: AtomicU32,
    /// Goes up whenever the lock becomes free; all who wait sleep on it.
    freed: AtomicU32,
    /// Threads that wait, readers and writers.
    waiting: AtomicU32,
    waiting_writers: AtomicU32,
}

const WRITER: u32 = u32::MAX;
const READERS_MAX: u32 = u32::MAX - 1;

const _: () = assert!(size_of::<RwLock>() <= size_of::<pthread_rwlock_t>());
const _: () = assert!(align_of::<RwLock>() <= align_of::<pthread_rwlock_t>());

/// # Safety
/// Initialised, statically (all zero) or by `pthread_rwlock_init`.
unsafe fn of<'a>(lock: *mut pthread_rwlock_t) -> &'a RwLock {
    // SAFETY: the caller's; all of it is atomic.
    unsafe { &*lock.cast() }
}

impl RwLock {
    fn try_read(&self, after_writers: bool) -> c_int {
        let mut state = self.state.load(Relaxed);
        loop {
            // A thread that reads already may read again (POSIX has that as a right): it cannot be told from others,
            // so that writers go first only while nobody reads.
            if state == WRITER
                || after_writers && state == 0 && self.waiting_writers.load(Relaxed) > 0
            {
                return libc::EBUSY;
            }
            if state == READERS_MAX {
                return libc::EAGAIN;
            }
            match self
                .state
                .compare_exchange_weak(state, state + 1, Acquire, Relaxed)
            {
                Ok(_) => return 0,
                Err(now) => state = now,
            }
        }
    }

    fn try_write(&self) -> c_int {
        match self.state.compare_exchange(0, WRITER, Acquire, Relaxed) {
            Ok(_) => 0,
            Err(_) => libc::EBUSY,
        }
    }

    /// Tries until it is something else than busy, or the deadline has come.
    fn take(&self, deadline: Option<Deadline>, attempt: impl Fn() -> c_int) -> c_int {
        match attempt() {
            libc::EBUSY => {}
            result => return result,
        }
        self.waiting.fetch_add(1, SeqCst);
        let result = loop {
            // Read before the attempt: if the lock becomes free after it, this has changed and the wait does not begin.
            let seen = self.freed.load(SeqCst);
            match attempt() {
                libc::EBUSY => {}
                result => break result,
            }
            if let Err(errno) = wait(&self.freed, seen, deadline) {
                break errno;
            }
        };
        self.waiting.fetch_sub(1, SeqCst);
        result
    }

    fn read(&self, deadline: Option<Deadline>) -> c_int {
        self.take(deadline, || self.try_read(true))
    }

    fn write(&self, deadline: Option<Deadline>) -> c_int {
        if self.try_write() == 0 {
            return 0;
        }
        self.waiting_writers.fetch_add(1, SeqCst);
        let result = self.take(deadline, || self.try_write());
        // A writer that gives up lets readers in that waited for it.
        if self.waiting_writers.fetch_sub(1, SeqCst) == 1 && result != 0 {
            self.announce();
        }
        result
    }

    fn unlock(&self) -> c_int {
        let free = match self.state.load(Relaxed) {
            WRITER => {
                self.state.store(0, SeqCst);
                true
            }
            _ => self.state.fetch_sub(1, SeqCst) == 1,
        };
        if free {
            self.announce();
        }
        0
    }

    fn announce(&self) {
        self.freed.fetch_add(1, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            wake(&self.freed, c_int::MAX);
        }
    }
}

c_fn! {
    /// pthread_rwlock_init(3)
    fn pthread_rwlock_init(lock: *mut pthread_rwlock_t, _attr: *const pthread_rwlockattr_t) -> c_int {
        lock.write_bytes(0, 1);
        0
    }

    /// pthread_rwlock_init(3)
    fn pthread_rwlock_destroy(_lock: *mut pthread_rwlock_t) -> c_int {
        0
    }

    /// pthread_rwlock_rdlock(3)
    fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int {
        of(lock).read(None)
    }

    /// pthread_rwlock_rdlock(3)
    fn pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t) -> c_int {
        of(lock).try_read(false)
    }

    /// pthread_rwlock_timedrdlock(3)
    undeclared fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, limit: *const timespec) -> c_int {
        Deadline::new(limit, libc::CLOCK_REALTIME).map_or_else(|e| e, |at| of(lock).read(Some(at)))
    }

    /// pthread_rwlock_wrlock(3)
    fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int {
        of(lock).write(None)
    }

    /// pthread_rwlock_wrlock(3)
    fn pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t) -> c_int {
        of(lock).try_write()
    }

    /// pthread_rwlock_timedwrlock(3)
    undeclared fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, limit: *const timespec) -> c_int {
        Deadline::new(limit, libc::CLOCK_REALTIME).map_or_else(|e| e, |at| of(lock).write(Some(at)))
    }

    /// pthread_rwlock_unlock(3)
    fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int {
        of(lock).unlock()
    }

    /// pthread_rwlockattr_init(3)
    fn pthread_rwlockattr_init(attr: *mut pthread_rwlockattr_t) -> c_int {
        attr.write_bytes(0, 1);
        0
    }

    /// pthread_rwlockattr_init(3)
    fn pthread_rwlockattr_destroy(_attr: *mut pthread_rwlockattr_t) -> c_int {
        0
    }
}
