//! What is told of a ported package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::binding::Binding;
use super::gotypes;
use crate::base::report::count;

/// What `port` made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ported {
    /// Name of the package.
    pub package: String,
    /// The machines that it is ported for, as Go calls them.
    pub machines: Vec<String>,
    /// The import path of the package with the image.
    pub image_path: String,
    /// Where the ported files lie.
    pub out_dir: PathBuf,
    /// The files, the ported ones first.
    pub files: Vec<PathBuf>,
    /// The functions of C that are called.
    pub functions: BTreeSet<String>,
    /// The types of C that are used.
    pub types: BTreeSet<String>,
    /// The constants of C that are used.
    pub constants: BTreeSet<String>,
    /// Fields that Go cannot have, as `struct.field`.
    pub left_out: BTreeSet<String>,
    /// The libraries that are linked.
    pub libraries: Vec<String>,
    /// Bytes of the images of all machines.
    pub image_size: u64,
    /// The originals that would be built beside the ported files with `-tags rsyso` and cgo, each with the line that it lacks.
    pub unconstrained: BTreeMap<PathBuf, String>,
}

impl Ported {
    /// Adds what was mapped for one machine.
    pub(super) fn add(&mut self, binding: &Binding<'_>) {
        let stripped = |name: &String, prefixes: &[&str]| {
            let rest = prefixes.iter().find_map(|p| name.strip_prefix(p));
            rest.map(str::to_owned)
        };
        let calls = binding.calls.keys();
        self.functions
            .extend(calls.filter_map(|n| stripped(n, &["_Cfunc_", "_C2func_"])));
        let types = binding.types.defined.keys();
        self.types
            .extend(types.filter_map(|n| stripped(n, &[gotypes::PREFIX])));
        let constants = binding.constants.keys();
        let prefixes = ["_Ciconst_", "_Cfconst_", "_Csconst_"];
        self.constants
            .extend(constants.filter_map(|n| stripped(n, &prefixes)));
        for (name, definition) in &binding.types.defined {
            let name = name.trim_start_matches(gotypes::PREFIX);
            let fields = definition.left_out.iter();
            self.left_out
                .extend(fields.map(|field| format!("{name}.{field}")));
        }
    }
}

/// What was mapped, in a line.
pub fn summary(ported: &Ported) -> String {
    [
        count(ported.functions.len(), "function"),
        count(ported.types.len(), "type"),
        count(ported.constants.len(), "constant"),
    ]
    .join(", ")
}
