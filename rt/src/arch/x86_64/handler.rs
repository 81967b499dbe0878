//! Calling a signal handler that Go has set.

use core::ffi::{c_int, c_void};

use libc::siginfo_t;

/// Whether Go's handlers must not be called but by [`hand_on`], whatever the signal.
pub const NEEDS_FRONT: bool = false;

/// Calls a handler as the kernel would. Go's finds what it needs by itself (runtime/sys_linux_amd64.s, `sigtramp`).
///
/// # Safety
/// A handler of that shape, and what the kernel gave.
#[inline(always)]
pub unsafe fn hand_on(handler: usize, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: a handler of that shape.
    let handler: unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
        unsafe { core::mem::transmute(handler) };
    // SAFETY: called as the kernel would, with what it gave.
    unsafe { handler(signal, info, context) }
}
