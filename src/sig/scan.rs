//! One pass over the debug information of an object: where each type and function is declared, and which DIEs are the exports.

use std::collections::HashSet;

use gimli::constants as dw;

use super::dwarf::{At, Debug, Die};
use crate::base::hash::Map;

/// A namespace or a type that encloses others.
#[derive(Debug)]
struct Scope {
    name: String,
    parent: Option<usize>,
}

/// The index of one object.
#[derive(Debug, Default)]
pub struct Scan {
    scopes: Vec<Scope>,
    /// The scope of each type and function.
    parents: Map<At, usize>,
    /// Functions by (encoded) address, for the addresses asked for.
    pub by_address: Map<u64, Vec<At>>,
    /// Functions by symbol, for the symbols asked for, declarations included.
    pub by_symbol: Map<String, Vec<At>>,
    /// Statics by symbol, for the symbols asked for.
    pub statics: Map<String, At>,
    /// Per unit: whether it describes types at all. `debug = "limited"` and `"line-tables-only"` describe functions without them.
    pub has_types: Vec<bool>,
    /// Per unit: the crate it was compiled from, as (crate name if told, path of its root).
    pub origins: Vec<Origin>,
}

/// Where a unit comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Path of the crate's root file; empty when the unit is not Rust's.
    pub root: std::path::PathBuf,
    /// The crate's name; empty when the unit's name does not tell.
    pub krate: String,
    /// Whether rustc made it.
    pub rust: bool,
}

impl Scan {
    /// Scans all units for the exports of one object.
    pub fn new(
        debug: &Debug<'_>,
        symbols: &HashSet<&str>,
        addresses: &HashSet<u64>,
    ) -> gimli::Result<Self> {
        let mut scan = Scan::default();
        for unit in 0..debug.units.len() {
            scan.unit(debug, unit, symbols, addresses)?;
        }
        Ok(scan)
    }

    fn unit(
        &mut self,
        debug: &Debug<'_>,
        unit: usize,
        symbols: &HashSet<&str>,
        addresses: &HashSet<u64>,
    ) -> gimli::Result<()> {
        self.origins.push(origin(debug, unit)?);
        let mut has_types = false;
        let mut stack: Vec<(isize, usize)> = Vec::new();
        debug.walk(unit, |depth, die| {
            while stack.last().is_some_and(|top| top.0 >= depth) {
                stack.pop();
            }
            let parent = stack.last().map(|top| top.1);
            let tag = die.tag();
            has_types |= matches!(tag, dw::DW_TAG_base_type | dw::DW_TAG_formal_parameter);
            let encloses = matches!(
                tag,
                dw::DW_TAG_namespace
                    | dw::DW_TAG_structure_type
                    | dw::DW_TAG_enumeration_type
                    | dw::DW_TAG_union_type
            );
            if (encloses || matches!(tag, dw::DW_TAG_subprogram | dw::DW_TAG_variable))
                && let Some(parent) = parent
            {
                self.parents.insert(die.at, parent);
            }
            if encloses && die.entry.has_children() {
                stack.push((depth, self.scopes.len()));
                self.scopes.push(Scope {
                    name: debug.name(die)?.unwrap_or_default(),
                    parent,
                });
            }
            if tag == dw::DW_TAG_subprogram {
                self.function(debug, die, symbols, addresses)?;
            }
            // Locals are not external.
            if tag == dw::DW_TAG_variable
                && die.entry.attr(dw::DW_AT_external).is_some()
                && let Some(symbol) = own_symbol(debug, die)?
                && symbols.contains(symbol.as_str())
            {
                self.statics.entry(symbol).or_insert(die.at);
            }
            Ok(())
        })?;
        self.has_types.push(has_types);
        Ok(())
    }

    fn function<'a>(
        &mut self,
        debug: &Debug<'a>,
        die: &Die<'a>,
        symbols: &HashSet<&str>,
        addresses: &HashSet<u64>,
    ) -> gimli::Result<()> {
        for address in debug.starts(die)? {
            if addresses.contains(&address) {
                self.by_address.entry(address).or_default().push(die.at);
            }
        }
        if let Some(symbol) = own_symbol(debug, die)?
            && symbols.contains(symbol.as_str())
        {
            self.by_symbol.entry(symbol).or_default().push(die.at);
        }
        Ok(())
    }

    /// The path of a type or function whose own name is given.
    pub fn path(&self, at: At, name: &str) -> Vec<String> {
        let mut path = vec![name.to_owned()];
        let mut scope = self.parents.get(&at);
        while let Some(s) = scope.and_then(|&s| self.scopes.get(s)) {
            path.push(s.name.clone());
            scope = s.parent.as_ref();
        }
        path.reverse();
        path
    }
}

/// The symbol that a DIE states itself: the linkage name, else the name, which rustc leaves it at for unmangled functions.
pub fn own_symbol<'a>(debug: &Debug<'a>, die: &Die<'a>) -> gimli::Result<Option<String>> {
    match debug.string(die, dw::DW_AT_linkage_name)? {
        Some(name) => Ok(Some(name)),
        None => debug.name(die),
    }
}

/// rustc names a unit `ROOT/@/CODEGEN_UNIT`; the latter is `CRATE.HASH-cgu.N` unless the build is incremental.
pub fn origin(debug: &Debug<'_>, unit: usize) -> gimli::Result<Origin> {
    let root = debug.root(unit)?;
    let rust = match root.entry.attr_value(dw::DW_AT_language) {
        Some(gimli::AttributeValue::Language(language)) => language == dw::DW_LANG_Rust,
        _ => false,
    };
    let name = debug.name(&root)?.unwrap_or_default();
    let (file, cgu) = name.split_once("/@/").unwrap_or((&name, ""));
    let krate = match cgu.split_once('.') {
        Some((krate, rest)) if rest.contains("-cgu.") => krate.to_owned(),
        _ => String::new(),
    };
    let dir = debug.comp_dir(unit)?.unwrap_or_default();
    Ok(Origin {
        root: std::path::Path::new(&dir).join(file),
        krate,
        rust,
    })
}
