//! Go packages, built and run as Go developers do: the fixtures in every mode of `go build`, and what `rsyso build` and `init` make.
//!
//! One program for all of it, since each links the whole tool: `cargo test --test go build::` runs one module.

#[path = "../common/mod.rs"]
mod common;

mod arm64;
mod build;
mod cgo;
mod crate_tests;
mod examples;
mod go_modes;
mod go_package;
mod header;
mod init;
mod libraries;
mod native;
mod old;
mod package;
mod port;
mod profiles;
mod readme;
mod tutorial;
mod verify_program;
