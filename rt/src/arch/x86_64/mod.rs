//! x86-64: the stack is 16-byte aligned before a call, and a call pushes its return address on it.

#[cfg(not(test))]
pub mod aside;
#[cfg(not(test))]
pub mod callback;
#[cfg(not(test))]
pub mod catch;
#[cfg(not(test))]
pub mod counts;
#[cfg(not(test))]
pub mod fault;
pub mod find;
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
mod wide;
