//! strlen, memchr, memrchr and the comparison of strings. DRAFT: a byte at a time.

use core::arch::naked_asm;

/// strlen(3)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    naked_asm!(
        "mov x1, x0",
        "2:",
        "ldrb w2, [x1], #1",
        "cbnz w2, 2b",
        "sub x0, x1, x0",
        "sub x0, x0, #1",
        "ret",
    )
}

/// memchr(3)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memchr(from: *const u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "and w1, w1, #0xff",
        "2:",
        "cbz x2, 3f",
        "ldrb w3, [x0], #1",
        "sub x2, x2, #1",
        "cmp w3, w1",
        "b.ne 2b",
        "sub x0, x0, #1",
        "ret",
        "3:",
        "mov x0, xzr",
        "ret",
    )
}

/// memrchr(3)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memrchr(from: *const u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "and w1, w1, #0xff",
        "2:",
        "cbz x2, 3f",
        "sub x2, x2, #1",
        "ldrb w3, [x0, x2]",
        "cmp w3, w1",
        "b.ne 2b",
        "add x0, x0, x2",
        "ret",
        "3:",
        "mov x0, xzr",
        "ret",
    )
}

/// Where two strings differ or end first, or the limit (see the other machine)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
pub unsafe extern "C" fn first_difference(a: *const u8, b: *const u8, limit: usize) -> usize {
    naked_asm!(
        "mov x3, xzr",
        "2:",
        "cmp x3, x2",
        "b.hs 3f",
        "ldrb w4, [x0, x3]",
        "ldrb w5, [x1, x3]",
        "cmp w4, w5",
        "b.ne 3f",
        "cbz w4, 3f",
        "add x3, x3, #1",
        "b 2b",
        "3:",
        "mov x0, x3",
        "ret",
    )
}
