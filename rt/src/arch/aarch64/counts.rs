//! Where std counts the panics of a thread.

use core::arch::asm;

/// Bytes from a lane's base to std's count of the panics of its thread; 0 if the library has none.
pub fn local_panic_count() -> usize {
    let offset;
    // SAFETY: computes a constant of the linker's.
    unsafe {
        asm!(
            ".weak rsyso_std_local_panic_count",
            "movz {0}, #0",
            "add {0}, {0}, :tprel_hi12:rsyso_std_local_panic_count",
            "add {0}, {0}, :tprel_lo12_nc:rsyso_std_local_panic_count",
            out(reg) offset,
            options(pure, nomem, nostack, preserves_flags)
        )
    };
    offset
}
