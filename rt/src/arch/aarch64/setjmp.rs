//! setjmp and longjmp (setjmp(3)), for C code. The registers that a function must keep (AAPCS64 6.1.1 and 6.1.2): x19 to x30, the stack pointer, d8 to d15.
//! Word 21 says whether a signal mask follows, which `sigsetjmp` may be asked to keep.

use core::arch::naked_asm;
use core::ffi::c_int;

/// Defines the two ends of a non-local jump under the names that C code has for them.
macro_rules! set_jump {
    ($($name:ident)*) => {$(
        /// setjmp(3): 0 when it returns directly, what `longjmp` was given when it returns again. The psABI's registers go
        /// into the caller's `jmp_buf`, in this order: rbx rbp r12 r13 r14 r15 rsp rip, which is smaller than glibc's 200 bytes.
        ///
        /// # Safety
        /// The buffer must have room, and the calling function must not have returned when `longjmp` is called.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(_buffer: *mut u64) -> c_int {
            naked_asm!(
                "stp x19, x20, [x0]",
                "stp x21, x22, [x0, #16]",
                "stp x23, x24, [x0, #32]",
                "stp x25, x26, [x0, #48]",
                "stp x27, x28, [x0, #64]",
                "stp x29, x30, [x0, #80]",
                "mov x2, sp",
                "str x2, [x0, #96]",
                "stp d8, d9, [x0, #104]",
                "stp d10, d11, [x0, #120]",
                "stp d12, d13, [x0, #136]",
                "stp d14, d15, [x0, #152]",
                "str xzr, [x0, #168]",
                "mov w0, wzr",
                "ret",
            )
        }
    )*};
}

/// sigsetjmp(3), which is a macro over this: as `setjmp`; the signal mask is kept too if `_with_mask` is not 0.
///
/// # Safety
/// As for `setjmp`.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __sigsetjmp(_buffer: *mut u64, _with_mask: c_int) -> c_int {
    naked_asm!(
        "stp x19, x20, [x0]",
        "stp x21, x22, [x0, #16]",
        "stp x23, x24, [x0, #32]",
        "stp x25, x26, [x0, #48]",
        "stp x27, x28, [x0, #64]",
        "stp x29, x30, [x0, #80]",
        "mov x2, sp",
        "str x2, [x0, #96]",
        "stp d8, d9, [x0, #104]",
        "stp d10, d11, [x0, #120]",
        "stp d12, d13, [x0, #136]",
        "stp d14, d15, [x0, #152]",
        "str x30, [sp, #-16]!",
        "bl {keep}",
        "ldr x30, [sp], #16",
        "mov w0, wzr",
        "ret",
        keep = sym keep_mask,
    )
}

/// Writes whether there is a mask, and the mask, into a buffer.
///
/// # Safety
/// The buffer must have room.
unsafe extern "C" fn keep_mask(buffer: *mut u64, with_mask: c_int) {
    // SAFETY: the caller's; a mask has room for a set of signals, 128 bytes from word 22 on (glibc's `jmp_buf` has 312).
    unsafe {
        let mask: *mut libc::sigset_t = buffer.add(22).cast();
        let kept = with_mask != 0
            && libc::pthread_sigmask(libc::SIG_SETMASK, core::ptr::null(), mask) == 0;
        *buffer.add(21) = kept.into();
    }
}

/// Restores the mask of a buffer that has one.
///
/// # Safety
/// A buffer that `setjmp` or its kin filled in.
unsafe extern "C" fn restore_mask(buffer: *const u64) {
    // SAFETY: `setjmp` or its kin has written ten words there, and a mask if the ninth says so.
    unsafe {
        if *buffer.add(21) != 0 {
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                buffer.add(22).cast(),
                core::ptr::null_mut(),
            );
        }
    }
}

macro_rules! long_jump {
    ($($name:ident)*) => {$(
        /// longjmp(3): `setjmp` returns again, with this value, or 1 for 0.
        ///
        /// # Safety
        /// As for `setjmp`; the frames in between must have nothing to clean up.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(_buffer: *const u64, _value: c_int) -> ! {
            naked_asm!(
                "stp x0, x1, [sp, #-16]!",
                "bl {restore}",
                "ldp x0, x1, [sp], #16",
                "ldp x19, x20, [x0]",
                "ldp x21, x22, [x0, #16]",
                "ldp x23, x24, [x0, #32]",
                "ldp x25, x26, [x0, #48]",
                "ldp x27, x28, [x0, #64]",
                "ldp x29, x30, [x0, #80]",
                "ldr x2, [x0, #96]",
                "mov sp, x2",
                "ldp d8, d9, [x0, #104]",
                "ldp d10, d11, [x0, #120]",
                "ldp d12, d13, [x0, #136]",
                "ldp d14, d15, [x0, #152]",
                "cmp w1, #0",
                "csinc w0, w1, wzr, ne",
                "br x30",
                restore = sym restore_mask,
            )
        }
    )*};
}

set_jump! { setjmp _setjmp }
long_jump! { longjmp _longjmp siglongjmp __longjmp_chk }
