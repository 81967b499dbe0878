//! The machine's half of making a call under way a system call of Go's (`leave/polite.rs`).
//!
//! ```text
//! goroutine's stack, from above:        lane
//! the Go caller                         the library's frames
//! the away function of the export       the registers, by `go_polite`
//! FRAME, made by `rsyso_go_on`
//! ```
//!
//! While the call is under way, `FRAME` is what the control block says of Go: its address stands for the goroutine's stack pointer, and the code that its first
//! word leads to, and `departed`, for the ways back. So nothing that leaves a lane has to know of all this.
//!
//! Only the thread itself makes a call one here, not a signal: a lane is left in several instructions, and what was interrupted between them would go on with what it
//! knew before.

use core::arch::naked_asm;
use core::mem::offset_of;

use libc::ucontext_t;

use super::frame::{WRAPPER, pop, push};
use crate::contract::{CALLBACK_RESULT, Head, LANDING_STAYS};

/// What [`rsyso_go_on`] leaves on the goroutine's stack: as wrappers do, where a return leads, and g; Go's frame pointer; where to return to in the away
/// function; the place of the pointer that a function which takes Go functions gives.
const FRAME: usize = 48;
const FRAME_BP: usize = 16;
const FRAME_LINK: usize = 24;
const FRAME_SHOWN: usize = WRAPPER + CALLBACK_RESULT as usize;
/// Where above the stack pointer the results of `rsysoGoOn` are: the departure, and what Go is shown.
const DEPARTURE: usize = 16;
const SHOWN: usize = 24;

const LANDING: usize = offset_of!(Head, go_landing);
const SP: usize = offset_of!(Head, go_sp);
const BP: usize = offset_of!(Head, go_bp);
const AT: usize = offset_of!(Head, polite_at);

/// Has Go take the call on this lane for a system call, unless it does so, or is not to. Returns when it does.
///
/// # Safety
/// Runs on that lane.
#[unsafe(naked)]
pub unsafe extern "C" fn go_polite(lane: *mut Head) {
    naked_asm!(
        "ldr x9, [x0, {landing}]",
        "cbz x9, 2f",
        "tst x9, {stays}",
        "b.ne 2f",
        "orr x10, x9, {stays}",
        "str x10, [x0, {landing}]",
        push!(),
        "mov x10, sp",
        "str x10, [x0, {at}]",
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
        "str xzr, [sp, {frame_shown}]",
        "mov x9, sp",
        "str x9, [x0, {sp}]",
        "str x29, [x0, {bp}]",
        "adrp x9, {departed}",
        "add x9, x9, :lo12:{departed}",
        "orr x9, x9, {stays}",
        "str x9, [x0, {landing}]",
        "ldr x9, [x0, {at}]",
        "mov sp, x9",
        pop!(),
        "ret",
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

const _: () = assert!(FRAME_LINK == FRAME_BP + 8 && FRAME_SHOWN == FRAME - 16);

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
        "add sp, sp, {frame}",
        "str x0, [sp, {departure}]",
        "str x1, [sp, {shown}]",
        "ret",
        bp = const FRAME_BP - WRAPPER,
        frame = const FRAME - WRAPPER,
        departure = const DEPARTURE,
        shown = const SHOWN,
    )
}

/// As [`go_polite`], for a handler of a signal that has interrupted the call: never done here.
///
/// # Safety
/// None to speak of; other machines do something.
pub unsafe fn go_polite_interrupted(
    _lane: *mut Head,
    _context: &mut ucontext_t,
    _room: core::ops::Range<usize>,
) -> bool {
    false
}
