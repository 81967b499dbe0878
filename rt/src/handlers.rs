//! Taking over a signal from whoever has it: Go, or another image of a Rust library.

use core::sync::atomic::AtomicUsize;

use linux_raw_sys::general::{__NR_rt_sigaction, __NR_rt_sigprocmask, SIG_BLOCK, SIG_SETMASK};

use crate::sys;

/// The kernel's `struct sigaction`.
#[repr(C)]
#[derive(Default)]
pub(crate) struct Action {
    pub(crate) handler: AtomicUsize,
    pub(crate) flags: AtomicUsize,
    pub(crate) restorer: AtomicUsize,
    pub(crate) mask: AtomicUsize,
}

impl Action {
    pub(crate) const fn new(handler: usize, flags: u32, restorer: usize) -> Action {
        Action {
            handler: AtomicUsize::new(handler),
            flags: AtomicUsize::new(flags as usize),
            restorer: AtomicUsize::new(restorer),
            mask: AtomicUsize::new(usize::MAX),
        }
    }
}

/// Sets the action of a signal, gives the one that stood there, or both, in one step.
pub(crate) fn sigaction(signal: u32, new: Option<&Action>, old: Option<&Action>) {
    let address = |a: Option<&Action>| a.map_or(0, |a| core::ptr::from_ref(a) as usize);
    // SAFETY: null or structs of the kernel's shape, of atomics, so that it may write them.
    unsafe {
        sys::syscall4(
            __NR_rt_sigaction,
            signal as usize,
            address(new),
            address(old),
            size_of::<u64>(),
        )
    };
}

/// Runs `f` while this thread takes none of the signals in `set`.
pub(crate) fn without(set: u64, f: impl FnOnce()) {
    let mut old = 0u64;
    let mask = |how: u32, new: &u64, old: usize| {
        // SAFETY: values of our own.
        unsafe {
            sys::syscall4(
                __NR_rt_sigprocmask,
                how as usize,
                core::ptr::from_ref(new) as usize,
                old,
                size_of::<u64>(),
            )
        };
    };
    mask(SIG_BLOCK, &set, (&raw mut old) as usize);
    f();
    mask(SIG_SETMASK, &old, 0);
}
