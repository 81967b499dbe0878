//! Leaving a lane for good.

use core::arch::naked_asm;
use core::mem::offset_of;

use crate::contract::{Departure, Head};

/// Goes on in Go: on the goroutine's stack as the wrapper found it, at the landing function of the package, with the departure in rax.
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
        "jmp [rdi + {landing}]",
        bp = const offset_of!(Head, go_bp),
        sp = const offset_of!(Head, go_sp),
        landing = const offset_of!(Head, go_landing),
    )
}
