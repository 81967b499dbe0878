//! rsyso turns a Rust static library into a Go package that needs nothing but `go build`.
//!
//! Data flows one way:
//!
//! ```text
//! inputs -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!                         \-> DWARF / header -> signatures -> Go model -> .go .s
//! ```

pub mod arch;
mod blocking;
pub mod build;
mod consumes;
pub mod diag;
mod driver;
pub mod gitattributes;
mod globs;
pub mod goabi;
pub mod gopkg;
pub mod init;
pub mod input;
pub mod link;
pub mod model;
pub mod options;
pub mod page;
pub mod provenance;
pub mod report;
pub mod runtime;
pub mod sig;
mod sizes;
mod survey;
mod trust;
pub mod uses;
pub mod verify;
pub mod wrappers;

pub use build::build;
pub use driver::convert;
pub use init::init;
pub use survey::inspect;

/// What the linker and the runtime agree on.
#[path = "../rt/src/shared.rs"]
pub mod shared;
