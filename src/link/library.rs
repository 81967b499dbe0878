//! The library as it was read: its objects, its machine, and what it exports.

use super::exports::{self, Export};
use super::imports::{self, Import};
use crate::arch::{self, Arch};
use crate::base::diag::{Error, Problem, Result};
use crate::model::Signatures;
use crate::read::{self, Bind, Def, Files, Object, runtime};
use crate::sig::header::Headers;
use crate::sig::rules::owned;
use crate::sig::{self, Parsed};
use sha2::{Digest, Sha256};

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

    /// SHA-256 over what the inputs load, and the runtime, by its own sum. Debug information does not take part: it names the folders of the machine
    /// that built the library, and what it says of the API is in the Go files.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Buffered::default();
        hash.update(runtime::sha256(self.arch.goarch()).unwrap_or_default());
        let number = |hash: &mut Buffered, n: u64| hash.update(n.to_le_bytes());
        for object in &self.objects {
            for section in object.sections.iter().filter(|section| section.alloc()) {
                for n in [
                    section.flags,
                    section.size,
                    section.align,
                    section.data.len() as u64,
                ] {
                    number(&mut hash, n);
                }
                hash.update(&section.data);
                for reloc in &section.relocs {
                    let [kind, symbol] = [reloc.r_type, reloc.symbol].map(u64::from);
                    for n in [reloc.offset, kind, symbol, reloc.addend as u64] {
                        number(&mut hash, n);
                    }
                }
            }
            for symbol in &object.symbols {
                number(&mut hash, symbol.value);
                number(&mut hash, symbol.size);
                // Names that compilers make have hashes in them, which tell the folder of a crate outside of the workspace.
                let made = ["_ZN", "_R"].iter().any(|p| symbol.name.starts_with(p));
                if symbol.bind != Bind::Local && !made && !symbol.name.contains('.') {
                    number(&mut hash, symbol.name.len() as u64);
                    hash.update(symbol.name.as_bytes());
                }
            }
        }
        hash.finish()
    }
}

/// Collects what comes in small pieces.
#[derive(Default)]
struct Buffered {
    hash: Sha256,
    pieces: Vec<u8>,
}

impl Buffered {
    const MUCH: usize = 16 << 10;

    fn update(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if self.pieces.len() + bytes.len() > Self::MUCH {
            self.hash.update(&self.pieces);
            self.pieces.clear();
        }
        match bytes.len() > Self::MUCH {
            true => self.hash.update(bytes),
            false => self.pieces.extend_from_slice(bytes),
        }
    }

    fn finish(mut self) -> [u8; 32] {
        self.hash.update(&self.pieces);
        self.hash.finalize().into()
    }
}
