//! A lock for short critical sections: it spins for a moment, then waits in the kernel.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering::*};

use crate::arch::stack::probe_stack;
use crate::sys;

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and someone may be asleep.
const WAITED: u32 = 2;

/// Stack that the holder of a lock may need.
const STACK_NEEDED: usize = 8 * 1024;

/// Rounds of spinning before a thread goes to sleep.
const SPINS: u32 = 100;

/// A value that one thread at a time may use.
pub struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands the value to one thread at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The right to use the value; given back on drop.
pub struct Guard<'a, T>(&'a Lock<T>);

impl<T> Lock<T> {
    /// A free lock.
    pub const fn new(value: T) -> Self {
        Lock {
            state: AtomicU32::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the value. A thread that is about to run out of stack does so before it has the lock, which would stay locked.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        probe_stack::<STACK_NEEDED>();
        if self
            .state
            .compare_exchange(FREE, HELD, Acquire, Relaxed)
            .is_err()
        {
            self.lock_slow();
        }
        Guard(self)
    }

    /// The value, unless another thread has it.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        probe_stack::<STACK_NEEDED>();
        let taken = self.state.compare_exchange(FREE, HELD, Acquire, Relaxed);
        taken.ok().map(|_| Guard(self))
    }

    #[cold]
    #[inline(never)]
    fn lock_slow(&self) {
        for _ in 0..SPINS {
            if self.state.load(Relaxed) == FREE
                && self
                    .state
                    .compare_exchange(FREE, HELD, Acquire, Relaxed)
                    .is_ok()
            {
                return;
            }
            core::hint::spin_loop();
        }
        // From here on the state says that someone may sleep, even if this thread gets the lock at once: it cannot know of others.
        while self.state.swap(WAITED, Acquire) != FREE {
            sys::futex_wait(&self.state, WAITED);
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the right to use it.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is the right to use it, and is borrowed for the time.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.state.swap(FREE, Release) == WAITED {
            sys::futex_wake(&self.0.state, 1);
        }
    }
}
