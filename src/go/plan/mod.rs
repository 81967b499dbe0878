//! What a Go package is made of, given an API.
//!
//! | file | what it plans |
//! | --- | --- |
//! | `check` | what Go cannot express, and is refused |
//! | `scope`, `handles`, `ownership` | names; types with methods, and what the garbage collector frees of them |
//! | `export` | what each export is in Go: declaration, body, stub, and what its wrapper has to do |
//! | `border` | what functions look at before a call |
//! | `types`, `layouts`, `opaque`, `handle_types` | types, and the checks that they lie as the library's do |
//! | `large`, `callbacks`, `depart`, `owned`, `race`, `lengths`, `escape` | what bodies need beyond a call |
//! | `doc`, `lead` | Go comments from Rust ones |
//! | `files` | which of it stands in which file |

mod border;
mod callbacks;
mod check;
mod depart;
mod doc;
mod escape;
mod export;
mod files;
mod handle_types;
mod handles;
mod large;
mod layouts;
mod lead;
mod lengths;
mod opaque;
mod owned;
mod ownership;
mod race;
mod runtime_structs;
mod scope;
mod types;
mod uses;

use std::collections::BTreeMap;

use crate::arch::Arch;
use crate::base::diag::{Error, Kind, Result};
use crate::model::{Api, Declared};

use super::names::{self, Prefix};
use super::package::GoPackage;
use super::place::{self, Place, Present};
use export::Export;
use scope::Scope;

pub use check::unsupported;
pub use scope::function_names;

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
    /// What Go names leave out.
    pub go_prefix: Prefix,
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
    /// Of the inputs, in hexadecimal.
    pub sha256: String,
    /// What the directory holds already, from [`super::present`].
    pub present: Option<&'a Present>,
}

/// Plans the package. All that Go cannot express is listed, by function, parameter and source line; so are names that clash.
pub fn plan(r: &Request<'_>) -> Result<GoPackage> {
    let problems = r.api.functions().iter().flat_map(|f| unsupported(r.api, f));
    Error::check(Kind::Unsupported, problems.collect(), ())?;
    let library = names::library_name(std::path::Path::new(&r.library));
    let scope = scope::scope(r.api, r.declared, &r.go_prefix, &library)?;
    let all = 0..r.api.functions().len();
    let exports: Vec<Export<'_>> = all
        .filter_map(|index| Export::new(r, &scope, index))
        .collect();
    let calls = uses::calls(&scope, &exports)?;
    let plan = Plan {
        request: r,
        scope: &scope,
        exports: &exports,
        arches: arches(r),
    };
    Ok(GoPackage {
        name: r.place.package.clone(),
        marker: marker(&r.command),
        sources: plan.sources(),
        assembly: plan.assembly(),
        functions: exports.iter().map(Export::signature).collect(),
        calls,
        notes: scope.handles.notes.clone(),
    })
}

/// What the files are made of.
struct Plan<'a> {
    request: &'a Request<'a>,
    scope: &'a Scope,
    exports: &'a [Export<'a>],
    /// GOARCHes that the package has native code for, in order, each with the line of its origin.
    arches: BTreeMap<String, String>,
}

/// Every architecture that the package will have, with the line about its origin.
fn arches(r: &Request<'_>) -> BTreeMap<String, String> {
    let own = r.arch.goarch();
    let mut all = r.present.map_or_else(BTreeMap::new, |p| p.others(own));
    all.insert(own.to_string(), origin(r));
    all
}

/// The line of the package comment that says where the code for this architecture comes from.
fn origin(r: &Request<'_>) -> String {
    let crates = match r.api.crates().as_slice() {
        [] => String::new(),
        [one] => format!(", crate {one}"),
        all => format!(", crates {}", all.join(" ")),
    };
    let rustc = r
        .rustc
        .as_deref()
        .map_or(String::new(), |v| format!(", {}", rustc(v)));
    doc::line(&format!(
        "{}{}: {}, SHA-256 {}{crates}{rustc}, rsyso {}",
        place::ORIGIN,
        r.arch.goarch(),
        r.library,
        r.sha256,
        r.rsyso
    ))
}

/// The compiler, named once.
fn rustc(version: &str) -> String {
    match version.starts_with("rustc") {
        true => version.to_string(),
        false => format!("rustc {version}"),
    }
}

/// The first line of generated files (https://go.dev/s/generatedcode).
fn marker(command: &str) -> String {
    let rest = command.strip_prefix("rsyso").unwrap_or(command);
    let command = format!("rsyso {}", doc::line(rest).trim());
    format!("// Code generated by {}; DO NOT EDIT.", command.trim_end())
}
