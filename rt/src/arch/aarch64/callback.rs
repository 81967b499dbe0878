//! The machine's half of leaving a lane for a Go function, and of coming back.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::super::calls;
use super::frame::{WRAPPER, pop, push};
use crate::contract::{CALLBACK_RESULT, GO_G_M, Head, Shown};

/// Where in the control block stands what Go is shown.
const SHOWN: usize = offset_of!(Head, shown);
const SP: usize = offset_of!(Head, away_sp);
const M: usize = offset_of!(Head, m);

/// Has Go call a function: returns when Go has come back with its result. Keeps the registers that a C function keeps on the lane's stack.
///
/// In: x0 = the frame, w1 = the number of the function, x2 = what tells the export from others, x3 = the user data or 0.
///
/// # Safety
/// Called by what stands for Go functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_callback() {
    naked_asm!(
        push!(),
        "bl {depart}",
        // Where to go on: `rsyso_resume` may be that of another copy of this image (`enter/copies.rs`).
        "adrp x9, {came_back}",
        "add x9, x9, :lo12:{came_back}",
        "str x9, [sp]",
        "mov x9, sp",
        "str x9, [x0, {sp}]",
        // The stub returns, with the address of what Go is shown.
        "add x9, x0, {shown}",
        "ldr x29, [x0, {go_bp}]",
        "ldr x10, [x0, {go_sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "str x9, [x10, {result}]",
        "mov sp, x10",
        "ret",
        came_back = sym came_back,
        depart = sym calls::rsyso_callback_depart,
        sp = const SP,
        shown = const SHOWN,
        go_bp = const offset_of!(Head, go_bp),
        go_sp = const offset_of!(Head, go_sp),
        wrapper = const WRAPPER,
        result = const CALLBACK_RESULT,
    )
}

/// Go has come back: w0 = whether without a result; at the stack pointer what was kept of the registers.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn came_back() {
    naked_asm!(
        pop!(),
        "cbnz w0, 4f",
        "ret",
        // As if the code that stands for the Go function had called what raises exceptions.
        "4:",
        ".weak rsyso_std_resume_unwind",
        "stp x29, x30, [sp, #-16]!",
        "bl {ended}",
        "ldp x29, x30, [sp], #16",
        "adrp x16, :got:rsyso_std_resume_unwind",
        "ldr x16, [x16, :got_lo12:rsyso_std_resume_unwind]",
        "cbz x16, 5f",
        "br x16",
        // LTO has left that out.
        "5:",
        ".weak rsyso_std_start_panic",
        "adrp x16, :got:rsyso_std_start_panic",
        "ldr x16, [x16, :got_lo12:rsyso_std_start_panic]",
        "cbz x16, 6f",
        "stp x29, x30, [sp, #-16]!",
        "str x16, [sp, #-16]!",
        "bl {counted}",
        "ldr x16, [sp], #16",
        "ldp x29, x30, [sp], #16",
        "br x16",
        "6:",
        "bl {abandon}",
        "brk #1",
        ended = sym calls::rsyso_callback_ended,
        counted = sym calls::rsyso_callback_ended_counted,
        abandon = sym calls::rsyso_callback_abandon,
    )
}

/// Go comes back: called by a stub with what Go was shown as its argument, x28 = g and x12 = the landing, as wrappers are.
///
/// # Safety
/// Called by the package's stub alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_resume() {
    naked_asm!(
        "ldr x11, [sp, #8]",
        "sub x11, x11, {shown}",
        // The goroutine may have another thread now, and its stack another place.
        "stp x30, x28, [sp, -{wrapper}]",
        "sub x9, sp, {wrapper}",
        "str x9, [x11, {go_sp}]",
        "str x29, [x11, {go_bp}]",
        "str x12, [x11, {landing}]",
        "ldr x9, [x28, {g_m}]",
        "str x9, [x11, {m}]",
        "ldrb w0, [x11, {unwind}]",
        "ldr x9, [x11, {sp}]",
        "mov sp, x9",
        "ldr x9, [sp]",
        "br x9",
        shown = const SHOWN,
        wrapper = const WRAPPER,
        go_sp = const offset_of!(Head, go_sp),
        go_bp = const offset_of!(Head, go_bp),
        landing = const offset_of!(Head, go_landing),
        g_m = const GO_G_M,
        m = const M,
        unwind = const SHOWN + offset_of!(Shown, unwind),
        sp = const SP,
    )
}

/// The stub returns: the call is over. With `gives`, it returns nil, as it gives what Go is to call.
///
/// # Safety
/// The lane was entered by a wrapper, and nothing on it is used any more.
#[unsafe(naked)]
pub unsafe extern "C" fn back_to_go(lane: *mut Head, gives: bool) -> ! {
    naked_asm!(
        "ldr x29, [x0, {bp}]",
        "ldr x10, [x0, {sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "tst w1, #0xff",
        "b.eq 2f",
        "str xzr, [x10, {result}]",
        "2:",
        "mov sp, x10",
        "ret",
        bp = const offset_of!(Head, go_bp),
        sp = const offset_of!(Head, go_sp),
        wrapper = const WRAPPER,
        result = const CALLBACK_RESULT,
    )
}

/// Goes on at the top of a lane, in `then(fresh, old)`.
///
/// # Safety
/// No thread runs in `fresh`; nothing on the present stack is used any more, but by `then`.
#[unsafe(naked)]
pub unsafe extern "C" fn on_lane(
    fresh: *mut Head,
    old: *mut Head,
    then: unsafe extern "C" fn(*mut Head, *mut Head) -> !,
) -> ! {
    naked_asm!(
        // By this, signal handlers find g.
        "ldr x9, [x1, {sp}]",
        "str x9, [x0, {sp}]",
        // A way out of the old one, as signals see it (`polite.rs`).
        "mov x10, x0",
        "mov sp, x10",
        "blr x2",
        "brk #1",
        sp = const offset_of!(Head, go_sp),
    )
}
