//! The machine. Each folder has the same files: `syscall` (system calls), `lane` (stack pointer, entry, switch), `depart` (leaving a lane for good), `fault` (what signal handlers see), `mem` and `find` (memory functions).

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
