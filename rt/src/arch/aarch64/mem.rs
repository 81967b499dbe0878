//! memcpy and its kin. `find` has those that search.
//!
//! They are assembly for one reason above speed: a compiler turns byte loops into calls of these very functions.
//! Short lengths are done with two accesses of the same width that overlap in the middle, so that no length needs a loop below 129 bytes; long ones
//! are done with 64 bytes a round, to a destination that is a multiple of 16.

use core::arch::naked_asm;

/// Looks at the processor: nothing here depends on it.
pub fn detect() {}

/// Forgets what [`detect`] found.
#[cfg(test)]
pub fn undetect() {}

/// Copies x2 bytes from x1 to x0, which may overlap; returns x0. Everything of a short range is loaded before anything is stored.
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
                // The ends.
                "add x3, x1, x2",
                "add x4, x0, x2",
                "cmp x2, #16",
                "b.lo 20f",
                "cmp x2, #32",
                "b.hi 2f",
                // 16 to 32
                "ldr q0, [x1]",
                "ldur q1, [x3, #-16]",
                "str q0, [x0]",
                "stur q1, [x4, #-16]",
                "ret",
                "2:",
                "cmp x2, #64",
                "b.hi 3f",
                // 33 to 64
                "ldp q0, q1, [x1]",
                "ldp q2, q3, [x3, #-32]",
                "stp q0, q1, [x0]",
                "stp q2, q3, [x4, #-32]",
                "ret",
                "3:",
                "cmp x2, #128",
                "b.hi 4f",
                // 65 to 128
                "ldp q0, q1, [x1]",
                "ldp q2, q3, [x1, #32]",
                "ldp q4, q5, [x3, #-64]",
                "ldp q6, q7, [x3, #-32]",
                "stp q0, q1, [x0]",
                "stp q2, q3, [x0, #32]",
                "stp q4, q5, [x4, #-64]",
                "stp q6, q7, [x4, #-32]",
                "ret",
                "4:",
                // From 129 on. If the destination begins inside the source, go backwards.
                "sub x5, x0, x1",
                "cmp x5, x2",
                "b.lo 10f",
                // Forwards: the last 64 bytes and the first 16 are loaded now and stored at the end.
                "ldp q4, q5, [x3, #-64]",
                "ldp q6, q7, [x3, #-32]",
                "ldr q16, [x1]",
                "sub x4, x4, #64",
                // To the next multiple of 16 of the destination, 1 to 16 bytes on.
                "add x6, x0, #16",
                "and x6, x6, #-16",
                "sub x7, x6, x0",
                "add x1, x1, x7",
                ".p2align 4",
                "6:",
                "ldp q0, q1, [x1]",
                "ldp q2, q3, [x1, #32]",
                "add x1, x1, #64",
                "stp q0, q1, [x6]",
                "stp q2, q3, [x6, #32]",
                "add x6, x6, #64",
                "cmp x6, x4",
                "b.lo 6b",
                "stp q4, q5, [x4]",
                "stp q6, q7, [x4, #32]",
                "str q16, [x0]",
                "ret",
                "10:",
                // Backwards: the first 64 bytes and the last 16.
                "ldp q4, q5, [x1]",
                "ldp q6, q7, [x1, #32]",
                "ldur q16, [x3, #-16]",
                "add x5, x0, #64",
                // To the last multiple of 16 below the destination's end, 1 to 16 bytes back.
                "sub x6, x4, #1",
                "and x6, x6, #-16",
                "sub x7, x4, x6",
                "sub x3, x3, x7",
                ".p2align 4",
                "12:",
                "ldp q0, q1, [x3, #-32]",
                "ldp q2, q3, [x3, #-64]",
                "sub x3, x3, #64",
                "stp q0, q1, [x6, #-32]",
                "stp q2, q3, [x6, #-64]",
                "sub x6, x6, #64",
                "cmp x6, x5",
                "b.hi 12b",
                "stp q4, q5, [x0]",
                "stp q6, q7, [x0, #32]",
                "stur q16, [x4, #-16]",
                "ret",
                "20:",
                "tbz x2, #3, 22f",
                // 8 to 15
                "ldr x5, [x1]",
                "ldur x6, [x3, #-8]",
                "str x5, [x0]",
                "stur x6, [x4, #-8]",
                "ret",
                "22:",
                "tbz x2, #2, 24f",
                // 4 to 7
                "ldr w5, [x1]",
                "ldur w6, [x3, #-4]",
                "str w5, [x0]",
                "stur w6, [x4, #-4]",
                "ret",
                "24:",
                "cbz x2, 25f",
                // 1 to 3: the first, the middle, the last.
                "lsr x7, x2, #1",
                "ldrb w5, [x1]",
                "ldrb w6, [x1, x7]",
                "ldurb w9, [x3, #-1]",
                "strb w5, [x0]",
                "strb w6, [x0, x7]",
                "sturb w9, [x4, #-1]",
                "25:",
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
        "dup v0.16b, w1",
        "add x3, x0, x2",
        "cmp x2, #16",
        "b.lo 20f",
        "cmp x2, #32",
        "b.hi 2f",
        // 16 to 32
        "str q0, [x0]",
        "stur q0, [x3, #-16]",
        "ret",
        "2:",
        "cmp x2, #64",
        "b.hi 3f",
        // 33 to 64
        "stp q0, q0, [x0]",
        "stp q0, q0, [x3, #-32]",
        "ret",
        "3:",
        "cmp x2, #128",
        "b.hi 4f",
        // 65 to 128
        "stp q0, q0, [x0]",
        "stp q0, q0, [x0, #32]",
        "stp q0, q0, [x3, #-64]",
        "stp q0, q0, [x3, #-32]",
        "ret",
        "4:",
        "str q0, [x0]",
        "add x4, x0, #16",
        "and x4, x4, #-16",
        "sub x3, x3, #64",
        ".p2align 4",
        "5:",
        "stp q0, q0, [x4]",
        "stp q0, q0, [x4, #32]",
        "add x4, x4, #64",
        "cmp x4, x3",
        "b.lo 5b",
        "stp q0, q0, [x3]",
        "stp q0, q0, [x3, #32]",
        "ret",
        "20:",
        "tbz x2, #3, 22f",
        // 8 to 15
        "str d0, [x0]",
        "stur d0, [x3, #-8]",
        "ret",
        "22:",
        "tbz x2, #2, 24f",
        // 4 to 7
        "str s0, [x0]",
        "stur s0, [x3, #-4]",
        "ret",
        "24:",
        "cbz x2, 25f",
        // 1 to 3: the first, the middle, the last.
        "lsr x4, x2, #1",
        "strb w1, [x0]",
        "strb w1, [x0, x4]",
        "sturb w1, [x3, #-1]",
        "25:",
        "ret",
    )
}

/// The sign of the first difference: words that differ are compared with their first byte as the highest.
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
                "cmp x2, #16",
                "b.lo 20f",
                ".p2align 4",
                "2:",
                "ldp x4, x5, [x0]",
                "ldp x6, x7, [x1]",
                "cmp x4, x6",
                "ccmp x5, x7, #0, eq",
                "b.ne 8f",
                "add x0, x0, #16",
                "add x1, x1, #16",
                "sub x2, x2, #16",
                "cmp x2, #16",
                "b.hs 2b",
                "cbz x2, 7f",
                // The last 16, of which the first are equal.
                "sub x2, x2, #16",
                "add x0, x0, x2",
                "add x1, x1, x2",
                "ldp x4, x5, [x0]",
                "ldp x6, x7, [x1]",
                "cmp x4, x6",
                "ccmp x5, x7, #0, eq",
                "b.ne 8f",
                "7:",
                "mov w0, wzr",
                "ret",
                "8:",
                "cmp x4, x6",
                "csel x4, x4, x5, ne",
                "csel x6, x6, x7, ne",
                "rev x4, x4",
                "rev x6, x6",
                "cmp x4, x6",
                "mov w0, #1",
                "cneg w0, w0, lo",
                "ret",
                "20:",
                "add x8, x0, x2",
                "add x9, x1, x2",
                "tbz x2, #3, 22f",
                // 8 to 15
                "ldr x4, [x0]",
                "ldr x6, [x1]",
                "ldur x5, [x8, #-8]",
                "ldur x7, [x9, #-8]",
                "cmp x4, x6",
                "ccmp x5, x7, #0, eq",
                "b.ne 8b",
                "mov w0, wzr",
                "ret",
                "22:",
                "tbz x2, #2, 24f",
                // 4 to 7
                "ldr w4, [x0]",
                "ldr w6, [x1]",
                "ldur w5, [x8, #-4]",
                "ldur w7, [x9, #-4]",
                "cmp x4, x6",
                "ccmp x5, x7, #0, eq",
                "b.ne 8b",
                "mov w0, wzr",
                "ret",
                "24:",
                "cbz x2, 7b",
                // 1 to 3
                "ldrb w4, [x0], #1",
                "ldrb w6, [x1], #1",
                "subs w4, w4, w6",
                "b.ne 25f",
                "sub x2, x2, #1",
                "b 24b",
                "25:",
                "mov w0, w4",
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
