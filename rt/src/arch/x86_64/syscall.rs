//! System calls: the number in rax, arguments in rdi rsi rdx r10 r8 r9, the result in rax; rcx and r11 are lost
//! (syscall(2), "Architecture calling conventions"). A result in -4095..=-1 is a negated errno.

use core::arch::asm;

macro_rules! syscall_n {
    ($(#[$doc:meta])* $name:ident, $($arg:ident in $reg:tt),*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The call must be sound with these arguments.
        #[inline(always)]
        pub unsafe fn $name(number: u32, $($arg: usize),*) -> isize {
            let result;
            // SAFETY: the caller's; the kernel changes no registers but these.
            unsafe {
                asm!("syscall", inlateout("rax") number as isize => result, $(in($reg) $arg,)*
                    lateout("rcx") _, lateout("r11") _, options(nostack));
            }
            result
        }
    };
}

syscall_n!(/// A system call without arguments.
    syscall0,);
syscall_n!(/// A system call with one argument.
    syscall1, a in "rdi");
syscall_n!(/// A system call with two arguments.
    syscall2, a in "rdi", b in "rsi");
syscall_n!(/// A system call with three arguments.
    syscall3, a in "rdi", b in "rsi", c in "rdx");
syscall_n!(/// A system call with four arguments.
    syscall4, a in "rdi", b in "rsi", c in "rdx", d in "r10");
syscall_n!(/// A system call with five arguments.
    syscall5, a in "rdi", b in "rsi", c in "rdx", d in "r10", e in "r8");
syscall_n!(/// A system call with six arguments.
    syscall6, a in "rdi", b in "rsi", c in "rdx", d in "r10", e in "r8", f in "r9");
