//! The stack pointer, and addresses of what lies in the image.

use core::arch::asm;

/// Bytes below the stack pointer that belong to the code that runs: none (AAPCS64 6.4.5.1).
pub const RED_ZONE: usize = 0;

/// The stack pointer, as it is in the function that this is inlined into.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let sp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// Reads one word `bytes` below the stack pointer: if the stack ends before that, the fault comes here.
#[inline(always)]
pub fn probe_stack<const BYTES: usize>() {
    // SAFETY: reads memory of this stack, or its guard, and drops what it read.
    unsafe {
        asm!("sub {at}, sp, {bytes}", "ldr xzr, [{at}]", at = out(reg) _, bytes = in(reg) BYTES,
            options(nostack, readonly, preserves_flags));
    }
}

/// The address of a symbol that lies in the image, PC-relatively: right even before the image's fix-ups ran.
macro_rules! address_of {
    ($symbol:literal) => {{
        let address: usize;
        // SAFETY: computes an address.
        unsafe {
            core::arch::asm!(
                concat!("adrp {0}, ", $symbol),
                concat!("add {0}, {0}, :lo12:", $symbol),
                out(reg) address,
                options(pure, nomem, nostack, preserves_flags)
            )
        };
        address
    }};
}
pub(crate) use address_of;

/// The address of a function of the library's std that the linker found by its Rust name; 0 when the library has none.
macro_rules! std_function {
    ($symbol:literal) => {{
        let address: usize;
        // SAFETY: reads a cell of the image.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $symbol),
                concat!("adrp {0}, :got:", $symbol),
                concat!("ldr {0}, [{0}, :got_lo12:", $symbol, "]"),
                out(reg) address,
                options(nostack, preserves_flags)
            )
        };
        address
    }};
}
pub(crate) use std_function;
