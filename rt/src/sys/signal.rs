//! Signals as the kernel has them: actions and masks.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering::*};

use libc::siginfo_t;
use linux_raw_sys::general::*;

use super::{check, syscall0, syscall3, syscall4};
use crate::arch::handler::hand_on;

/// Bytes of the kernel's set of signals.
pub const SET_SIZE: usize = size_of::<u64>();

/// Signals have the numbers 1 to 64.
pub const SIGNALS: i32 = 64;

/// The signals of faults, those that an instruction causes (signal(7)).
pub const FAULTS: [u32; 5] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP];

/// [`FAULTS`] as a set of the kernel's.
pub const FAULT_SET: u64 = {
    let (mut set, mut at) = (0, 0);
    while at < FAULTS.len() {
        set |= bit(FAULTS[at]);
        at += 1;
    }
    set
};

/// A signal as a set of the kernel's.
pub const fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// The kernel's `struct sigaction`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Action {
    /// A function, or SIG_DFL or SIG_IGN.
    pub handler: usize,
    /// `SA_*`
    pub flags: usize,
    /// Where a handler returns to.
    pub restorer: usize,
    /// What is blocked while it runs.
    pub mask: u64,
}

impl Action {
    /// SIG_DFL
    pub const DEFAULT: Action = Action {
        handler: 0,
        flags: 0,
        restorer: 0,
        mask: 0,
    };

    /// Whether it is a function.
    pub fn is_handler(&self) -> bool {
        const SIG_IGN: usize = 1;
        self.handler > SIG_IGN
    }
}

/// rt_sigaction(2): sets the action of a signal, gives the one that stood there, or both, in one step.
///
/// # Safety
/// `old` must be null or writable. The process must bear the new action: a handler must be one.
pub unsafe fn sigaction(signal: i32, new: Option<&Action>, old: *mut Action) -> Result<(), i32> {
    let new = new.map_or(0, |a| core::ptr::from_ref(a) as usize);
    // SAFETY: null or structs of the kernel's shape; what they say is the caller's to answer for.
    let result = unsafe {
        syscall4(
            __NR_rt_sigaction,
            signal as usize,
            new,
            old as usize,
            SET_SIZE,
        )
    };
    check(result).map(|_| ())
}

/// The action that a handler of ours took the place of.
pub struct Before {
    action: UnsafeCell<Action>,
    known: AtomicBool,
}

// SAFETY: written once, by `replace`, and not read before `known` says so.
unsafe impl Sync for Before {}

impl Before {
    /// None yet.
    pub const fn unknown() -> Self {
        Before {
            action: UnsafeCell::new(Action::DEFAULT),
            known: AtomicBool::new(false),
        }
    }

    /// Puts a handler in place, once; it must hand on whatever is not the library's. What stood there is learnt in the step that replaces it: another image
    /// may do the same at this moment, and if both had seen Go's handler, the first of them would be left out. The calling thread has the signal blocked.
    pub fn replace(&self, signal: i32, new: &Action) {
        // SAFETY: by the caller's word; a place that nobody reads yet. It cannot fail for a signal that has a handler.
        let _ = unsafe { sigaction(signal, Some(new), self.action.get()) };
        self.known.store(true, Release);
    }

    /// Hands a signal to whoever stood there before: Go, or another image. Gives what stood there if it was no handler.
    ///
    /// # Safety
    /// The arguments of a handler.
    pub unsafe fn hand_on(
        &self,
        signal: c_int,
        info: *mut siginfo_t,
        context: *mut c_void,
    ) -> Option<&Action> {
        while !self.known.load(Acquire) {
            core::hint::spin_loop();
        }
        // SAFETY: complete, and written no more.
        let before = unsafe { &*self.action.get() };
        if !before.is_handler() {
            return Some(before);
        }
        let next = before.handler;
        if before.flags & SA_SIGINFO as usize != 0 {
            // SAFETY: a handler of that shape, and what the kernel gave.
            unsafe { hand_on(next, signal, info, context) }
        } else {
            // SAFETY: as above.
            let next: unsafe extern "C" fn(c_int) = unsafe { core::mem::transmute(next) };
            // SAFETY: as above.
            unsafe { next(signal) }
        }
        None
    }
}

/// What happens on a signal now; None if there is no such signal.
pub fn action_of(signal: i32) -> Option<Action> {
    let mut action = Action::DEFAULT;
    // SAFETY: only asks; a place of our own.
    let asked = unsafe { sigaction(signal, None, &mut action) };
    asked.ok().map(|()| action)
}

/// rt_sigprocmask(2): changes the mask of the calling thread, if there is a `set`, and says what it was.
pub fn change_mask(how: u32, set: Option<u64>) -> Result<u64, i32> {
    let mut was = 0u64;
    let new = set
        .as_ref()
        .map_or(0, |set| core::ptr::from_ref(set) as usize);
    // SAFETY: null or a value of our own, and a place of our own.
    let result = unsafe {
        syscall4(
            __NR_rt_sigprocmask,
            how as usize,
            new,
            (&raw mut was) as usize,
            SET_SIZE,
        )
    };
    check(result).map(|_| was)
}

/// Sends a signal to the calling thread (raise(3)); gives what tgkill(2) gives.
pub fn raise(signal: i32) -> isize {
    // SAFETY: plain numbers.
    unsafe {
        let (process, thread) = (syscall0(__NR_getpid), syscall0(__NR_gettid));
        syscall3(
            __NR_tgkill,
            process as usize,
            thread as usize,
            signal as usize,
        )
    }
}

/// Signals are blocked in the calling thread while this value lives.
pub struct Blocked(Option<u64>);

impl Blocked {
    /// Those in `set`, as far as they can be blocked.
    pub fn these(set: u64) -> Self {
        // Cannot fail with these arguments.
        Blocked(change_mask(SIG_BLOCK, Some(set)).ok())
    }

    /// All that can be blocked.
    pub fn all() -> Self {
        Self::these(u64::MAX)
    }

    /// Go's signals to threads that are in its way. Its signal to every thread at a change of user (runtime/signal_unix.go,
    /// `sigPerThreadSyscall`) is let through: Go waits for the answers.
    pub fn gos() -> Self {
        Self::these(1 << (SIGURG - 1) | 1 << (SIGPROF - 1))
    }

    /// The mask as it was before.
    pub fn before(&self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if self.0.is_some() {
            let _ = change_mask(SIG_SETMASK, self.0);
        }
    }
}
