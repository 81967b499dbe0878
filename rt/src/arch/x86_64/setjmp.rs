//! setjmp and longjmp (setjmp(3)), for C code. The registers that a function must keep (System V x86-64 psABI, 3.2.1) and
//! the place to go on. A ninth word says whether the tenth is the signal mask, which `sigsetjmp` may be asked to keep.

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
                "mov [rdi], rbx",
                "mov [rdi + 8], rbp",
                "mov [rdi + 16], r12",
                "mov [rdi + 24], r13",
                "mov [rdi + 32], r14",
                "mov [rdi + 40], r15",
                "lea rdx, [rsp + 8]",
                "mov [rdi + 48], rdx",
                "mov rdx, [rsp]",
                "mov [rdi + 56], rdx",
                "mov qword ptr [rdi + 64], 0",
                "xor eax, eax",
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
        "push rdi",
        "mov rdi, [rsp]",
        "mov rdx, [rsp + 8]",
        "mov [rdi + 56], rdx",
        "lea rdx, [rsp + 16]",
        "mov [rdi + 48], rdx",
        "mov [rdi], rbx",
        "mov [rdi + 8], rbp",
        "mov [rdi + 16], r12",
        "mov [rdi + 24], r13",
        "mov [rdi + 32], r14",
        "mov [rdi + 40], r15",
        "call {keep}",
        "pop rdi",
        "xor eax, eax",
        "ret",
        keep = sym keep_mask,
    )
}

/// Writes whether there is a mask, and the mask, into a buffer.
///
/// # Safety
/// The buffer must have room.
unsafe extern "C" fn keep_mask(buffer: *mut u64, with_mask: c_int) {
    // SAFETY: the caller's; a mask has room for a set of signals, 128 bytes from word 9 on (glibc's `jmp_buf` has 200).
    unsafe {
        let mask: *mut libc::sigset_t = buffer.add(9).cast();
        let kept = with_mask != 0
            && libc::pthread_sigmask(libc::SIG_SETMASK, core::ptr::null(), mask) == 0;
        *buffer.add(8) = kept.into();
    }
}

/// Restores the mask of a buffer that has one.
///
/// # Safety
/// A buffer that `setjmp` or its kin filled in.
unsafe extern "C" fn restore_mask(buffer: *const u64) {
    // SAFETY: `setjmp` or its kin has written ten words there, and a mask if the ninth says so.
    unsafe {
        if *buffer.add(8) != 0 {
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                buffer.add(9).cast(),
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
                "push rdi",
                "push rsi",
                "sub rsp, 8",
                "call {restore}",
                "add rsp, 8",
                "pop rsi",
                "pop rdi",
                "mov eax, esi",
                "test eax, eax",
                "jnz 2f",
                "inc eax",
                "2:",
                "mov rbx, [rdi]",
                "mov rbp, [rdi + 8]",
                "mov r12, [rdi + 16]",
                "mov r13, [rdi + 24]",
                "mov r14, [rdi + 32]",
                "mov r15, [rdi + 40]",
                "mov rsp, [rdi + 48]",
                "jmp [rdi + 56]",
                restore = sym restore_mask,
            )
        }
    )*};
}

set_jump! { setjmp _setjmp }
long_jump! { longjmp _longjmp siglongjmp __longjmp_chk }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_goes_back_to_where_it_was_set() {
        // Rust cannot call a function that returns twice: both ends are called from assembly, which counts the returns.
        let mut buffer = [0u64; 25];
        let (sum, rounds): (u64, u64);
        // SAFETY: one frame, which does not end in between; what the second return finds in registers was kept by the
        // first one's caller.
        unsafe {
            core::arch::asm!(
                "push 0",
                "push 0",
                "mov rdi, r13",
                "call {set}",
                "add [rsp], rax",
                "inc qword ptr [rsp + 8]",
                "cmp eax, 5",
                "je 2f",
                // The first jump asks for 0, the second for 5.
                "xor esi, esi",
                "mov edx, 5",
                "cmp qword ptr [rsp + 8], 1",
                "cmovne esi, edx",
                "mov rdi, r13",
                "call {jump}",
                "2:",
                "pop r12",
                "pop r14",
                set = sym setjmp,
                jump = sym longjmp,
                in("r13") buffer.as_mut_ptr(),
                out("r12") sum,
                out("r14") rounds,
                clobber_abi("C"),
            );
        }
        // 0 at first, then 1 for 0, then 5.
        assert_eq!((sum, rounds), (6, 3));
    }
}
