//! The functions of the image by name: for its symbols, and for the table in which the runtime looks up what a fault happened in.

use super::SecRef;
use super::inputs::Inputs;
use super::interpose;
use super::names::demangle;
use crate::base::hash::Map;
use crate::read::{Def, SymbolKind};
use std::ops::Range;

/// Named places of code sections, by section, in order: offset and symbol.
pub type Functions<'a> = Map<SecRef, Vec<(u64, &'a str)>>;

/// The named places of the code sections that `keeps` asks for.
pub fn functions<'a>(inputs: &'a Inputs<'_>, keeps: &dyn Fn(SecRef) -> bool) -> Functions<'a> {
    let mut found: Functions<'a> = Map::default();
    for (obj, object) in inputs.objects.iter().enumerate() {
        for symbol in &object.symbols {
            let Def::Section(sec) = symbol.def else {
                continue;
            };
            let at = SecRef {
                obj: obj as u32,
                sec,
            };
            let section = inputs.section(at);
            let code = matches!(symbol.kind, SymbolKind::Func | SymbolKind::None);
            // Mapping symbols (`$x`, `$d`) tell code from data on some machines, and name neither (AAELF64, "Mapping symbols").
            let maps = symbol.kind == SymbolKind::None && symbol.name.starts_with('$');
            if code
                && section.exec()
                && !symbol.name.is_empty()
                && !maps
                && symbol.value < section.size
                && keeps(at)
            {
                let list = found.entry(at).or_default();
                list.push((symbol.value, &symbol.name));
            }
        }
    }
    for list in found.values_mut() {
        list.sort_unstable();
        list.dedup_by_key(|(value, _)| *value);
    }
    found
}

/// The longest name in the table, in bytes. Those of deeply generic functions would be half of it.
const NAME_MAX: usize = 96;

/// Bytes of an entry: offset of the function, offset of the name, bytes of the name (`Params::names_offset`).
const ENTRY: usize = 12;

/// The table of names, before its functions have addresses.
#[derive(Debug, Default)]
pub struct NameTable {
    /// Function, offset in its section, and the range of its name in `text`, where a zero follows; in the order of sections and offsets.
    entries: Vec<(SecRef, u64, Range<usize>)>,
    /// Their names in full.
    full: Vec<String>,
    text: Vec<u8>,
}

impl NameTable {
    /// The names of all code that is kept.
    pub fn new(inputs: &Inputs<'_>, keeps: &dyn Fn(SecRef) -> bool) -> Self {
        let mut table = NameTable::default();
        let mut known: Map<String, Range<usize>> = Map::default();
        let mut all: Vec<_> = functions(inputs, keeps).into_iter().collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        for (at, list) in all {
            for (offset, symbol) in list {
                let full = demangle(symbol);
                let name = interpose::stands_for(symbol).unwrap_or(&full);
                let range = known.entry(shortened(name)).or_insert_with_key(|name| {
                    let from = table.text.len();
                    table.text.extend_from_slice(name.as_bytes());
                    table.text.push(0);
                    from..table.text.len() - 1
                });
                table.entries.push((at, offset, range.clone()));
                table.full.push(full);
            }
        }
        table
    }

    /// Each function and the bytes that its name takes; a text that several share counts for the first.
    pub fn entries(&self) -> impl Iterator<Item = (SecRef, u64, u64)> {
        let mut told = 0;
        self.entries.iter().map(move |(at, offset, name)| {
            let end = name.end + 1;
            let fresh = end.saturating_sub(told.max(name.start));
            told = told.max(end);
            (*at, *offset, (ENTRY + fresh) as u64)
        })
    }

    /// The functions of a section: where each begins, and its name in full.
    pub fn of(&self, at: SecRef) -> impl Iterator<Item = (u64, &str)> {
        let from = self.entries.partition_point(|(section, ..)| *section < at);
        let all = self.entries.iter().zip(&self.full).skip(from);
        let own = all.take_while(move |((section, ..), _)| *section == at);
        own.map(|((_, offset, _), full)| (*offset, full.as_str()))
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Bytes of entries and text.
    pub fn size(&self) -> u64 {
        (self.entries.len() * ENTRY + self.text.len()) as u64
    }

    /// The bytes, for the place `at` of the image; `address` gives that of a section.
    pub fn bytes(&self, at: u64, address: &dyn Fn(SecRef) -> Option<u64>) -> Vec<u8> {
        let text = at + (self.entries.len() * ENTRY) as u64;
        let mut entries: Vec<[u32; 3]> = Vec::with_capacity(self.entries.len());
        for (section, offset, name) in &self.entries {
            // What has no address after all sorts last, and is never found.
            let function = address(*section).map_or(u32::MAX, |a| (a + offset) as u32);
            entries.push([
                function,
                (text + name.start as u64) as u32,
                name.len() as u32,
            ]);
        }
        entries.sort_unstable();
        let mut bytes: Vec<u8> = entries
            .iter()
            .flatten()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        bytes.extend_from_slice(&self.text);
        bytes
    }
}

/// A name of at most [`NAME_MAX`] bytes; what is left out stands as `...`.
fn shortened(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let end = (0..=NAME_MAX - 3).rev().find(|i| name.is_char_boundary(*i));
    format!("{}...", &name[..end.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_at_a_character() {
        assert_eq!(shortened("a::b"), "a::b");
        let long = shortened(&"é".repeat(100));
        assert!(long.len() <= NAME_MAX && long.ends_with("é..."), "{long}");
    }

    #[test]
    fn the_table_is_sorted_by_address_and_shares_texts() {
        let at = |sec| SecRef { obj: 0, sec };
        let table = NameTable {
            entries: vec![(at(1), 0, 0..1), (at(2), 4, 0..1)],
            full: vec!["f".to_owned(); 2],
            text: b"f\0".to_vec(),
        };
        let address = |s: SecRef| Some(if s.sec == 1 { 0x200 } else { 0x100 });
        let words: Vec<u32> = table.bytes(0x1000, &address)[..24]
            .chunks(4)
            .map(|c| u32::from_le_bytes(c.try_into().unwrap()))
            .collect();
        assert_eq!(words, [0x104, 0x1018, 1, 0x200, 0x1018, 1]);
        assert_eq!(table.size(), 26);
        assert_eq!(table.of(at(2)).collect::<Vec<_>>(), [(4, "f")]);
        assert_eq!(table.of(at(3)).count(), 0);
    }
}
