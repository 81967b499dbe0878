//! rsyso turns a Rust static library into a Go package that needs nothing but `go build`.
//!
//! Data flows one way:
//!
//! ```text
//! inputs -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!                         \-> DWARF / header -> signatures -> Go model -> .go .s
//! ```

mod analyse;
pub mod arch;
pub mod base;
pub mod build;
pub mod crates;
pub mod go;
pub mod init;
pub mod link;
pub mod model;
pub mod page;
mod pipeline;
pub mod provenance;
pub mod read;
pub mod sig;
pub mod verify;
pub mod wrappers;

pub use build::build;
pub use init::init;
pub use pipeline::{convert, inspect};

/// What the linker and the runtime agree on.
#[path = "../rt-source/src/contract.rs"]
pub mod contract;
