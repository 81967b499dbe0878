//! The machine. Each folder has the same files: `syscall` (system calls), `stack` (the stack pointer, probes, addresses), `lane` (mapping a lane, the way in for a
//! wrapper that found none), `leave` (leaving a lane for good), `callback` and `kept` (leaving it for a Go function), `catch` (the unwinder's meeting with machine code), `fronts`
//! (what stands in front of functions of std), `fault` (what signal handlers see), `handler` (calling Go's), `polite` (becoming a system call of Go's), `thread` (starting one), `counts` (a thread-local of std's), `setjmp`, `va_list` (variadic
//! functions), `mem` and `find` (memory functions), `vdso` (names there), `page` (the size of a page). x86_64 has `wide` besides, aarch64 `atomics`.
//!
//! Nothing here imports a layer above: what machine code needs of them is in [`calls`], by symbol.

pub mod calls;
#[cfg(test)]
mod mem_tests;

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;

/// Makes the compiler believe that this reads the memory, so that what was written there is not left out.
#[inline(always)]
pub fn observe(memory: *const u8) {
    // SAFETY: no instruction.
    unsafe { core::arch::asm!("/* {} */", in(reg) memory, options(nostack, preserves_flags)) };
}
