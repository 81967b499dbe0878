//! What every stage may use and that knows none of them: errors, options, globs, the names that identifiers of Rust and C
//! have in Go, and the results that are reported.

pub mod diag;
pub mod files;
pub(crate) mod globs;
pub mod hash;
pub mod identifiers;
pub mod options;
pub mod report;
pub(crate) mod stages;
