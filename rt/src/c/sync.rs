//! Mutexes, conditions, read-write locks and the rest of pthread.h's means of waiting for each other, on futexes
//! (futex(2)). The types are kept in the C library's, whose static initialisers are all zero but for the kind of a mutex.
//!
//! Rust's std needs none of it on Linux; C code in crates does.

use core::sync::atomic::{AtomicU32, Ordering::*};

use libc::{c_int, timespec};

use crate::c::define::about_to_wait;
use crate::sys;
use linux_raw_sys::general::*;

pub mod cond;
pub mod mutex;
mod mutex_object;
pub mod once;
mod robust;
pub mod rwlock;
pub mod semaphore;

/// Until when to wait.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    time: timespec,
    clock: c_int,
}

impl Deadline {
    /// A moment on a clock.
    ///
    /// # Safety
    /// `time` must be readable.
    unsafe fn new(time: *const timespec, clock: c_int) -> Result<Self, c_int> {
        // SAFETY: `time` is readable, as this function demands.
        let time = unsafe { *time };
        match (0..1_000_000_000).contains(&time.tv_nsec) {
            true => Ok(Deadline { time, clock }),
            false => Err(libc::EINVAL),
        }
    }
}

/// Who may sleep on a word: threads of this process, or of others too, and the kernel may wake them.
const PRIVATE: u32 = FUTEX_PRIVATE_FLAG;
const SHARED: u32 = 0;

/// Sleeps while `*word == value`, at most until the deadline: then the error is ETIMEDOUT. Otherwise it may return early.
fn wait(word: &AtomicU32, value: u32, deadline: Option<Deadline>) -> Result<(), c_int> {
    wait_in(word, value, deadline, PRIVATE)
}

/// [`wait`], on a word of that scope.
fn wait_in(
    word: &AtomicU32,
    value: u32,
    deadline: Option<Deadline>,
    scope: u32,
) -> Result<(), c_int> {
    // FUTEX_WAIT_BITSET, unlike FUTEX_WAIT, has its limit as a moment.
    let mut operation = FUTEX_WAIT_BITSET | scope;
    let limit = match &deadline {
        None => core::ptr::null(),
        Some(deadline) => {
            // Before 1970 is past; the kernel would call it invalid.
            if deadline.time.tv_sec < 0 {
                return Err(libc::ETIMEDOUT);
            }
            if deadline.clock == libc::CLOCK_REALTIME {
                operation |= FUTEX_CLOCK_REALTIME;
            }
            &raw const deadline.time
        }
    };
    about_to_wait();
    loop {
        // SAFETY: a valid word; null or a limit of our own.
        let result = unsafe {
            syscall!(
                __NR_futex,
                word.as_ptr(),
                operation,
                value,
                limit,
                0usize,
                FUTEX_BITSET_MATCH_ANY
            )
        };
        match sys::check(result) {
            // Go's signals are none of the library's business, and some of it takes every end of a wait for a signal.
            Err(libc::EINTR) => {}
            Err(libc::ETIMEDOUT) => return Err(libc::ETIMEDOUT),
            _ => return Ok(()),
        }
    }
}

/// Wakes up to `count` threads that sleep on the word.
fn wake(word: &AtomicU32, count: c_int) {
    wake_in(word, count, PRIVATE);
}

/// [`wake`], on a word of that scope.
fn wake_in(word: &AtomicU32, count: c_int, scope: u32) {
    // SAFETY: a valid word.
    unsafe { syscall!(__NR_futex, word.as_ptr(), FUTEX_WAKE | scope, count) };
}

/// Whom a lock belongs to: a number that no other thread has.
fn me() -> i32 {
    // The record's address would do as well, but a lock has only 32 bits for it.
    // SAFETY: no arguments.
    unsafe { syscall!(__NR_gettid) as i32 }
}

/// The three-state lock word of [`mutex`] and [`rwlock`]: free, held, held and waited for.
const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED: u32 = 2;

/// Takes a lock word.
fn lock_word(word: &AtomicU32, deadline: Option<Deadline>, scope: u32) -> Result<(), c_int> {
    if word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok() {
        return Ok(());
    }
    for _ in 0..100 {
        if word.load(Relaxed) == FREE && word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
        {
            return Ok(());
        }
        core::hint::spin_loop();
    }
    // From here on the word says that someone may sleep: this thread cannot know of others.
    while word.swap(WAITED, Acquire) != FREE {
        wait_in(word, WAITED, deadline, scope)?;
    }
    Ok(())
}

fn unlock_word(word: &AtomicU32, scope: u32) {
    if word.swap(FREE, Release) == WAITED {
        wake_in(word, 1, scope);
    }
}

#[cfg(test)]
mod tests;
