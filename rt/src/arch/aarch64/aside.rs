//! What a signal has interrupted, put aside: the kernel takes it up again from there (rt_sigreturn(2)).

use core::arch::naked_asm;
use core::ops::Range;

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::__NR_rt_sigreturn;

use super::super::calls;

/// Bytes of the kernel's `struct siginfo`, which lies before the context in its frame (arch/arm64/kernel/signal.c, `struct rt_sigframe`).
pub(super) const INFO: usize = 128;

/// The record of a context that says that more of it lies behind the frame: so it is where there are very large vector registers
/// (arch/arm64/include/uapi/asm/sigcontext.h, `EXTRA_MAGIC`).
const EXTRA: u32 = 0x4558_5401;

/// Where in the context the records begin, as bytes from its start: behind the registers, aligned to 16.
const RECORDS: usize = core::mem::offset_of!(ucontext_t, uc_mcontext) + 288;

/// Copies what was interrupted to the end of `room`. Gives the copy, 16-byte aligned; None, and nothing is done, if there is not enough room, or
/// if a part of the context lies elsewhere.
///
/// # Safety
/// `context` is what the kernel gave to the handler, and nobody else uses `room`.
pub unsafe fn put_aside(context: &ucontext_t, room: Range<usize>) -> Option<*mut ucontext_t> {
    // SAFETY: the kernel's, for the time of the handler.
    if unsafe { has_extra(context) } {
        return None;
    }
    let to = room.end.checked_sub(size_of::<ucontext_t>())? & !15;
    if to.checked_sub(INFO)? < room.start {
        return None;
    }
    let copy = to as *mut ucontext_t;
    // SAFETY: the room is there, by the caller's word and the test above. The kernel does not read what comes before.
    unsafe { copy.copy_from_nonoverlapping(context, 1) };
    Some(copy)
}

/// Whether a part of a context lies elsewhere.
///
/// # Safety
/// The kernel wrote it.
unsafe fn has_extra(context: &ucontext_t) -> bool {
    let start = (&raw const *context).cast::<u8>();
    let mut at = RECORDS;
    // Each record begins with its kind and its bytes; the last one has neither.
    while at + 8 <= size_of::<ucontext_t>() {
        // SAFETY: within the context.
        let [magic, size] = unsafe { start.add(at).cast::<[u32; 2]>().read() };
        match (magic, size) {
            (EXTRA, _) => return true,
            (0, _) | (_, 0) => return false,
            _ => at += size as usize,
        }
    }
    false
}

/// What a fault goes on in that the library handles itself: its handler runs, as the kernel would call it. Then the kernel takes up what the handler has left
/// of what was put aside.
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
        "bl {shown}",
        "sub x0, x0, {info}",
        "mov sp, x0",
        "mov x8, {sigreturn}",
        "svc #0",
        "brk #1",
        shown = sym calls::rsyso_fault_shown,
        info = const INFO,
        sigreturn = const __NR_rt_sigreturn,
    )
}
