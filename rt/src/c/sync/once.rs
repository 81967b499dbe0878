//! pthread_once, spin locks and barriers.

use core::sync::atomic::{AtomicU32, Ordering::*};

use libc::{c_int, c_uint, pthread_barrier_t, pthread_barrierattr_t, pthread_spinlock_t};

use super::{FREE, HELD, PRIVATE, lock_word, unlock_word, wait, wake};

const FRESH: u32 = 0;
const RUNNING: u32 = 1;
/// As `RUNNING`, and someone sleeps on the word.
const WAITED: u32 = 2;
const DONE: u32 = 3;

c_fn! {
    /// pthread_once(3)
    undeclared fn pthread_once(once: *mut c_int, f: extern "C" fn()) -> c_int {
        // SAFETY: the caller's word, zero at first.
        let word = unsafe { AtomicU32::from_ptr(once.cast()) };
        loop {
            match word.compare_exchange(FRESH, RUNNING, Acquire, Acquire) {
                Ok(_) => {
                    f();
                    if word.swap(DONE, Release) == WAITED {
                        wake(word, c_int::MAX);
                    }
                    return 0;
                }
                Err(DONE) => return 0,
                Err(RUNNING) => {
                    let _ = word.compare_exchange(RUNNING, WAITED, Relaxed, Relaxed);
                }
                Err(_) => {
                    let _ = wait(word, WAITED, None);
                }
            }
        }
    }

    /// pthread_spin_init(3)
    fn pthread_spin_init(lock: *mut pthread_spinlock_t, shared: c_int) -> c_int {
        if shared != libc::PTHREAD_PROCESS_PRIVATE {
            return libc::ENOTSUP;
        }
        lock.cast::<u32>().write(FREE);
        0
    }

    /// pthread_spin_init(3)
    fn pthread_spin_destroy(_lock: *mut pthread_spinlock_t) -> c_int {
        0
    }

    /// pthread_spin_lock(3): it sleeps after a while, since a thread that spins on a goroutine's time helps nobody.
    fn pthread_spin_lock(lock: *mut pthread_spinlock_t) -> c_int {
        // SAFETY: the caller's word. Without a deadline it cannot fail.
        lock_word(unsafe { AtomicU32::from_ptr(lock.cast()) }, None, PRIVATE).err().unwrap_or(0)
    }

    /// pthread_spin_lock(3)
    fn pthread_spin_trylock(lock: *mut pthread_spinlock_t) -> c_int {
        match AtomicU32::from_ptr(lock.cast()).compare_exchange(FREE, HELD, Acquire, Relaxed) {
            Ok(_) => 0,
            Err(_) => libc::EBUSY,
        }
    }

    /// pthread_spin_lock(3)
    fn pthread_spin_unlock(lock: *mut pthread_spinlock_t) -> c_int {
        unlock_word(AtomicU32::from_ptr(lock.cast()), PRIVATE);
        0
    }

    /// pthread_barrier_init(3)
    fn pthread_barrier_init(barrier: *mut pthread_barrier_t, attr: *const pthread_barrierattr_t, count: c_uint) -> c_int {
        if count == 0 {
            return libc::EINVAL;
        }
        // Between processes is the one thing that could be asked for.
        // SAFETY: null or initialised; the caller's place, large enough (below).
        unsafe {
            if !attr.is_null() && *attr.cast::<c_int>() != libc::PTHREAD_PROCESS_PRIVATE {
                return libc::ENOTSUP;
            }
            barrier.write_bytes(0, 1);
            (*barrier.cast::<Barrier>()).count = count;
        }
        0
    }

    /// pthread_barrier_init(3)
    fn pthread_barrier_destroy(barrier: *mut pthread_barrier_t) -> c_int {
        // Threads of the last round may still be on their way out: the lock is theirs until then.
        let barrier = &*barrier.cast::<Barrier>();
        while barrier.leaving.load(Acquire) != 0 {
            core::hint::spin_loop();
        }
        0
    }

    /// pthread_barrier_wait(3)
    fn pthread_barrier_wait(barrier: *mut pthread_barrier_t) -> c_int {
        (&*barrier.cast::<Barrier>()).wait()
    }
}

/// What this file keeps in a `pthread_barrier_t`.
#[repr(C)]
struct Barrier {
    count: u32,
    /// Threads that have come in this round.
    arrived: AtomicU32,
    round: AtomicU32,
    /// Threads of earlier rounds that still look at this memory.
    leaving: AtomicU32,
}

const _: () = assert!(size_of::<Barrier>() <= size_of::<pthread_barrier_t>());
const _: () = assert!(align_of::<Barrier>() <= align_of::<pthread_barrier_t>());

impl Barrier {
    fn wait(&self) -> c_int {
        let round = self.round.load(Acquire);
        self.leaving.fetch_add(1, AcqRel);
        let last = self.arrived.fetch_add(1, AcqRel) + 1 == self.count;
        if last {
            // Nobody can come in for the next round before it begins: all of this one are here.
            self.arrived.store(0, Relaxed);
            self.round.fetch_add(1, Release);
            wake(&self.round, c_int::MAX);
        } else {
            while self.round.load(Acquire) == round {
                let _ = wait(&self.round, round, None);
            }
        }
        self.leaving.fetch_sub(1, Release);
        if last {
            libc::PTHREAD_BARRIER_SERIAL_THREAD
        } else {
            0
        }
    }
}
