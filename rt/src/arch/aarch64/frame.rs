//! The registers that a C function keeps (AAPCS64 6.1.1 and 6.1.2), on the stack of a lane that is left and entered again.
//!
//! ```text
//! sp -> where to go on | free | x19 to x30 | d8 to d15
//! ```

/// Makes the frame, and keeps the registers there.
macro_rules! push {
    () => {
        "sub sp, sp, #176
        stp x19, x20, [sp, #16]
        stp x21, x22, [sp, #32]
        stp x23, x24, [sp, #48]
        stp x25, x26, [sp, #64]
        stp x27, x28, [sp, #80]
        stp x29, x30, [sp, #96]
        stp d8, d9, [sp, #112]
        stp d10, d11, [sp, #128]
        stp d12, d13, [sp, #144]
        stp d14, d15, [sp, #160]"
    };
}
pub(super) use push;

/// Takes them back, and the frame off.
macro_rules! pop {
    () => {
        "ldp x19, x20, [sp, #16]
        ldp x21, x22, [sp, #32]
        ldp x23, x24, [sp, #48]
        ldp x25, x26, [sp, #64]
        ldp x27, x28, [sp, #80]
        ldp x29, x30, [sp, #96]
        ldp d8, d9, [sp, #112]
        ldp d10, d11, [sp, #128]
        ldp d12, d13, [sp, #144]
        ldp d14, d15, [sp, #160]
        add sp, sp, #176"
    };
}
pub(super) use pop;

/// Bytes that wrappers leave on the goroutine's stack, where `go_sp` leads: where to return to in Go, and g.
pub(super) const WRAPPER: usize = 16;
