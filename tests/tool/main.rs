//! What the tool does, tested without building programs in Go.
//!
//! One program for all of it, since each links the whole tool: `cargo test --test tool abi_exec::` runs one module.

#[path = "../common/mod.rs"]
mod common;

mod abi_exec;
mod abi_fixture;
mod bad_input;
mod blocking;
mod cli;
mod contributing;
mod determinism;
mod docs;
mod gopkg;
mod layers;
mod lengths;
mod library;
mod page;
mod published_headers;
mod runtime;
mod second_opinion;
mod sig;
mod sizes;
mod std_names;
mod work;
