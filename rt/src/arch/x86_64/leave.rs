//! Leaving a lane for good.

use core::arch::naked_asm;
use core::mem::offset_of;

use crate::contract::{Departure, Head, LANDING_STAYS};

/// Goes on in Go: on the goroutine's stack as the wrapper found it, at the landing of the call, with the departure in rax, and 1 in ecx.
///
/// # Safety
/// The lane was entered by a wrapper, and nothing on it is used any more.
#[unsafe(naked)]
pub unsafe extern "C" fn leave(lane: *mut Head, departure: *mut Departure) -> ! {
    naked_asm!(
        "mov rax, rsi",
        "mov rbp, [rdi + {bp}]",
        "mov rsp, [rdi + {sp}]",
        "cld",
        "mov ecx, 1",
        "mov r11, [rdi + {landing}]",
        "and r11, {without}",
        "jmp r11",
        without = const !(LANDING_STAYS as i32),
        bp = const offset_of!(Head, go_bp),
        sp = const offset_of!(Head, go_sp),
        landing = const offset_of!(Head, go_landing),
    )
}
