//! System calls: the number in x8, arguments in x0 to x5, the result in x0; no other register is lost
//! (syscall(2), "Architecture calling conventions"). A result in -4095..=-1 is a negated errno.

use core::arch::asm;

macro_rules! syscall_n {
    ($(#[$doc:meta])* $name:ident, $first:ident, $($arg:ident in $reg:tt),*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The call must be sound with these arguments.
        #[inline(always)]
        pub unsafe fn $name(number: u32, $first: usize, $($arg: usize),*) -> isize {
            let result;
            // SAFETY: the caller's; the kernel changes no registers but the first.
            unsafe {
                asm!("svc #0", in("x8") number as usize, inlateout("x0") $first as isize => result,
                    $(in($reg) $arg,)* options(nostack));
            }
            result
        }
    };
}

/// A system call without arguments.
///
/// # Safety
/// The call must be sound.
#[inline(always)]
pub unsafe fn syscall0(number: u32) -> isize {
    // SAFETY: the caller's; a call without arguments does not look at any.
    unsafe { syscall1(number, 0) }
}
syscall_n!(/// A system call with one argument.
    syscall1, a,);
syscall_n!(/// A system call with two arguments.
    syscall2, a, b in "x1");
syscall_n!(/// A system call with three arguments.
    syscall3, a, b in "x1", c in "x2");
syscall_n!(/// A system call with four arguments.
    syscall4, a, b in "x1", c in "x2", d in "x3");
syscall_n!(/// A system call with five arguments.
    syscall5, a, b in "x1", c in "x2", d in "x3", e in "x4");
syscall_n!(/// A system call with six arguments.
    syscall6, a, b in "x1", c in "x2", d in "x3", e in "x4", f in "x5");
