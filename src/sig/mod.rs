//! Signatures, and what they mean: from debug information and headers to the model.
//!
//! DWARF gives parameters, layouts and places; the source, where it is at hand, adds what DWARF leaves out (`repr(C)`, doc comments).
//! A C header stands in where there is no debug information ([`header`]). What [`read`] gives is as C has it; the [`rules`] find what is meant by it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::base::diag::{Error, Problem, Result};
use crate::model::{Signatures, Source};

mod attributes;
mod c_char;
mod callback_names;
pub(crate) mod dwarf;
mod finish;
mod foreign;
mod function;
mod function_pointers;
// Without the parser, nobody makes the declarations that the rest of it knows.
#[cfg_attr(not(feature = "header"), allow(dead_code))]
pub mod header;
mod layout;
mod merged;
mod niche;
mod opaque;
pub mod rules;
mod scan;
mod shape;
mod source;
mod statics;
mod sums;
mod syntax;
mod types;
mod written;

/// How to get debug information that tells signatures.
pub(crate) const DEBUG_IN_FULL: &str = "set `debug = \"full\"` under [profile.release] (or CARGO_PROFILE_RELEASE_DEBUG=full), leave `strip` off, and build again";

/// How to get it into the objects.
pub(crate) const DEBUG_UNSPLIT: &str =
    "set `split-debuginfo = \"off\"` under [profile.release] and build again";

/// The way out when there is no debug information, or none that is of use.
pub(crate) const GIVE_HEADER: &str = "give a C header that declares it with --header";

use dwarf::{Debug, Sections, encode_address, malformed};
use function::Reader;
use header::Headers;
use scan::Scan;
use shape::View;
use source::Sources;
pub use source::{CARGO_HOME, Parsed, cargo_home};

/// `src/lib.rs:12`, for messages.
fn place_of(source: &Source) -> String {
    format!("{}:{}", source.file, source.line)
}

/// The way out for a function that cannot be had.
fn leave_out(symbol: &str) -> String {
    format!("leave it out with --export '!{symbol}'")
}

/// One relocatable object, as bytes, with how to name it in messages (`libfoo.a(member.o)`).
pub struct Object<'a> {
    /// `libfoo.a(member.o)`.
    pub name: String,
    /// The ELF file.
    pub data: &'a [u8],
    /// Whether rustc compiled it.
    pub rust: bool,
}

/// An exported symbol and where it is defined.
pub struct Export {
    /// The unmangled symbol.
    pub symbol: String,
    /// Index into the objects.
    pub object: usize,
    /// ELF section index.
    pub section: usize,
    /// Bytes from the start of the section.
    pub offset: u64,
    /// Whether it is a static.
    pub is_static: bool,
}

impl Export {
    fn address(&self) -> Option<u64> {
        encode_address(self.section, self.offset)
    }
}

/// A function that the library calls and Go provides.
pub struct Import {
    /// The undefined symbol.
    pub symbol: String,
    /// Index of an object that refers to it.
    pub object: usize,
    /// Whether the user named it in full: then it is an error if nothing declares it.
    pub by_name: bool,
}

/// Whose signatures are wanted.
pub struct Wanted<'a> {
    /// What Go calls.
    pub exports: &'a [Export],
    /// What Go provides.
    pub imports: &'a [Import],
}

impl<'a> Wanted<'a> {
    /// Those of exports alone.
    pub fn exports(exports: &'a [Export]) -> Self {
        Wanted {
            exports,
            imports: &[],
        }
    }
}

/// Reads the signatures of the exports from the debug information of the objects that define them, and from headers.
/// Source files are parsed into `parsed`, unless they are there. `own_abis` is what the machine's C convention is called besides `C`.
pub fn read(
    objects: &[Object<'_>],
    wanted: &Wanted<'_>,
    headers: &Headers,
    parsed: &Parsed,
    own_abis: &[&str],
) -> Result<Signatures> {
    let Wanted { exports, imports } = wanted;
    let mut by_object: BTreeMap<usize, Vec<&Export>> = BTreeMap::new();
    for export in *exports {
        by_object.entry(export.object).or_default().push(export);
    }
    for import in *imports {
        by_object.entry(import.object).or_default();
    }
    // The debug sections of every object that defines an export, or refers to an import, decompressed.
    let mut sections = BTreeMap::new();
    for &index in by_object.keys() {
        let object = objects
            .get(index)
            .ok_or_else(|| Error::fault(Problem::new(format!("there is no object {index}"))))?;
        sections.insert(index, (object, Sections::read(&object.name, object.data)?));
    }
    // Their units.
    let mut debugs = BTreeMap::new();
    for (&index, (object, sections)) in &sections {
        debugs.insert(index, Debug::parse(&object.name, sections)?);
    }
    // One pass over each: scopes, and the DIEs of the exports.
    let mut scans = HashMap::new();
    for (index, debug) in &debugs {
        let exports = by_object.get(index).map_or(&[][..], Vec::as_slice);
        let symbols: HashSet<&str> = exports.iter().map(|e| e.symbol.as_str()).collect();
        let addresses: HashSet<u64> = exports.iter().filter_map(|e| e.address()).collect();
        scans.insert(
            *index,
            Scan::new(debug, &symbols, &addresses).map_err(|e| malformed(debug.name, e))?,
        );
    }
    let view = |index: usize| {
        Some(View {
            debug: debugs.get(&index)?,
            scan: scans.get(&index)?,
        })
    };
    let views: Vec<Option<View<'_, '_>>> = (0..objects.len()).map(view).collect();
    // Where crates begin, for their sources.
    let mut sources = Sources::new(parsed.clone(), |krate| roots(objects, krate));
    for origin in debugs
        .keys()
        .filter_map(|i| scans.get(i))
        .flat_map(|s| &s.origins)
        .filter(|o| !o.krate.is_empty())
    {
        sources.add_root(&origin.krate, origin.root.clone());
    }
    // The signatures, in the order of the symbols.
    let mut sorted: Vec<&Export> = exports.iter().collect();
    sorted.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    let mut reader = Reader::new(&views, sources, own_abis);
    for export in sorted {
        reader.function(
            export,
            objects.get(export.object).map_or("", |o| o.name.as_str()),
        )?;
    }
    let of_rust = |e: &&Export| objects.get(e.object).is_some_and(|o| o.rust);
    let rust: HashSet<&str> = exports
        .iter()
        .filter(of_rust)
        .map(|e| e.symbol.as_str())
        .collect();
    let foreign = |symbol: &str| !rust.contains(symbol);
    for import in *imports {
        reader.import(import, headers);
    }
    Ok(apart(reader.finish(headers, &foreign)?, imports))
}

/// What Go calls apart from what it provides.
fn apart(mut read: Signatures, imports: &[Import]) -> Signatures {
    let provided: HashSet<&str> = imports.iter().map(|i| i.symbol.as_str()).collect();
    let (imports, functions) = std::mem::take(&mut read.functions)
        .into_iter()
        .partition(|f| provided.contains(f.symbol.as_str()));
    Signatures {
        functions,
        imports,
        ..read
    }
}

/// Where a crate begins that no unit read so far belongs to: asked of the objects that are named after it, as rustc does.
fn roots(objects: &[Object<'_>], krate: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for object in objects.iter().filter(|o| o.name.contains(krate)) {
        // Only docs and `repr`s are at stake, so an object that cannot be read is left to those who need it.
        let Ok(sections) = Sections::read(&object.name, object.data) else {
            continue;
        };
        let Ok(debug) = Debug::parse(&object.name, &sections) else {
            continue;
        };
        let origins = (0..debug.units.len()).filter_map(|unit| scan::origin(&debug, unit).ok());
        found.extend(
            origins
                .filter(|o| o.rust && o.krate == krate)
                .map(|o| o.root),
        );
    }
    found.sort();
    found.dedup();
    found
}
