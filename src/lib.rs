//! rsyso turns a Rust static library into a Go package that needs nothing but `go build`.
//!
//! Data flows one way:
//!
//! ```text
//! inputs -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!                         \-> DWARF / header -> signatures -> Go model -> .go .s
//! ```

pub mod arch;
pub mod diag;
pub mod goabi;
pub mod gopkg;
pub mod link;
pub mod model;
pub mod provenance;
pub mod runtime;
pub mod sig;
pub mod verify;

/// What the linker and the runtime agree on.
#[path = "../rt/src/shared.rs"]
pub mod shared;
