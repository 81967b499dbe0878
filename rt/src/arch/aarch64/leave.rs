//! Leaving a lane for good.

use core::arch::naked_asm;
use core::mem::offset_of;

use crate::contract::{Departure, Head, LANDING_STAYS};

/// Goes on in Go: on the goroutine's stack as the wrapper found it, at the landing of the call, with the departure in x0, and 1 in w1.
///
/// # Safety
/// The lane was entered by a wrapper, and nothing on it is used any more.
#[unsafe(naked)]
pub unsafe extern "C" fn leave(lane: *mut Head, departure: *mut Departure) -> ! {
    naked_asm!(
        "mov x9, x0",
        "mov x0, x1",
        "mov w1, #1",
        "ldr x29, [x9, {bp}]",
        "ldr x10, [x9, {sp}]",
        // What the wrapper left there: the return address, and g.
        "ldp x30, x28, [x10], #16",
        "mov sp, x10",
        "ldr x11, [x9, {landing}]",
        "and x11, x11, {without}",
        "br x11",
        without = const !(LANDING_STAYS as i64),
        bp = const offset_of!(Head, go_bp),
        sp = const offset_of!(Head, go_sp),
        landing = const offset_of!(Head, go_landing),
    )
}
