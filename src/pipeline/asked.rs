//! What both commands ask of their stages.

use std::path::PathBuf;

use crate::base::diag::Result;
use crate::base::identifiers::Naming;
use crate::base::options::library_file;
use crate::go;
use crate::link::interpose;
use crate::link::library::Library;
use crate::model::{Api, Declared};
use crate::sig::rules;

/// The globs of the flags that say something of functions, and nothing of how they are read.
pub struct Flags<'a> {
    pub consumes: &'a [String],
    pub cstr: &'a [String],
    pub trust: &'a [String],
    pub blocking: &'a [String],
    pub bare: &'a [String],
}

/// What flags say of functions.
pub fn declared(api: &Api, flags: &Flags<'_>) -> Result<Declared> {
    Ok(Declared {
        consumes: rules::consumes::consumes(api, flags.consumes)?,
        cstr: rules::declared::cstr(api, flags.cstr)?,
        trusted: rules::declared::trusted(api, flags.trust)?,
        blocking: rules::declared::blocking(api, flags.blocking)?,
        bare: rules::declared::bare(api, flags.bare)?,
    })
}

/// What a Go package is planned from, but for what the user asks of `convert` alone.
pub fn request<'a>(
    library: &Library<'_>,
    inputs: &[PathBuf],
    place: &'a go::Place,
    api: &'a Api,
    declared: &'a Declared,
) -> go::Request<'a> {
    go::Request {
        place,
        api,
        declared,
        arch: library.arch,
        naming: Naming::default(),
        command: "rsyso".to_owned(),
        aborts: interpose::aborts(&library.objects),
        rustc: library.rustc.clone(),
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        library: library_file(inputs),
        present: None,
        cgo: None,
    }
}
