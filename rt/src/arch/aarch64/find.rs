//! strlen, memchr, memrchr and the comparison of strings. They read blocks of 16 bytes, aligned or within a page of 4096 bytes, and so never touch a page that the
//! range does not.
//!
//! A comparison of 16 bytes becomes a word of four bits a byte (`shrn` by 4 keeps the middle of each pair), in memory order from the lowest bit.

use core::arch::naked_asm;

/// strlen(3)
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    naked_asm!(
        "bic x1, x0, #15",
        "ldr q0, [x1]",
        "cmeq v0.16b, v0.16b, #0",
        "shrn v0.8b, v0.8h, #4",
        "fmov x2, d0",
        // What lies before the string in its first block does not count. Of a shift by a register, the low six bits do.
        "lsl x3, x0, #2",
        "lsr x2, x2, x3",
        "cbz x2, 2f",
        "rbit x2, x2",
        "clz x2, x2",
        "lsr x0, x2, #2",
        "ret",
        ".p2align 4",
        "2:",
        "ldr q0, [x1, #16]!",
        "cmeq v0.16b, v0.16b, #0",
        "umaxp v1.16b, v0.16b, v0.16b",
        "fmov x2, d1",
        "cbz x2, 2b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x2, d0",
        "rbit x2, x2",
        "clz x2, x2",
        "sub x0, x1, x0",
        "add x0, x0, x2, lsr #2",
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
        "cbz x2, 9f",
        "dup v1.16b, w1",
        // x4 = the end; a length beyond the address space means "it is there".
        "adds x4, x0, x2",
        "csinv x4, x4, xzr, lo",
        "bic x5, x0, #15",
        "ldr q0, [x5]",
        "cmeq v0.16b, v0.16b, v1.16b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x3, d0",
        "lsl x6, x0, #2",
        "lsr x3, x3, x6",
        "cbz x3, 2f",
        "rbit x3, x3",
        "clz x3, x3",
        "add x0, x0, x3, lsr #2",
        "b 4f",
        ".p2align 4",
        "2:",
        "add x5, x5, #16",
        "cmp x5, x4",
        "b.hs 9f",
        "ldr q0, [x5]",
        "cmeq v0.16b, v0.16b, v1.16b",
        "umaxp v2.16b, v0.16b, v0.16b",
        "fmov x3, d2",
        "cbz x3, 2b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x3, d0",
        "rbit x3, x3",
        "clz x3, x3",
        "add x0, x5, x3, lsr #2",
        "4:",
        "cmp x0, x4",
        "csel x0, x0, xzr, lo",
        "ret",
        "9:",
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
        "cbz x2, 9f",
        "dup v1.16b, w1",
        "add x4, x0, x2",
        "sub x6, x4, #1",
        "bic x5, x6, #15",
        "ldr q0, [x5]",
        "cmeq v0.16b, v0.16b, v1.16b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x3, d0",
        // What lies behind the range in its last block does not count: the bits of its last byte become the highest.
        "sub x7, x5, x4",
        "lsl x7, x7, #2",
        "lsl x3, x3, x7",
        "cbnz x3, 4f",
        ".p2align 4",
        "2:",
        "cmp x5, x0",
        "b.ls 9f",
        "sub x6, x5, #1",
        "ldr q0, [x5, #-16]!",
        "cmeq v0.16b, v0.16b, v1.16b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x3, d0",
        "cbz x3, 2b",
        "4:",
        // x6 = the last byte that the highest bits stand for.
        "clz x3, x3",
        "sub x6, x6, x3, lsr #2",
        "cmp x6, x0",
        "csel x0, x6, xzr, hs",
        "ret",
        "9:",
        "mov x0, xzr",
        "ret",
    )
}

/// The first place at which two strings differ or the first one ends, at most `limit`.
///
/// # Safety
/// Both are C strings, or `limit` bytes long.
#[unsafe(naked)]
pub unsafe extern "C" fn first_difference(a: *const u8, b: *const u8, limit: usize) -> usize {
    naked_asm!(
        "mov x3, xzr",
        "mov w8, #4080",
        "2:",
        "cmp x3, x2",
        "b.hs 8f",
        "add x4, x0, x3",
        "add x5, x1, x3",
        // Sixteen bytes at once, unless they reach into the next page of either.
        "and w6, w4, #4095",
        "and w7, w5, #4095",
        "cmp w6, w8",
        "ccmp w7, w8, #2, ls",
        "b.hi 5f",
        "ldr q0, [x4]",
        "ldr q1, [x5]",
        "cmeq v1.16b, v0.16b, v1.16b",
        "cmeq v0.16b, v0.16b, #0",
        // Where they differ, and where the first ends.
        "orn v0.16b, v0.16b, v1.16b",
        "shrn v0.8b, v0.8h, #4",
        "fmov x6, d0",
        "cbnz x6, 4f",
        "add x3, x3, #16",
        "b 2b",
        "4:",
        "rbit x6, x6",
        "clz x6, x6",
        "add x3, x3, x6, lsr #2",
        "8:",
        "cmp x3, x2",
        "csel x0, x3, x2, lo",
        "ret",
        "5:",
        "ldrb w6, [x4]",
        "ldrb w7, [x5]",
        "cmp w6, w7",
        "b.ne 8b",
        "cbz w6, 8b",
        "add x3, x3, #1",
        "b 2b",
    )
}
