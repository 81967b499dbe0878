//! rsyso turns a Rust static library into a Go package that needs nothing but `go build`.
//!
//! Most people use it as a command; `rsyso --help` and the README tell how. As a library it is for build scripts and other tools:
//! [`Convert`] is a conversion, and there is little else to know.
//!
//! ```no_run
//! // build.rs of a crate that ships a Go package
//! fn main() -> Result<(), rsyso::Error> {
//!     println!("cargo::rerun-if-changed=libfoo.a");
//!     let made = rsyso::Convert::new("libfoo.a").out_dir("go").run()?;
//!     println!("cargo::warning=package {} has {} functions", made.package, made.functions.len());
//!     Ok(())
//! }
//! ```
//!
//! # Features
//!
//! All are on by default. A build script that reads no C headers needs none: `rsyso = { version = "...", default-features = false }`.
//!
//! - `cli`: the command line, with clap. The binary needs it.
//! - `header`: C headers ([`Convert::header`]). It compiles a grammar, and so needs a C compiler.
//! - `port`: bindings of cgo become packages without it. It compiles a grammar, too.
//!
//! # What is inside
//!
//! The pipeline is `src/pipeline.rs`; docs/DESIGN.md explains it. Modules that are not listed here are the tool's own: its tests see
//! them, and they change without notice.

mod analyse;
#[doc(hidden)]
pub mod arch;
#[doc(hidden)]
pub mod base;
#[doc(hidden)]
pub mod build;
mod builder;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod crates;
#[doc(hidden)]
pub mod go;
#[doc(hidden)]
pub mod init;
#[doc(hidden)]
pub mod link;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod page;
mod pipeline;
#[cfg(feature = "port")]
#[doc(hidden)]
pub mod port;
#[doc(hidden)]
pub mod provenance;
#[doc(hidden)]
pub mod read;
mod shim;
#[doc(hidden)]
pub mod sig;
#[doc(hidden)]
pub mod verify;
#[doc(hidden)]
pub mod wrappers;

pub use base::diag::{Error, Kind, Problem, Result};
pub use base::report::{Converted, Progress, Silent, Stage, Wait, Waiting};
pub use builder::Convert;

#[doc(hidden)]
pub use build::build;
#[doc(hidden)]
pub use init::init;
#[doc(hidden)]
pub use pipeline::{convert, inspect};

/// What the linker and the runtime agree on.
#[doc(hidden)]
#[path = "../rt-source/src/contract.rs"]
pub mod contract;
