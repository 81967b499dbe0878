//! What a Rust library finds under itself inside a Go process: the *runtime* of an image made by rsyso.
//!
//! The linker adds this archive to every image in a namespace of its own: the library can reach the unmangled names
//! defined here, and nothing else of it. No function here uses a thread-local of the compiler, or a name of a C
//! library that it does not define itself.
//!
//! - [`lane`]: the stack, thread-locals and control block of one thread as Rust sees it.
//! - [`boot`]: what happens once, on the first call into the image.
//! - [`alloc`]: malloc and its family. [`unwind`]: `_Unwind_*`. `c`: the rest of the C names.
//! - `depart`: the ways back into Go that are no return. `panics`: what a panic says, and its way to Go. `fault`: the end of a
//!   stack, and wild accesses; [`handlers`]: signals that others have had before. [`report`]: the text that std prints about a panic. [`names`]: names of functions.
//!   `payload`, `told`: what a panic carries, and what is known of it beside. `counts`: std's counts of panics, where LTO left out what keeps them.
//! - `room`: room on the stack for what std does under locks of its own.
//! - `callback`: Go functions that Rust calls. `handles`: which calls use which handles of Go's.
//! - [`arch`]: everything that knows the machine. [`sys`]: system calls.
#![cfg_attr(not(test), no_std)]
// The compiler knows what C's functions do and replaces calls of some by others: `strcpy` by way of `stpcpy` became a call
// of `strcpy`, an endless loop without effect, which it then removed.
#![no_builtins]
#![cfg_attr(test, allow(dead_code))] // What needs an image around it is not run in unit tests.

pub mod alloc;
pub mod arch;
#[cfg(not(test))]
pub mod args;
#[cfg(not(test))]
pub mod boot;
#[cfg(not(test))]
mod buffer;
pub mod c;
#[cfg(not(test))]
pub mod callback;
#[cfg(not(test))]
mod counts;
#[cfg(not(test))]
pub mod depart;
pub mod die;
#[cfg(not(test))]
pub mod fault;
mod handlers;
#[cfg(not(test))]
pub mod handles;
pub mod image;
pub mod lane;
pub mod lock;
pub mod names;
#[cfg(not(test))]
pub mod panics;
#[cfg(not(test))]
pub mod payload;
pub mod report;
#[cfg(not(test))]
pub mod room;
pub mod shared;
pub mod sys;
#[cfg(not(test))]
mod told;
#[cfg(not(test))]
pub mod unwind;
