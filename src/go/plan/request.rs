//! What a package is planned from.

use crate::arch::Arch;
use crate::base::identifiers::Naming;
use crate::base::options::CgoMachine;
use crate::go::place::{CgoPresent, Place, Present};
use crate::model::{Api, Declared};
use crate::shim::Shim;

/// All that a package is planned from.
pub struct Request<'a> {
    /// Where the package goes.
    pub place: &'a Place,
    /// What it offers.
    pub api: &'a Api,
    /// What flags say of that.
    pub declared: &'a Declared,
    /// The machine.
    pub arch: &'a dyn Arch,
    /// How it is named.
    pub naming: Naming,
    /// For the first line, e.g. `rsyso convert libfoo.a`. Begins with `rsyso`.
    pub command: String,
    /// Whether the library was built with `panic = "abort"`.
    pub aborts: bool,
    /// Version of the compiler that made the library, when known.
    pub rustc: Option<String>,
    /// Version of this tool.
    pub rsyso: String,
    /// File name of the library, e.g. `libfoo.a`.
    pub library: String,
    /// What the directory holds already, from [`crate::go::present`].
    pub present: Option<&'a Present>,
    /// Where Go calls through cgo, if it does anywhere.
    pub cgo: Option<Cgo<'a>>,
}

/// What Go calls through cgo, and where.
pub struct Cgo<'a> {
    /// The shim of the API.
    pub shim: &'a Shim,
    /// The machines that it is built for in this run.
    pub machines: &'a [CgoMachine],
    /// Those of earlier runs, whose archives are there.
    pub present: Option<&'a CgoPresent>,
}

/// Which of the Go files that offer the API.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// With native code.
    Native,
    /// That calls through cgo.
    Cgo,
    /// For every other platform.
    Unsupported,
}
