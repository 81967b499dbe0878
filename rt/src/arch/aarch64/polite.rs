//! The machine's half of making a call under way a system call of Go's (`leave/polite.rs`).
//!
//! ```text
//! goroutine's stack, from above:        lane
//! the Go caller                         the library's frames
//! the away function of the export       the registers, by a signal or by `go_polite`
//! FRAME, made by `rsyso_go_on`
//! ```
//!
//! While the call is under way, `FRAME` is what the control block says of Go: its address stands for the goroutine's stack pointer, and the code that its first
//! word leads to, and `departed`, for the ways back. So nothing that leaves a lane has to know of all this.
//!
//! The stack pointer cannot be loaded from memory here, so a lane is left in several instructions, and what a signal interrupts between them would go on with
//! what Go's stack pointer was before. All ways out load that into x10 and end in one instruction, [`WAY_OUT`], at most [`WAY_OUT_WITHIN`] later: right before
//! it, no signal makes a call a system call. Go sends another one.

use core::arch::naked_asm;
use core::mem::offset_of;

use libc::ucontext_t;
use linux_raw_sys::general::__NR_rt_sigreturn;

use super::super::calls::{self, Words};
use super::aside::{INFO, put_aside};
use super::fault::Interrupted;
use super::frame::{WRAPPER, pop, push};
use crate::contract::{CALLBACK_RESULT, Head, LANDING_STAYS};

/// What [`rsyso_go_on`] leaves on the goroutine's stack: as wrappers do, where a return leads, and g; Go's frame pointer; where to return to in the away
/// function; the place of the pointer that a function which takes Go functions gives; the address of what counts the call, or 0.
const FRAME: usize = 48;
const FRAME_BP: usize = 16;
const FRAME_LINK: usize = 24;
const FRAME_SHOWN: usize = WRAPPER + CALLBACK_RESULT as usize;
const FRAME_COUNT: usize = FRAME_SHOWN + 8;
/// Where above the stack pointer the results of `rsysoGoOn` are: the departure, and what Go is shown.
const DEPARTURE: usize = 16;
const SHOWN: usize = 24;

const LANDING: usize = offset_of!(Head, go_landing);
const SP: usize = offset_of!(Head, go_sp);
const BP: usize = offset_of!(Head, go_bp);
const AT: usize = offset_of!(Head, polite_at);
const COUNT: usize = offset_of!(Head, polite_count);

/// `mov sp, x10`: the instruction that leaves a lane, in the wrappers (the tool's `src/arch/arm64/writer.rs`) as here.
const WAY_OUT: u32 = 0x9100_015f;
/// So many instructions after Go's stack pointer is read it has come, at the latest.
const WAY_OUT_WITHIN: usize = 8;

/// Has Go take the call on this lane for a system call, unless it does so, or is not to. Returns when it does.
///
/// # Safety
/// Runs on that lane.
#[unsafe(naked)]
pub unsafe extern "C" fn go_polite(lane: *mut Head) {
    naked_asm!(
        // From here on no signal does the same; one that comes meanwhile makes the store fail (Arm ARM, B2.9.2: a return from an exception clears the monitor).
        "add x11, x0, {landing}",
        "3:",
        "ldxr x9, [x11]",
        "cbz x9, 2f",
        "tst x9, {stays}",
        "b.ne 2f",
        "orr x10, x9, {stays}",
        "stxr w12, x10, [x11]",
        "cbnz w12, 3b",
        push!(),
        "mov x10, sp",
        "str x10, [x0, {at}]",
        "str xzr, [x0, {count}]",
        "mov w1, wzr",
        "ldr x29, [x0, {bp}]",
        "ldr x10, [x0, {sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "mov sp, x10",
        "br x9",
        "2:",
        "ret",
        landing = const LANDING,
        stays = const LANDING_STAYS,
        at = const AT,
        count = const COUNT,
        bp = const BP,
        sp = const SP,
        wrapper = const WRAPPER,
    )
}

/// Called by Go as `rsysoGoOn(lane) (departure, shown)` of ABI0, now that it takes the call for a system call: goes on with that. It returns when the call is
/// over, or has a Go function called.
///
/// # Safety
/// Called by the package's own function alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_go_on() {
    naked_asm!(
        "ldr x0, [sp, #8]",
        "adrp x9, {returned}",
        "add x9, x9, :lo12:{returned}",
        "stp x9, x28, [sp, -{frame}]!",
        "stp x29, x30, [sp, {frame_bp}]",
        "ldr x11, [x0, {count}]",
        "stp xzr, x11, [sp, {frame_shown}]",
        "mov x9, sp",
        "str x9, [x0, {sp}]",
        "str x29, [x0, {bp}]",
        "adrp x9, {departed}",
        "add x9, x9, :lo12:{departed}",
        "orr x9, x9, {stays}",
        "str x9, [x0, {landing}]",
        "ldr x9, [x0, {at}]",
        "cbnz x11, 2f",
        "mov sp, x9",
        pop!(),
        "ret",
        // The kernel takes up what it has interrupted; the stack pointer leads to what it wrote then (arch/arm64/kernel/signal.c, `rt_sigreturn`).
        "2:",
        "sub sp, x9, {info}",
        "mov x8, {sigreturn}",
        "svc #0",
        "brk #1",
        count = const COUNT,
        info = const INFO,
        sigreturn = const __NR_rt_sigreturn,
        frame = const FRAME,
        returned = sym returned,
        departed = sym departed,
        frame_bp = const FRAME_BP,
        frame_shown = const FRAME_SHOWN,
        sp = const SP,
        bp = const BP,
        stays = const LANDING_STAYS,
        landing = const LANDING,
        at = const AT,
    )
}

const _: () = assert!(FRAME_LINK == FRAME_BP + 8 && FRAME_COUNT == FRAME - 8);

/// Where a return to Go leads meanwhile: the call is over, or has a Go function called.
#[unsafe(naked)]
unsafe extern "C" fn returned() {
    naked_asm!(
        "ldr x1, [sp, {shown}]",
        "mov x0, xzr",
        "b {back}",
        shown = const FRAME_SHOWN - WRAPPER,
        back = sym back,
    )
}

/// Where a call that does not return goes on meanwhile, with the departure in x0.
#[unsafe(naked)]
unsafe extern "C" fn departed() {
    naked_asm!("mov x1, xzr", "b {back}", back = sym back)
}

/// Returns to the away function: x0 = the departure or 0, x1 = what Go is shown or 0, sp = the frame, without what the ways out have taken off.
#[unsafe(naked)]
unsafe extern "C" fn back() {
    naked_asm!(
        "ldp x29, x30, [sp, {bp}]",
        "ldr x9, [sp, {count}]",
        "cbz x9, 2f",
        "3:",
        "ldxr x10, [x9]",
        "sub x10, x10, #1",
        "stxr w11, x10, [x9]",
        "cbnz w11, 3b",
        "2:",
        "add sp, sp, {frame}",
        "str x0, [sp, {departure}]",
        "str x1, [sp, {shown}]",
        "ret",
        bp = const FRAME_BP - WRAPPER,
        count = const FRAME_COUNT - WRAPPER,
        frame = const FRAME - WRAPPER,
        departure = const DEPARTURE,
        shown = const SHOWN,
    )
}

/// As [`go_polite`], for a handler of a signal that has interrupted the call: what was interrupted is copied to `room`, from where [`rsyso_go_on`] has the kernel
/// take it up again, and the handler returns into Go. False, and nothing is done, if there is not enough room, or on a way out of the lane.
///
/// # Safety
/// `context` is what the kernel gave to the handler; it was interrupted on the lane, whose call may become a system call; nobody else uses `room`.
pub unsafe fn go_polite_interrupted(
    lane: *mut Head,
    context: &mut ucontext_t,
    room: core::ops::Range<usize>,
) -> bool {
    if leaves(context) {
        return false;
    }
    // SAFETY: the context is the kernel's, and the room is there, by the caller's word.
    let Some(copy) = (unsafe { put_aside(context, room) }) else {
        return false;
    };
    // SAFETY: the lane is the interrupted thread's.
    unsafe {
        (*lane).polite_at = copy as usize;
        (*lane).go_landing |= LANDING_STAYS as usize;
        Interrupted(context).land(&*lane, lane as usize, 0);
    }
    true
}

/// Whether what was interrupted is about to leave the lane. Other code that sets its stack pointer so may seem to.
fn leaves(context: &ucontext_t) -> bool {
    let (sp, pc) = (context.uc_mcontext.sp, context.uc_mcontext.pc);
    // SAFETY: any two numbers serve.
    let Words(_, inside) = unsafe { calls::rsyso_interrupted(sp as usize, pc as usize) };
    let next = |n| {
        // SAFETY: the image's code, which its data follows.
        unsafe { (pc as *const u32).add(n).read() }
    };
    inside != 0 && (0..WAY_OUT_WITHIN).any(|n| next(n) == WAY_OUT)
}
