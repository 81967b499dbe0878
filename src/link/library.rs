//! The library as it was read: its objects, its machine, and what it exports.

use super::exports::{self, Export};
use super::imports::{self, Import};
use crate::arch::{self, Arch};
use crate::base::diag::{Error, Problem, Result};
use crate::model::Signatures;
use crate::read::{self, Def, Files, Object, runtime};
use crate::sig::header::Headers;
use crate::sig::rules::owned;
use crate::sig::{self, Parsed};

/// A library as it was read.
pub struct Library<'d> {
    /// In the order of the files.
    pub objects: Vec<Object<'d>>,
    /// The machine of all objects.
    pub arch: &'static dyn Arch,
    /// Sorted by symbol.
    pub exports: Vec<Export>,
    /// Undefined functions that Go provides, sorted by symbol.
    pub imports: Vec<Import>,
    /// The version of the compiler that made the exports, when known.
    pub rustc: Option<String>,
    /// Whether it has the function of `rsyso-ffi` that frees memory.
    pub frees: bool,
}

impl<'d> Library<'d> {
    /// Parses the inputs and finds what the globs name of exports and of imports.
    pub fn parse(
        files: &'d Files,
        (exported, imported): (&[String], &[String]),
        headers: &Headers,
    ) -> Result<Library<'d>> {
        let objects = read::objects(files)?;
        let machine = objects.first().map_or(0, |o| o.machine);
        let arch = arch::by_machine(machine)
            .ok_or_else(|| Error::fault(Problem::new("unknown machine")))?;
        let exports = exports::find(&objects, exported, &|name, is_static| {
            headers.declares(name, is_static)
        })?;
        let imports = match imported.is_empty() {
            true => Vec::new(),
            false => imports::find(&objects, runtime::objects(arch.goarch())?, imported)?,
        };
        // The library's own objects tell its compiler; std's may have been built by another.
        let rustc = exports
            .iter()
            .find_map(|e| objects[e.obj as usize].rustc.clone());
        let frees = objects
            .iter()
            .flat_map(|o| &o.symbols)
            .any(|s| s.name == owned::FREE && s.def != Def::Undefined);
        Ok(Library {
            objects,
            arch,
            exports,
            imports,
            rustc,
            frees,
        })
    }

    /// Reads the signatures of some exports.
    pub fn signatures(
        &self,
        exports: &[Export],
        headers: &Headers,
        parsed: &Parsed,
    ) -> Result<Signatures> {
        let objects = self.objects.iter().map(|o| sig::Object {
            name: o.name.clone(),
            data: o.data,
            rust: o.rustc.is_some(),
        });
        let exports = exports.iter().map(|e| sig::Export {
            symbol: e.symbol.clone(),
            object: e.obj as usize,
            section: e.section as usize,
            offset: e.offset,
            is_static: e.is_static,
        });
        let imports = self.imports.iter().map(|i| sig::Import {
            symbol: i.symbol.clone(),
            object: i.obj as usize,
            by_name: i.by_name,
        });
        let (objects, exports): (Vec<_>, Vec<_>) = (objects.collect(), exports.collect());
        let wanted = sig::Wanted {
            exports: &exports,
            imports: &imports.collect::<Vec<_>>(),
        };
        sig::read(&objects, &wanted, headers, parsed, self.arch.c_abi_names())
    }
}
