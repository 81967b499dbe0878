//! The C names that Rust's std and common C code ask for, one family per file.
//!
//! A name stands here only if it does what its manual page says inside a Go process, or reports an error that says
//! that it cannot. What is missing is an error at convert time. Every definition is held against the declaration in
//! the `libc` crate by the compiler ([`c_fn`], [`syscalls`]).
//!
//! Nothing here may use a name of a C library that the runtime does not define.

#[macro_use]
mod define;

#[cfg(not(test))]
pub mod args;
pub mod brk;
pub mod c11;
pub mod calendar;
pub mod checks;
pub mod ctype;
pub mod dir;
pub mod dl;
pub mod env;
pub mod errno;
pub mod exec;
pub mod fd;
pub mod file;
pub mod fnmatch;
pub mod frames;
pub mod fs;
pub mod ipc;
pub mod locale;
pub mod log;
#[cfg(not(test))]
pub mod malloc;
pub mod math;
pub mod mman;
pub mod netdb;
pub mod path;
pub mod poll;
pub mod printf;
pub mod process;
pub mod scanf;
pub mod sched;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod stdio;
pub mod stdlib;
pub mod string;
pub mod sync;
pub mod sysconf;
pub mod terminal;
pub mod thread;
pub mod time;
pub mod users;
pub mod wctype;
pub mod xstat;
