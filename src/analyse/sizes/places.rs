//! The named places of sections: where functions and variables begin, and which of them refers to what.

use crate::base::hash::Map;
use crate::link::graph::Graph;
use crate::link::{SecRef, Target};
use crate::read::{Def, Symbol, SymbolKind};

/// A function or variable that has a name of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Bytes from the start of its section.
    pub offset: u64,
    pub symbol: &'a str,
    /// Its number among all named places.
    pub id: usize,
}

/// The named places of all kept sections.
pub(super) struct Places<'a, 'd> {
    graph: &'a Graph<'d>,
    of: Map<SecRef, Vec<Place<'a>>>,
    count: usize,
    /// By section: where the section that keeps it refers to it, and the byte that is referred to.
    references: Map<SecRef, (u64, u64)>,
}

impl<'a, 'd> Places<'a, 'd> {
    pub fn new(graph: &'a Graph<'d>) -> Self {
        let mut of: Map<SecRef, Vec<(u64, bool, &'a str)>> = Map::default();
        for (obj, object) in graph.inputs.objects.iter().enumerate() {
            for symbol in object.symbols.iter().filter(|s| is_named(s)) {
                let Def::Section(sec) = symbol.def else {
                    continue;
                };
                let obj = obj as u32;
                let at = SecRef { obj, sec };
                if graph.live.keeps(at) && symbol.value < graph.inputs.section(at).size {
                    let other = symbol.kind == SymbolKind::None;
                    let list = of.entry(at).or_default();
                    list.push((symbol.value, other, &symbol.name));
                }
            }
        }
        let mut places = Places {
            graph,
            of: Map::default(),
            count: 0,
            references: references(graph),
        };
        // Numbered in the order of the sections, so that the same input gives the same numbers.
        for at in &graph.live.sections {
            let mut list = of.remove(at).unwrap_or_default();
            list.sort_unstable();
            list.dedup_by_key(|(offset, ..)| *offset);
            let numbered = list.into_iter().zip(places.count..);
            let numbered: Vec<_> = numbered
                .map(|((offset, _, symbol), id)| Place { offset, symbol, id })
                .collect();
            places.count += numbered.len();
            places.of.insert(*at, numbered);
        }
        places
    }

    /// Number of all places.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The places of a section, in order.
    pub fn of(&self, at: SecRef) -> &[Place<'a>] {
        self.of.get(&at).map(Vec::as_slice).unwrap_or_default()
    }

    /// The place that a byte belongs to. None before the first.
    pub fn at(&self, at: SecRef, offset: u64) -> Option<Place<'a>> {
        let places = self.of(at);
        let index = places.partition_point(|p| p.offset <= offset);
        places.get(index.checked_sub(1)?).copied()
    }

    /// Who refers to a section, and which place of that the reference is to, by the shortest chain from a root. The referrer is a
    /// section without a place when it is anonymous data.
    pub fn referrer(&self, at: SecRef) -> Option<Referrer<'a>> {
        let from = (*self.graph.live.why.get(&at)?)?.at;
        // Unwind tables and __start_X refer for a section as a whole.
        let (offset, to) = self.references.get(&at).copied().unwrap_or((0, 0));
        let first = |at| self.of(at).first().copied();
        Some(Referrer {
            section: from,
            place: self.at(from, offset).or_else(|| first(from)),
            entry: self.at(at, to).or_else(|| first(at)),
        })
    }

    /// For each kept section, the place on whose behalf it is there: the nearest on the way to the root. Roots have none.
    pub fn hosts(&self) -> Map<SecRef, Option<Place<'a>>> {
        let mut hosts: Map<SecRef, Option<Place<'a>>> = Map::default();
        for at in &self.graph.live.sections {
            let mut way = Vec::new();
            let mut next = *at;
            let host = loop {
                if let Some(known) = hosts.get(&next) {
                    break *known;
                }
                way.push(next);
                match self.referrer(next) {
                    None => break None,
                    Some(Referrer {
                        place: None,
                        section,
                        ..
                    }) => next = section,
                    Some(referrer) => break referrer.place,
                }
            };
            hosts.extend(way.into_iter().map(|at| (at, host)));
        }
        hosts
    }
}

/// The first reference to each kept section from the section that keeps it.
fn references(graph: &Graph<'_>) -> Map<SecRef, (u64, u64)> {
    let mut found = Map::default();
    for from in &graph.live.sections {
        for reloc in graph.inputs.section(*from).relocs.iter() {
            let target = graph.symbols.reference(&graph.inputs, from.obj, reloc);
            let Target::Section { at, offset, whole } = target else {
                continue;
            };
            let keeper = graph.live.why.get(&at).copied().flatten();
            if keeper.is_some_and(|keeper| keeper.at == *from) {
                // The addend of a section symbol says where to; of a named one, it does not leave it.
                let addend = if whole { reloc.addend.max(0) as u64 } else { 0 };
                let reference = (reloc.offset, offset.saturating_add(addend));
                found.entry(at).or_insert(reference);
            }
        }
    }
    found
}

/// See [`Places::referrer`].
pub(super) struct Referrer<'a> {
    section: SecRef,
    place: Option<Place<'a>>,
    /// The place that is referred to.
    pub entry: Option<Place<'a>>,
}

/// Whether a symbol names a function or variable of the source.
fn is_named(symbol: &Symbol<'_>) -> bool {
    let kind = !matches!(symbol.kind, SymbolKind::Section);
    kind && !symbol.name.is_empty() && !is_anonymous(&symbol.name)
}

/// Names that the compiler makes up for constants, tables and labels.
fn is_anonymous(name: &str) -> bool {
    const PREFIXES: &[&str] = &[
        ".L",
        "anon.",
        "GCC_except_table",
        "switch.table.",
        "switch.offset.",
        "vtable.",
        "str.",
        "__unnamed_",
    ];
    let alloc = name.strip_prefix("alloc_");
    PREFIXES.iter().any(|p| name.starts_with(p))
        || alloc.is_some_and(|h| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit()))
}
