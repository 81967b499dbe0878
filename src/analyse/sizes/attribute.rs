//! The image as a sum: every byte of it is told to one item.

use super::owner::{self, in_sysroot};
use super::places::{Place, Places};
use crate::base::hash::Map;
use crate::base::report::{Bytes, CrateSize, Group, Image, Item};
use crate::contract::Params;
use crate::link::exports::Export;
use crate::link::graph::{Graph, Placed};
use crate::link::live;
use crate::link::lookup;
use crate::link::names::demangle;
use crate::link::order::TRAP_SIZE;
use crate::link::unwind::{self, RecordKind};
use crate::link::{SecRef, Target};
use crate::provenance::HEADER_SIZE;
use crate::read::Def;
use std::collections::{BTreeMap, BTreeSet};

/// The pseudo-crate of what the linker and the wrapper generator make.
const RSYSO: &str = "rsyso";
/// The crate of the runtime, whatever it was made from.
const RUNTIME: &str = "rsyso_rt";
/// The pseudo-crate of C code.
const C: &str = "C";

/// Counts the bytes of a placed image.
pub(crate) fn attribute(graph: &Graph<'_>, placed: &Placed, exports: &[Export]) -> Image {
    let places = Places::new(graph);
    let mut sum = Sum {
        graph,
        placed,
        hosts: places.hosts(),
        items: Vec::with_capacity(places.count()),
        others: BTreeMap::new(),
        ranges: Vec::new(),
        own: own_crates(graph, exports),
        places,
    };
    sum.named();
    sum.sections();
    sum.pools();
    sum.commons();
    sum.unwind();
    sum.names();
    sum.tables();
    sum.gaps();
    sum.image()
}

/// The crates that hold exports.
fn own_crates(graph: &Graph<'_>, exports: &[Export]) -> BTreeSet<String> {
    let krates = exports
        .iter()
        .filter_map(|e| graph.inputs.object(e.obj).krate.clone());
    krates.map(|k| k.replace('-', "_")).collect()
}

/// A kind of bytes, as the field that counts it.
type Kind = fn(&mut Bytes) -> &mut u64;

const CODE: Kind = |b| &mut b.code;
const RODATA: Kind = |b| &mut b.rodata;
const DATA: Kind = |b| &mut b.data;
const ZEROS: Kind = |b| &mut b.zeros;
const UNWIND: Kind = |b| &mut b.unwind;
const NAMES: Kind = |b| &mut b.names;
const TABLES: Kind = |b| &mut b.tables;
const PADDING: Kind = |b| &mut b.padding;

struct Sum<'a, 'd> {
    graph: &'a Graph<'d>,
    placed: &'a Placed,
    places: Places<'a, 'd>,
    hosts: Map<SecRef, Option<Place<'a>>>,
    /// Those of the named places first, by number.
    items: Vec<(Item, Group)>,
    /// Items that are no named places, by crate, module and name.
    others: BTreeMap<(String, String, String), usize>,
    /// What is told so far: begin and end.
    ranges: Vec<(u64, u64)>,
    own: BTreeSet<String>,
}

impl Sum<'_, '_> {
    /// An item for each named place, with who refers to it.
    fn named(&mut self) {
        for at in &self.graph.live.sections {
            let referrer = self.places.referrer(*at);
            let host = self.hosts.get(at).copied().flatten();
            let entry = referrer.and_then(|r| r.entry);
            for place in self.places.of(*at) {
                // What lies in one section with the place that is referred to stays with that.
                let kept_by = match entry {
                    Some(entry) if entry.id != place.id => Some(entry.id),
                    _ => host.map(|h| h.id),
                };
                let mut item = self.item_of(*at, place.symbol);
                if kept_by.is_none() {
                    item.0.root = self.why_root(*at);
                }
                item.0.kept_by = kept_by;
                self.items.push(item);
            }
        }
    }

    fn why_root(&self, at: SecRef) -> String {
        let section = self.graph.inputs.section(at);
        match section {
            _ if self.graph.inputs.wrappers == Some(at.obj) => "Go calls it",
            s if live::is_init(s.kind, &s.name) => "it runs on first use",
            s if s.exec() => "export",
            _ => "its section is marked to be retained",
        }
        .to_owned()
    }

    /// An item for a symbol of a section, without any bytes yet.
    fn item_of(&self, at: SecRef, symbol: &str) -> (Item, Group) {
        let object = self.graph.inputs.object(at.obj);
        let name = demangle(symbol);
        // `__rustc` is where the compiler puts symbols of its own; their code is that of the object's crate.
        let owner = owner::owner(&name).filter(|o| name != symbol && o.krate != "__rustc");
        let mut item = Item {
            place: object.name.clone(),
            ..Item::default()
        };
        let group;
        if self.graph.inputs.wrappers == Some(at.obj) {
            (item.krate, group) = (RSYSO.to_owned(), Group::Rsyso);
            item.module = "wrappers".to_owned();
            item.place.clear();
        } else if self.graph.inputs.is_runtime(at.obj) {
            (item.krate, group) = (RUNTIME.to_owned(), Group::Rsyso);
            item.module = match owner {
                Some(o) if o.krate == RUNTIME => o.module,
                Some(o) => join(&o.krate, &o.module),
                None => String::new(),
            };
        } else if let Some(owner) = owner {
            group = self.group(&owner.krate);
            (item.krate, item.module) = (owner.krate, owner.module);
        } else if let Some(krate) = &object.krate {
            item.krate = krate.replace('-', "_");
            group = self.group(&item.krate);
        } else {
            (item.krate, group) = (C.to_owned(), Group::C);
            item.module = member(&object.name).to_owned();
        }
        if name != symbol {
            item.symbol = symbol.to_owned();
        }
        item.name = match self.graph.inputs.wrappers == Some(at.obj) {
            true => wrapper_name(symbol),
            false => name,
        };
        (item, group)
    }

    fn group(&self, krate: &str) -> Group {
        match krate {
            k if self.own.contains(k) => Group::Library,
            k if in_sysroot(k) => Group::Std,
            _ => Group::Dependency,
        }
    }

    /// An item that is no named place.
    fn other(&mut self, krate: &str, module: &str, name: &str, group: Group) -> usize {
        let key = (krate.to_owned(), module.to_owned(), name.to_owned());
        let next = self.items.len();
        let index = *self.others.entry(key).or_insert(next);
        if index == next {
            let item = Item {
                krate: krate.to_owned(),
                module: module.to_owned(),
                name: name.to_owned(),
                root: "the linker makes it".to_owned(),
                ..Item::default()
            };
            self.items.push((item, group));
        }
        index
    }

    fn table(&mut self, name: &str) -> usize {
        self.other(RSYSO, "tables", name, Group::Rsyso)
    }

    /// Whose a byte of a section is: the named place's that it lies in, the host's, or the section's own.
    fn item_at(&mut self, at: SecRef, offset: u64) -> usize {
        if let Some(place) = self.places.at(at, offset) {
            return place.id;
        }
        if let Some(Some(host)) = self.hosts.get(&at) {
            return host.id;
        }
        let name = self.graph.inputs.section(at).name.clone();
        let (item, group) = self.item_of(at, &name);
        let why = self.why_root(at);
        let index = self.other(&item.krate, &item.module, &name, group);
        if let Some((own, _)) = self.items.get_mut(index) {
            (own.place, own.root) = (item.place, why);
        }
        index
    }

    fn credit(&mut self, item: usize, kind: Kind, bytes: u64) {
        if let Some((item, _)) = self.items.get_mut(item) {
            *kind(&mut item.bytes) += bytes;
        }
    }

    /// Tells the bytes from `at` on to an item.
    fn tell(&mut self, item: usize, kind: Kind, at: u64, bytes: u64) {
        self.ranges.push((at, at + bytes));
        self.credit(item, kind, bytes);
    }

    /// The sections, cut at their named places.
    fn sections(&mut self) {
        let layout = &self.placed.layout;
        for (at, address) in &layout.order {
            let section = self.graph.inputs.section(*at);
            let kind = match section {
                s if s.exec() => CODE,
                s if s.name.starts_with(".gcc_except_table") => UNWIND,
                s if s.nobits() => ZEROS,
                _ if *address >= layout.params.rw_offset => DATA,
                _ => RODATA,
            };
            let starts = self.places.of(*at).iter().map(|p| p.offset);
            let mut cuts: Vec<u64> = std::iter::once(0).chain(starts).collect();
            cuts.dedup();
            cuts.push(section.size + self.placed.plan.appended(*at));
            for piece in cuts.windows(2) {
                let item = self.item_at(*at, piece[0]);
                self.tell(item, kind, address + piece[0], piece[1] - piece[0]);
            }
        }
    }

    /// Merged constants belong to the section that brought them first.
    fn pools(&mut self) {
        let placed = self.placed;
        for element in &placed.merged.brought {
            let Some(pool) = placed.layout.pools.get(element.pool) else {
                continue;
            };
            let item = self.item_at(element.by, element.from);
            self.tell(item, RODATA, pool + element.to, element.size);
        }
    }

    fn commons(&mut self) {
        let graph = self.graph;
        for (i, common) in graph.symbols.commons.iter().enumerate() {
            if !graph.live.commons[i] {
                continue;
            }
            let defines = |o: &&crate::read::Object<'_>| {
                let mut symbols = o.symbols.iter();
                symbols.any(|s| s.def == Def::Common && s.name == common.name)
            };
            let object = graph.inputs.objects.iter().find(defines);
            let module = object.map_or("", |o| member(&o.name));
            let item = self.other(C, module, &common.name, Group::C);
            if let Some(at) = self.placed.layout.commons[i] {
                self.tell(item, ZEROS, at, common.size);
            }
        }
    }

    /// The records of unwind tables, and their entries in the lookup table, belong to the function that they describe.
    fn unwind(&mut self) {
        let (graph, layout) = (self.graph, &self.placed.layout);
        let p = layout.params;
        let shared = self.table("shared parts of unwind tables");
        let mut entries = 0;
        for (record, address) in &layout.records {
            let Some(own) = unwind::record(&graph.frames, *record) else {
                continue;
            };
            let section = graph.inputs.section(record.at);
            let function = match own.kind {
                RecordKind::Cie => None,
                RecordKind::Fde(_) => own.function(section).and_then(|r| {
                    match graph.symbols.target(record.at.obj, r.symbol) {
                        Target::Section { at, offset, .. } => {
                            Some((at, offset.saturating_add_signed(r.addend)))
                        }
                        _ => None,
                    }
                }),
            };
            let item = match function {
                Some((at, offset)) => {
                    let item = self.item_at(at, offset);
                    self.credit(item, UNWIND, 8);
                    entries += 1;
                    item
                }
                None => shared,
            };
            self.tell(item, UNWIND, *address, own.size);
        }
        // What ends the records, and entries that no function was found for.
        let end = p.eh_frame_offset + p.eh_frame_size;
        self.tell(shared, UNWIND, end - 4, 4);
        self.credit(shared, UNWIND, 8 * (p.eh_table_count - entries));
        let table = p.eh_table_offset;
        self.ranges.push((table, table + 8 * p.eh_table_count));
    }

    /// An entry of the table of names belongs to its function; a text that several share, to the first.
    fn names(&mut self) {
        let names = &self.placed.names;
        for (at, offset, bytes) in names.entries() {
            let item = self.item_at(at, offset);
            self.credit(item, NAMES, bytes);
        }
        let at = self.placed.layout.params.names_offset;
        self.ranges.push((at, at + names.size()));
    }

    fn tables(&mut self) {
        let layout = &self.placed.layout;
        let p = layout.params;
        let header = HEADER_SIZE as u64;
        let all = [
            ("header", 0, header),
            ("trap", header, TRAP_SIZE),
            (
                "names to look up",
                p.lookup_offset,
                lookup::size(&self.graph.live.looked_up),
            ),
            ("parameters", layout.params_at, Params::SIZE as u64),
            ("fix-ups", p.relr_offset, 8 * p.relr_count),
            ("fix-ups", p.unaligned_offset, 4 * p.unaligned_count),
            ("fix-ups", p.far_fixups_offset, 4 * p.far_fixups_count),
            ("fix-ups", p.far_copies_offset, 24 * p.far_copies_count),
            (
                "cells",
                layout.cells,
                8 * self.placed.plan.cells.len() as u64,
            ),
        ];
        for (name, at, bytes) in all {
            let item = self.table(name);
            self.tell(item, TABLES, at, bytes);
        }
    }

    /// What is told to nobody is padding.
    fn gaps(&mut self) {
        let padding = self.other(RSYSO, "padding", "padding", Group::Rsyso);
        let mut ranges = std::mem::take(&mut self.ranges);
        ranges.sort_unstable();
        ranges.push((self.placed.layout.params.image_size, u64::MAX));
        let mut end = 0;
        for (from, to) in ranges {
            debug_assert!(from >= end || from == to, "{from:#x} is told twice");
            self.credit(padding, PADDING, from.saturating_sub(end));
            end = end.max(to);
        }
    }

    /// Sorts everything by size.
    fn image(self) -> Image {
        let mut items: Vec<(usize, Item, Group)> = Vec::with_capacity(self.items.len());
        for (i, (mut item, group)) in self.items.into_iter().enumerate() {
            item.size = item.bytes.total();
            items.push((i, item, group));
        }
        items.sort_by(|(i, a, _), (j, b, _)| {
            b.size
                .cmp(&a.size)
                .then_with(|| a.name.cmp(&b.name))
                .then(i.cmp(j))
        });
        let mut new_index = vec![0; items.len()];
        for (new, (old, ..)) in items.iter().enumerate() {
            new_index[*old] = new;
        }
        let mut image = Image {
            size: self.placed.layout.params.image_size,
            ..Image::default()
        };
        let mut crates: BTreeMap<String, CrateSize> = BTreeMap::new();
        for (_, mut item, group) in items {
            item.kept_by = item.kept_by.and_then(|old| new_index.get(old).copied());
            let entry = crates
                .entry(item.krate.clone())
                .or_insert_with(|| CrateSize {
                    name: item.krate.clone(),
                    group,
                    ..CrateSize::default()
                });
            entry.size += item.size;
            entry.bytes += item.bytes;
            entry.items += 1;
            image.bytes += item.bytes;
            image.items.push(item);
        }
        image.crates = crates.into_values().collect();
        image
            .crates
            .sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
        image
    }
}

fn join(krate: &str, module: &str) -> String {
    match module {
        "" => krate.to_owned(),
        _ => format!("{krate}::{module}"),
    }
}

/// `rsyso:name` -> `wrapper of name`.
fn wrapper_name(symbol: &str) -> String {
    let name = symbol.strip_prefix(crate::contract::symbols::WRAPPER);
    name.map_or_else(|| symbol.to_owned(), |name| format!("wrapper of {name}"))
}

/// The member of an archive, without the hash that the crate `cc` puts before it: `libfoo.a(0123456789abcdef-zstd.o)` -> `zstd.o`.
fn member(place: &str) -> &str {
    let inner = place
        .rsplit_once('(')
        .and_then(|(_, m)| m.strip_suffix(')'));
    let member = inner.unwrap_or(place);
    match member.split_once('-') {
        Some((hash, rest)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            rest
        }
        _ => member,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_wrappers_are_named_for_people() {
        assert_eq!(member("libfoo.a(zstd.o)"), "zstd.o");
        assert_eq!(member("libfoo.a(44ff4c55aa9e5133-zstd.o)"), "zstd.o");
        assert_eq!(member("libfoo.a(my-zstd.o)"), "my-zstd.o");
        assert_eq!(member("foo.o"), "foo.o");
        assert_eq!(wrapper_name("rsyso:a_b"), "wrapper of a_b");
    }
}
