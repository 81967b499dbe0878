//! Names that the library looks up while it runs (dlsym): what keeps them, and the table in which the runtime finds them.
//!
//! Nothing is loaded, so there is nothing to find but the image itself. In the table are the exports, and every C name, of the library or of
//! the runtime, that stands as a string in the library's data: what it asks for, unless it puts the name together while it runs.
//! An image in which nothing reaches dlsym has no table.

use super::Referrer;
use super::inputs::Inputs;
use super::symbols::{Symbols, is_mangled, is_reserved};
use super::{SecRef, Target};
use crate::base::hash::Map;
use crate::read::{Bind, Def, SymbolKind, Visibility};
use std::collections::BTreeMap;

/// The runtime's functions that look names up.
const LOOKUPS: &[&str] = &["dlsym", "dlvsym"];

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The section.
    pub at: SecRef,
    /// Bytes from its start.
    pub offset: u64,
    /// Whether it is the runtime's: the one that RTLD_NEXT finds.
    pub runtime: bool,
}

/// By name, sorted.
pub type LookedUp = BTreeMap<String, Place>;

/// Every C name that could be looked up.
pub struct Candidates<'a> {
    by_name: Map<&'a [u8], Place>,
    lookups: Vec<Referrer>,
}

impl<'a> Candidates<'a> {
    /// The names of all objects that take part.
    pub fn new(inputs: &'a Inputs<'_>, symbols: &Symbols) -> Self {
        let mut found = Candidates {
            by_name: Map::default(),
            lookups: Vec::new(),
        };
        for (obj, object) in inputs.objects.iter().enumerate() {
            let runtime = inputs.is_runtime(obj as u32);
            let targets = symbols.targets(obj as u32).iter();
            for (symbol, target) in object.symbols.iter().zip(targets) {
                let Target::Section { at, offset, .. } = *target else {
                    continue;
                };
                let global = symbol.bind != Bind::Local && symbol.visibility == Visibility::Default;
                let kind = matches!(
                    symbol.kind,
                    SymbolKind::Func | SymbolKind::Object | SymbolKind::None
                );
                let defined = matches!(symbol.def, Def::Section(_));
                // Of the runtime's objects only its own offers names to the library.
                let offered = !runtime || object.krate.as_deref() == Some("rsyso_rt");
                let name = &*symbol.name;
                if !(global && kind && defined && offered) || is_mangled(name) || is_reserved(name)
                {
                    continue;
                }
                if runtime && LOOKUPS.contains(&name) {
                    found.lookups.push(Referrer { at, offset });
                }
                // A definition of the library that counts goes before the runtime's.
                let runtime = inputs.is_runtime(at.obj);
                let place = Place {
                    at,
                    offset,
                    runtime,
                };
                found.by_name.entry(symbol.name.as_bytes()).or_insert(place);
            }
        }
        found
    }

    /// The functions that look names up.
    pub fn lookups(&self) -> impl Iterator<Item = SecRef> {
        self.lookups.iter().map(|found| found.at)
    }

    /// The function on whose behalf names are kept, if it is: `keeps` tells.
    pub fn looks_up(&self, keeps: impl Fn(SecRef) -> bool) -> Option<Referrer> {
        self.lookups.iter().copied().find(|found| keeps(found.at))
    }

    /// Adds what a section of the library names: in its strings, or, if it is a wrapper's, by calling an export.
    pub fn named_by(&self, inputs: &Inputs<'_>, at: SecRef, names: &mut LookedUp) {
        let section = inputs.section(at);
        if inputs.is_runtime(at.obj) {
            return;
        }
        let mut add = |name: &[u8]| {
            if let (Some(place), Ok(text)) = (self.by_name.get(name), std::str::from_utf8(name)) {
                names.insert(text.to_owned(), *place);
            }
        };
        if inputs.wrappers == Some(at.obj) {
            let symbols = &inputs.object(at.obj).symbols;
            let asked = section
                .relocs
                .iter()
                .filter_map(|r| symbols.get(r.symbol as usize));
            asked.for_each(|symbol| add(symbol.name.as_bytes()));
        } else if !section.exec() {
            let mut strings = section.data.split(|byte| *byte == 0);
            // What follows the last zero does not end.
            strings.next_back();
            strings.for_each(add);
        }
    }
}

/// Bytes of an entry: offset of the name, its bytes, offset of what it names (`Params::lookup_offset`).
const ENTRY: u64 = 12;

/// Says of a name's length that the place is the runtime's (`rt/src/c/dl.rs`).
const OF_RUNTIME: u32 = crate::contract::LOOKUP_OF_RUNTIME;

/// Bytes of the table.
pub fn size(names: &LookedUp) -> u64 {
    names.keys().map(|name| ENTRY + name.len() as u64).sum()
}

/// The table, for the place `table` of the image; `address` gives that of a section.
pub fn bytes(names: &LookedUp, table: u64, address: &dyn Fn(SecRef) -> Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut text = table + ENTRY * names.len() as u64;
    for (name, place) in names {
        let flag = if place.runtime { OF_RUNTIME } else { 0 };
        // What has no address after all is found as null.
        let to = address(place.at).map_or(0, |a| (a + place.offset) as u32);
        for word in [text as u32, name.len() as u32 | flag, to] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        text += name.len() as u64;
    }
    names
        .keys()
        .for_each(|name| bytes.extend_from_slice(name.as_bytes()));
    bytes
}
