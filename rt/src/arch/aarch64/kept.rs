//! The machine's half of leaving a lane for a Go function that the library keeps (`leave/kept.rs`).
//!
//! A call that takes Go functions returns to Go for a kept one as for those, and so does one that Go takes for a system call, and a goroutine that runs in the
//! place of a thread of Rust's own (`leave/adopt.rs`). From any other call the thread
//! *jumps* to the away function of its stub, as to become a system call of Go's (`polite.rs`), with 2 in w1. That calls the function, takes its own frame
//! off, and jumps to [`rsyso_kept_resume`]: so while the library runs, no frame of the package's stands between the stub and the Go caller, wherever the stack is.

use core::arch::naked_asm;
use core::mem::offset_of;

use linux_raw_sys::general::{__NR_futex, FUTEX_PRIVATE_FLAG, FUTEX_WAKE};

use super::super::calls;
use super::callback::came_back;
use super::frame::{WRAPPER, pop, push};
use crate::contract::{CALLBACK_RESULT, GO_G_M, Head, LANDING_STAYS, Shown};

const SHOWN: usize = offset_of!(Head, shown);
const LANDING: usize = offset_of!(Head, go_landing);
const SP: usize = offset_of!(Head, go_sp);
const BP: usize = offset_of!(Head, go_bp);
const AWAY_SP: usize = offset_of!(Head, away_sp);
const THREAD_SP: usize = offset_of!(Head, thread_sp);

/// Has Go call a function that the library keeps: returns when Go has come back with its result. Keeps the registers that a C function keeps on the lane's stack.
///
/// In: x0 = the frame, w1 = the number of the function, x2 = what stands for it, x3 = the user data.
///
/// # Safety
/// Called by what stands for kept functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept() {
    naked_asm!(
        push!(),
        "bl {depart}",
        "cbz x0, 3f",
        // Where to go on: `rsyso_kept_resume` may be that of another copy of this image (`enter/copies.rs`).
        "adrp x9, {kept_came_back}",
        "add x9, x9, :lo12:{kept_came_back}",
        "str x9, [sp]",
        "mov x9, sp",
        "str x9, [x0, {away_sp}]",
        "add x9, x0, {shown}",
        "cmp w1, #1",
        "b.eq 2f",
        "b.hi 4f",
        // From here on no signal makes a system call of it. If one is there already, it is to return.
        "add x10, x0, {landing}",
        "5:",
        "ldxr x11, [x10]",
        "orr x12, x11, {stays}",
        "stxr w13, x12, [x10]",
        "cbnz w13, 5b",
        "tst x11, {stays}",
        "b.ne 2f",
        "ldr x29, [x0, {bp}]",
        "ldr x10, [x0, {sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "mov sp, x10",
        "mov x0, x9",
        "mov w1, #2",
        "br x11",
        "2:",
        "ldr x29, [x0, {bp}]",
        "ldr x10, [x0, {sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "str x9, [x10, {result}]",
        "mov sp, x10",
        "ret",
        // As if Go had come back.
        "3:",
        "b {came_back}",
        // A goroutine goes on with what this thread is about. The thread waits on another part of the lane, until [`give_back`].
        "4:",
        "mov x19, x0",
        "ldr x9, [x19, {thread_sp}]",
        "mov sp, x9",
        "bl {hand_over}",
        "ldr x9, [x19, {thread_sp}]",
        "mov sp, x9",
        pop!(),
        "ret",
        depart = sym calls::rsyso_kept_depart,
        kept_came_back = sym kept_came_back,
        came_back = sym came_back,
        hand_over = sym calls::rsyso_kept_hand_over,
        thread_sp = const THREAD_SP,
        away_sp = const AWAY_SP,
        shown = const SHOWN,
        landing = const LANDING,
        stays = const LANDING_STAYS,
        bp = const BP,
        sp = const SP,
        wrapper = const WRAPPER,
        result = const CALLBACK_RESULT,
    )
}

/// As [`came_back`], for a kept function.
#[unsafe(naked)]
unsafe extern "C" fn kept_came_back() {
    naked_asm!(
        "mov w19, w0",
        "bl {back}",
        "mov w0, w19",
        "b {came_back}",
        back = sym calls::rsyso_kept_back,
        came_back = sym came_back,
    )
}

/// Go comes back from a kept function: x13 = what it was shown, x12 = the landing, x28 = g, and stack and link register as the stub has them.
///
/// # Safety
/// Jumped to by the package's away functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept_resume() {
    naked_asm!(
        "sub x11, x13, {shown}",
        // The goroutine may have another thread now, and its stack another place.
        "stp x30, x28, [sp, -{wrapper}]",
        "sub x9, sp, {wrapper}",
        "str x9, [x11, {frame_sp}]",
        "str x9, [x11, {sp}]",
        "str x29, [x11, {bp}]",
        "str x12, [x11, {landing}]",
        "ldr x9, [x28, {g_m}]",
        "str x9, [x11, {m}]",
        "ldrb w0, [x11, {unwind}]",
        "ldr x9, [x11, {away_sp}]",
        "mov sp, x9",
        "ldr x9, [sp]",
        "br x9",
        shown = const SHOWN,
        wrapper = const WRAPPER,
        frame_sp = const offset_of!(Head, frame_sp),
        sp = const SP,
        bp = const BP,
        landing = const LANDING,
        g_m = const GO_G_M,
        m = const offset_of!(Head, m),
        unwind = const SHOWN + offset_of!(Shown, unwind),
        away_sp = const AWAY_SP,
    )
}

/// The function did not return: called by a stub with what Go was shown as its argument, and room for what the library may give behind that.
///
/// # Safety
/// Called by the package's stub alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept_unwind() {
    naked_asm!("ldr x13, [sp, #8]", "b {resume}", resume = sym rsyso_kept_resume)
}

/// Has Go do something that is no call of a function, on the lane of a call of Go's.
///
/// # Safety
/// Go knows `which`, and nothing is unwound.
pub unsafe fn ask(which: usize) {
    // SAFETY: a function of C's to its caller; what it makes of its arguments is Go's, by the caller's word. The user data only has to be some.
    unsafe {
        let kept: unsafe extern "C" fn(usize, usize, usize, usize) =
            core::mem::transmute(rsyso_kept as *const ());
        kept(0, which, 0, 1);
    }
}

/// The goroutine that runs on the lane in the place of its thread leaves it to that, which returns from here. The goroutine hears that nothing is to be called.
///
/// # Safety
/// Runs on that lane, for a goroutine that has come back from a kept function.
#[unsafe(naked)]
pub unsafe extern "C" fn give_back(lane: *mut Head) {
    naked_asm!(
        push!(),
        "mov x9, sp",
        "str x9, [x0, {thread_sp}]",
        "ldr x29, [x0, {bp}]",
        "ldr x10, [x0, {sp}]",
        "ldp x30, x28, [x10], {wrapper}",
        "str xzr, [x10, {result}]",
        "mov sp, x10",
        // With that the lane is the thread's. What wakes it leaves the stack alone, and the word is never unmapped.
        "add x0, x0, {lent}",
        "stlr wzr, [x0]",
        "mov x1, {wake}",
        "mov x2, #1",
        "mov x8, {futex}",
        "svc #0",
        "ret",
        thread_sp = const THREAD_SP,
        bp = const BP,
        sp = const SP,
        wrapper = const WRAPPER,
        result = const CALLBACK_RESULT,
        lent = const offset_of!(Head, lent),
        wake = const FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
        futex = const __NR_futex,
    )
}
