//! What every stage may use and that knows none of them: errors, options, globs, and the results that are reported.

pub mod diag;
pub mod files;
pub(crate) mod globs;
pub mod options;
pub mod report;
pub(crate) mod stages;
