//! Calling a signal handler that Go has set: it expects `g` in x28, as in all Go code, unless the program has cgo (runtime/sys_linux_arm64.s, `sigtramp`;
//! runtime/signal_unix.go, `sigFetchG`). The kernel leaves there what the interrupted code has. On a lane, that is anything.

use core::arch::naked_asm;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;

use libc::{siginfo_t, ucontext_t};

use super::super::calls::{self, Words};
use super::fault::{G, LINK};
use crate::contract::Head;

/// Whether Go's handlers must not be called but by [`hand_on`], whatever the signal.
pub const NEEDS_FRONT: bool = true;

/// An address at which Go's walk of a stack ends, as no function is there (runtime/traceback.go, `unwinder.resolveInternal`).
const NOWHERE: u64 = 1;

/// Calls a handler as the kernel would, with `g` in its place, and with what Go looks at of the interrupted code in order:
///
/// * The link register, from which Go walks on where it knows of no frame. Its walk through the image ends at the first function: right after a call the link register has the
///   place itself, and Go stops the program on a walk that gets nowhere.
/// * The place, if that is neither Go's nor the image's: in the vDSO, which Go takes for a call of its own (`inVDSOPage`), and looks for `g` elsewhere.
///
/// # Safety
/// A handler of that shape, and what the kernel gave.
pub unsafe fn hand_on(handler: usize, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let context_of: *mut ucontext_t = context.cast();
    // SAFETY: the kernel's, for the time of the handler. Go's handler may write there, too, so there is no reference.
    unsafe {
        let place = &raw mut (*context_of).uc_mcontext;
        let (pc, link) = ((*place).pc, (*place).regs[LINK]);
        let mut g = (*place).regs[G];
        let Words(lane, inside) = calls::rsyso_interrupted((*place).sp as usize, pc as usize);
        if lane != 0 {
            g = match *((lane + offset_of!(Head, go_sp)) as *const usize) {
                // A thread of Rust's own: to Go, one without g.
                0 => 0,
                go_sp => *((go_sp + size_of::<usize>()) as *const u64),
            };
        }
        let ours = lane != 0 || inside != 0;
        let seems = match inside {
            0 if lane != 0 => call as *const () as u64,
            _ => pc,
        };
        if ours {
            ((*place).pc, (*place).regs[LINK]) = (seems, NOWHERE);
        }
        call(signal, info, context, handler, g);
        if ours && (*place).pc == seems {
            ((*place).pc, (*place).regs[LINK]) = (pc, link);
        }
    }
}

/// Calls `handler(signal, info, context)` with `g` where Go expects it.
#[unsafe(naked)]
unsafe extern "C" fn call(
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    handler: usize,
    g: u64,
) {
    naked_asm!(
        "stp x29, x30, [sp, #-32]!",
        "str x28, [sp, #16]",
        "mov x28, x4",
        "blr x3",
        "ldr x28, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        "ret",
    )
}
