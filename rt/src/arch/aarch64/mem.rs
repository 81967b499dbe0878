//! memcpy and its kin. DRAFT: right, and slow. What is wanted: loads of 16 bytes in pairs that overlap at the ends, 64 bytes a round.
//!
//! They are assembly because a compiler turns byte loops into calls of these very functions.

use core::arch::{asm, naked_asm};

/// Looks at the processor: nothing here depends on it.
pub fn detect() {}

/// Makes the compiler believe that this reads the memory, so that what was written there is not left out.
#[inline(always)]
pub fn observe(memory: *const u8) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {} */", in(reg) memory, options(nostack, preserves_flags)) };
}

macro_rules! copy {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As in C.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
            naked_asm!(
                "sub x3, x0, x1",
                "cmp x3, x2",
                "b.lo 3f",
                // Forwards: the destination does not begin within the source.
                "mov x4, x0",
                "2:",
                "cbz x2, 5f",
                "ldrb w5, [x1], #1",
                "strb w5, [x4], #1",
                "sub x2, x2, #1",
                "b 2b",
                "3:",
                "cbz x2, 5f",
                "sub x2, x2, #1",
                "ldrb w5, [x1, x2]",
                "strb w5, [x0, x2]",
                "b 3b",
                "5:",
                "ret",
            )
        }
    };
}
copy!(
    /// memcpy(3)
    memcpy
);
copy!(
    /// memmove(3)
    memmove
);

/// memset(3)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "mov x3, x0",
        "2:",
        "cbz x2, 3f",
        "strb w1, [x3], #1",
        "sub x2, x2, #1",
        "b 2b",
        "3:",
        "ret",
    )
}

macro_rules! compare {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As in C.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(a: *const u8, b: *const u8, len: usize) -> i32 {
            naked_asm!(
                "2:",
                "cbz x2, 3f",
                "ldrb w3, [x0], #1",
                "ldrb w4, [x1], #1",
                "sub x2, x2, #1",
                "subs w5, w3, w4",
                "b.eq 2b",
                "mov w0, w5",
                "ret",
                "3:",
                "mov w0, wzr",
                "ret",
            )
        }
    };
}
compare!(
    /// memcmp(3)
    memcmp
);
compare!(
    /// bcmp(3)
    bcmp
);
