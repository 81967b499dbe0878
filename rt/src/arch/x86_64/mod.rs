//! x86-64: the stack is 16-byte aligned before a call, and a call pushes its return address on it.

#[cfg(not(test))]
pub mod callback;
#[cfg(not(test))]
pub mod counts;
#[cfg(not(test))]
pub mod depart;
#[cfg(not(test))]
pub mod fault;
pub mod find;
pub mod lane;
pub mod mem;
#[cfg(not(test))]
pub mod room;
pub mod syscall;
pub mod thread;

#[cfg(test)]
mod mem_tests;
pub mod setjmp;
pub mod va_list;
