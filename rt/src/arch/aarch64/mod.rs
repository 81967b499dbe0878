//! AArch64: the stack pointer is always a multiple of 16, and a call leaves its return address in x30.
//!
//! On the goroutine's stack, the wrappers leave 16 bytes below the caller's frame: the return address, and Go's `g`, which is in x28 whenever Go's code
//! runs. `go_sp` leads to them.

#[cfg(not(test))]
pub mod aside;
#[cfg(not(test))]
mod atomics;
#[cfg(not(test))]
pub mod callback;
#[cfg(not(test))]
pub mod catch;
#[cfg(not(test))]
pub mod counts;
pub mod fault;
pub mod find;
mod frame;
#[cfg(not(test))]
pub mod fronts;
pub mod handler;
#[cfg(not(test))]
pub mod kept;
pub mod lane;
#[cfg(not(test))]
pub mod leave;
pub mod mem;
pub mod page;
#[cfg(not(test))]
pub mod polite;
pub mod setjmp;
pub mod stack;
pub mod syscall;
pub mod thread;
pub mod va_list;
pub mod vdso;
