//! What a Rust library finds under itself inside a Go process: the *runtime* of an image made by rsyso.
//!
//! The linker adds this archive to every image in a namespace of its own: the library can reach the unmangled names
//! defined here, and nothing else of it. No function here uses a thread-local of the compiler, or a name of a C
//! library that it does not define itself.
//!
//! Each layer uses those above it in this list, and none below (`tests/tool/layers` of the tool holds that):
//!
//! - [`contract`]: what the linker and the runtime agree on.
//! - [`arch`]: everything that knows the machine. [`sys`]: system calls, and what stands on nothing else.
//! - [`image`]: the image that this code is linked into.
//! - [`alloc`]: the heap behind malloc.
//! - [`lane`]: the stack, thread-locals and control block of one thread as Rust sees it.
//! - [`leave`]: the ways out: Go functions that Rust calls, panics, faults, unwinding.
//! - [`c`]: the C names.
//! - `enter`: the way in.
#![cfg_attr(not(test), no_std)]
// The compiler knows what C's functions do and replaces calls of some by others: `strcpy` by way of `stpcpy` became a call
// of `strcpy`, an endless loop without effect, which it then removed.
#![no_builtins]
#![cfg_attr(test, allow(dead_code, unused_imports, unused_macros))] // What needs an image around it is not run in unit tests.

pub mod alloc;
pub mod arch;
pub mod c;
pub mod contract;
#[cfg(not(test))]
pub mod enter;
pub mod image;
pub mod lane;
pub mod leave;
pub mod sys;
