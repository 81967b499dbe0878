//! What a signal has interrupted, put aside: the kernel takes it up again from there (rt_sigreturn(2)).

use core::arch::naked_asm;
use core::ops::Range;

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::__NR_rt_sigreturn;

use super::super::calls;

/// Bytes of the kernel's `struct ucontext`, up to the end of its signal mask; the C library's has room for more signals.
const KERNELS: usize = 304;

/// Copies what was interrupted to the end of `room`. Gives the copy, 16-byte aligned; None, and nothing is done, if there is not enough room.
///
/// # Safety
/// `context` is what the kernel gave to the handler, and nobody else uses `room`.
pub unsafe fn put_aside(context: &ucontext_t, room: Range<usize>) -> Option<*mut ucontext_t> {
    let fp = context.uc_mcontext.fpregs as usize;
    if fp == 0 {
        return None;
    }
    // SAFETY: the kernel's, for the time of the handler.
    let fp_size = unsafe { state_size(fp) };
    // The processor asks for that alignment (xrstor).
    let fp_to = room.end.checked_sub(fp_size)? & !63;
    let to = fp_to.checked_sub(size_of::<ucontext_t>())? & !15;
    if to < room.start {
        return None;
    }
    let copy = to as *mut ucontext_t;
    // SAFETY: the room is there, by the caller's word and the test above. The kernel wrote no more of the context than that, and it reads no more.
    unsafe {
        copy.write_bytes(0, 1);
        copy.cast::<u8>()
            .copy_from_nonoverlapping((&raw const *context).cast(), KERNELS);
        (fp_to as *mut u8).copy_from_nonoverlapping(fp as *const u8, fp_size);
        (*copy).uc_mcontext.fpregs = fp_to as *mut _;
    }
    Some(copy)
}

/// Bytes of the floating-point state that the kernel has written: all of it if it says so by a magic number, else the legacy area alone
/// (`struct _fpx_sw_bytes` in arch/x86/include/uapi/asm/sigcontext.h).
///
/// # Safety
/// `fp` leads to such a state.
unsafe fn state_size(fp: usize) -> usize {
    const LEGACY: usize = 512;
    const SOFTWARE: usize = 464;
    const MAGIC: u32 = 0x4650_5853;
    // SAFETY: within the legacy area.
    let word = |at: usize| unsafe { ((fp + SOFTWARE + at) as *const u32).read_unaligned() };
    match word(0) {
        MAGIC => (word(4) as usize).max(LEGACY),
        _ => LEGACY,
    }
}

/// What MXCSR holds when a program begins (psABI 3.2.1): all exceptions masked, round to nearest.
static MXCSR: u32 = 0x1f80;

/// What a fault goes on in that the library handles itself: its handler runs, as the kernel would call it, with the floating-point unit as a program finds it at
/// its beginning (arch/x86/kernel/signal.c, `handle_signal`). Then the kernel takes up what the handler has left of what was put aside.
///
/// It has no unwind information: every unwinder ends here.
///
/// # Safety
/// Entered by [`Interrupted::call`](super::fault::Interrupted::call) alone.
#[unsafe(naked)]
pub unsafe extern "C" fn show_fault(
    _signal: usize,
    _info: *mut siginfo_t,
    _context: *mut ucontext_t,
) -> ! {
    naked_asm!(
        "sub rsp, 8",
        "fninit",
        "ldmxcsr [rip + {mxcsr}]",
        "call {shown}",
        "mov rsp, rax",
        "mov eax, {sigreturn}",
        "syscall",
        "ud2",
        mxcsr = sym MXCSR,
        shown = sym calls::rsyso_fault_shown,
        sigreturn = const __NR_rt_sigreturn,
    )
}
