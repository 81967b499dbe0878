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
//! - `header`: C headers ([`Convert::header`]). It compiles a grammar, and so needs a C compiler. Without it they are an error before any
//!   file is read:
//!
//! ```
//! let error = rsyso::Convert::new("libfoo.a").header("foo.h").run().unwrap_err();
//! # if cfg!(not(feature = "header")) {
//! assert!(error.to_string().contains("built without its feature `header`"));
//! # }
//! ```
//!
//! - `port`: bindings of cgo become packages without it. It compiles a grammar, too.
//!
//! # What is inside
//!
//! The pipeline is `src/pipeline.rs`; docs/DESIGN.md explains it.

mod analyse;
mod arch;
mod base;
mod build;
mod builder;
#[cfg(feature = "cli")]
mod cli;
mod crates;
mod go;
mod init;
mod link;
mod model;
#[cfg(feature = "cli")]
mod page;
mod pipeline;
#[cfg(feature = "port")]
mod port;
mod provenance;
mod read;
mod shim;
mod sig;
mod verify;
mod wrappers;

/// What the linker and the runtime agree on.
#[path = "../rt-source/src/contract.rs"]
mod contract;

pub use base::diag::{Error, Kind, Problem, Result};
pub use base::identifiers::Style;
pub use base::report::{Converted, Progress, Silent, Stage, Wait, Waiting};
pub use builder::Convert;

/// For the binary, the tests and the fuzz targets of this repository, which are crates of their own: no part of the library. It changes
/// without notice.
#[doc(hidden)]
pub mod internals {
    #[cfg(feature = "cli")]
    pub use crate::cli::main;
    pub use crate::pipeline::{convert, inspect};

    /// A window to modules of the crate.
    macro_rules! windows {
        ($($(#[$condition:meta])? $module:ident)*) => {
            $($(#[$condition])? pub mod $module {
                pub use crate::$module::*;
            })*
        };
    }
    windows! {
        arch base build contract crates go init model provenance read sig verify
        #[cfg(feature = "port")]
        port
    }
}
