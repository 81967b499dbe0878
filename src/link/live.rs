//! Liveness: mark and sweep over sections from the roots, with the reason kept.

use super::inputs::Inputs;
use super::lookup::{Candidates, LookedUp};
use super::names::demangle;
use super::symbols::Symbols;
use super::unwind::{self, Frames, RecordKind, RecordRef};
use super::{Linker, Referrer, SecRef, Target};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::hash::{Map, Set};
use crate::read::{Reloc, SymbolKind};
use ::object::elf;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// What is kept.
#[derive(Debug)]
pub struct Live {
    /// Kept sections in order of object and section index.
    pub sections: Vec<SecRef>,
    /// For each kept section, what asked for it on the shortest chain from a root; None for roots.
    pub why: Map<SecRef, Option<Referrer>>,
    /// Kept records of unwind tables, sorted.
    pub records: Vec<RecordRef>,
    /// By common symbol: whether it is kept.
    pub commons: Vec<bool>,
    /// Names that live code asks for and that are undefined: the places, in order of discovery.
    pub undefined: BTreeMap<String, Vec<Referrer>>,
    /// What the library may look up while it runs.
    pub looked_up: LookedUp,
}

impl Live {
    /// Whether a section is kept.
    pub fn keeps(&self, at: SecRef) -> bool {
        self.why.contains_key(&at)
    }

    /// The chain from a root to `last`, root first.
    pub fn chain(&self, last: Referrer) -> Vec<Referrer> {
        let mut chain = vec![last];
        let mut at = last.at;
        while let Some(Some(from)) = self.why.get(&at) {
            chain.push(*from);
            at = from.at;
        }
        chain.reverse();
        chain
    }
}

struct Marker<'a, 'd> {
    inputs: &'a Inputs<'d>,
    symbols: &'a Symbols,
    frames: &'a [Frames],
    /// The section of a function, the unwind record that describes it, and its place in the section; sorted by section.
    records_of: Vec<(SecRef, RecordRef, u64)>,
    live: Live,
    kept_records: Set<RecordRef>,
    /// Initialisers of archive members, until something of the member is kept.
    waiting: Map<u32, Vec<SecRef>>,
    /// First in, first out: the chains that are kept are the shortest.
    queue: VecDeque<SecRef>,
    /// What lies between the bounds that were asked for so far.
    bounded: Map<u32, Rc<[SecRef]>>,
    /// Wrappers whose unwind records matter only if something raises an exception.
    wrappers: Vec<SecRef>,
    /// Hears of each reference that keeps a section: from where, to what.
    heard: &'a mut dyn FnMut(SecRef, SecRef),
}

/// Marks everything that `roots` reach.
pub fn mark(inputs: &Inputs<'_>, symbols: &Symbols, frames: &[Frames], roots: &[SecRef]) -> Live {
    mark_and_tell(inputs, symbols, frames, roots, &mut |_, _| {})
}

/// Marks everything that `roots` reach, and tells of each reference on the way: from the section that keeps to the one that is kept. Of sections that are
/// kept for other reasons ([`initialisers`], names that are looked up) nothing is told.
pub fn mark_and_tell(
    inputs: &Inputs<'_>,
    symbols: &Symbols,
    frames: &[Frames],
    roots: &[SecRef],
    heard: &mut dyn FnMut(SecRef, SecRef),
) -> Live {
    let initialisers = initialisers(inputs, symbols);
    let mut m = Marker {
        inputs,
        symbols,
        frames,
        records_of: Vec::new(),
        live: Live {
            sections: Vec::new(),
            why: Map::default(),
            records: Vec::new(),
            commons: vec![false; symbols.commons.len()],
            undefined: BTreeMap::new(),
            looked_up: LookedUp::new(),
        },
        kept_records: Default::default(),
        waiting: initialisers.waiting,
        queue: VecDeque::new(),
        bounded: Map::default(),
        wrappers: Vec::new(),
        heard,
    };
    m.index_records();
    for root in initialisers.roots.iter().chain(roots).copied() {
        m.keep(root, None);
    }
    m.drain();
    m.keep_looked_up();
    if symbols.raise.is_some_and(|raise| m.live.keeps(raise)) {
        for at in std::mem::take(&mut m.wrappers) {
            m.keep_records(at);
        }
        m.drain();
    }
    m.live.records = m.kept_records.into_iter().collect();
    m.live.records.sort_unstable();
    m.live.sections.sort_unstable();
    m.live
}

/// Sections that nothing need refer to.
pub struct Initialisers {
    /// They are kept in any case.
    pub roots: Vec<SecRef>,
    /// By object: they are kept if anything of the object is.
    pub waiting: Map<u32, Vec<SecRef>>,
}

/// Initialisers run whether or not anything refers to them; SHF_GNU_RETAIN says the same of any section. Members of archives in C
/// and C++ must first be reached: one that was loaded for a function which is not kept would bring what its initialisers need (those of
/// `<iostream>`, all of the C++ library). Crates register things in theirs, and rely on them.
pub fn initialisers(inputs: &Inputs<'_>, symbols: &Symbols) -> Initialisers {
    let mut found = Initialisers {
        roots: Vec::new(),
        waiting: Map::default(),
    };
    for (obj, object) in inputs.objects.iter().enumerate() {
        if !symbols.loads(obj as u32) {
            continue;
        }
        for (sec, section) in object.sections.iter().enumerate() {
            let retain = section.flags & elf::SHF_GNU_RETAIN.0 != 0;
            if section.alloc() && (retain || is_init(section.kind, &section.name)) {
                let (obj, sec) = (obj as u32, sec as u32);
                match object.lazy && object.rustc.is_none() {
                    true => found.waiting.entry(obj).or_default(),
                    false => &mut found.roots,
                }
                .push(SecRef { obj, sec });
            }
        }
    }
    found
}

impl Marker<'_, '_> {
    fn index_records(&mut self) {
        for (obj, frames) in self.frames.iter().enumerate() {
            for (sec, records) in frames {
                let at = SecRef {
                    obj: obj as u32,
                    sec: *sec,
                };
                let section = self.inputs.section(at);
                for (index, record) in records.iter().enumerate() {
                    let function = match record.kind {
                        RecordKind::Fde(_) => record.function(section),
                        RecordKind::Cie => None,
                    };
                    if let Some(r) = function
                        && let Target::Section {
                            at: function,
                            offset,
                            ..
                        } = self.target(at.obj, r)
                    {
                        let record = RecordRef {
                            at,
                            index: index as u32,
                        };
                        let offset = offset.saturating_add_signed(r.addend);
                        self.records_of.push((function, record, offset));
                    }
                }
            }
        }
        self.records_of.sort_unstable();
    }

    /// What a field of an unwind table refers to.
    fn target(&self, obj: u32, reloc: &Reloc) -> Target {
        self.symbols.target(obj, reloc.symbol)
    }

    fn keep(&mut self, at: SecRef, from: Option<Referrer>) {
        let section = self.inputs.section(at);
        if !section.alloc() || section.eh_frame() || !self.symbols.admits(at) {
            return;
        }
        if let std::collections::hash_map::Entry::Vacant(e) = self.live.why.entry(at) {
            e.insert(from);
            self.live.sections.push(at);
            self.queue.push_back(at);
            for initialiser in self.waiting.remove(&at.obj).unwrap_or_default() {
                self.keep(initialiser, None);
            }
        }
    }

    fn visit(&mut self, at: SecRef) {
        let inputs = self.inputs;
        for reloc in inputs.section(at).relocs.iter() {
            let offset = reloc.offset;
            self.follow(Referrer { at, offset }, at.obj, reloc);
        }
        match inputs.wrappers == Some(at.obj) {
            true => self.wrappers.push(at),
            false => self.keep_records(at),
        }
    }

    fn drain(&mut self) {
        while let Some(at) = self.queue.pop_front() {
            self.visit(at);
        }
    }

    /// Keeps what the library names in its strings, if something of it looks names up. What is kept for that may name more.
    fn keep_looked_up(&mut self) {
        let (inputs, symbols) = (self.inputs, self.symbols);
        let candidates = Candidates::new(inputs, symbols);
        let mut names = LookedUp::new();
        let mut told = 0;
        while let Some(lookup) = candidates.looks_up(|at| self.live.keeps(at)) {
            let fresh = &self.live.sections[told..];
            if fresh.is_empty() {
                break;
            }
            told += fresh.len();
            let mut named = LookedUp::new();
            fresh
                .iter()
                .for_each(|at| candidates.named_by(inputs, *at, &mut named));
            named
                .values()
                .for_each(|place| self.keep(place.at, Some(lookup)));
            names.append(&mut named);
            self.drain();
        }
        self.live.looked_up = names;
    }

    fn keep_records(&mut self, function: SecRef) {
        let mut index = self.records_of.partition_point(|(at, ..)| *at < function);
        while let Some((at, record, offset)) = self.records_of.get(index).copied()
            && at == function
        {
            self.keep_record(record, Referrer { at, offset });
            index += 1;
        }
    }

    /// Keeps an FDE, its CIE, and what the two refer to besides the function itself.
    fn keep_record(&mut self, record: RecordRef, function: Referrer) {
        if !self.kept_records.insert(record) {
            return;
        }
        let inputs = self.inputs;
        let section = inputs.section(record.at);
        let Some(records) = unwind::of_section(self.frames, record.at) else {
            return;
        };
        let own = &records[record.index as usize];
        let function_reloc = own.function(section).map(|r| r.offset);
        for reloc in own
            .relocs(section)
            .iter()
            .filter(|r| Some(r.offset) != function_reloc)
        {
            self.follow(function, record.at.obj, reloc);
        }
        if let RecordKind::Fde(cie) = own.kind {
            self.kept_records.insert(RecordRef {
                index: cie as u32,
                ..record
            });
            for reloc in records[cie].relocs(section) {
                self.follow(function, record.at.obj, reloc);
            }
        }
    }

    fn refer(&mut self, from: Referrer, at: SecRef) {
        (self.heard)(from.at, at);
        self.keep(at, Some(from));
    }

    /// Follows one reference that keeps what it names, on behalf of `from`.
    fn follow(&mut self, from: Referrer, obj: u32, reloc: &Reloc) {
        match self.symbols.reference(self.inputs, obj, reloc) {
            Target::Section { at, .. } => self.refer(from, at),
            Target::Common(i) => self.live.commons[i as usize] = true,
            Target::Linker(Linker::Bound { name, .. }) => {
                let (inputs, symbols) = (self.inputs, self.symbols);
                let found = self.bounded.entry(name);
                let all = found.or_insert_with(|| bounded_sections(inputs, symbols, name).into());
                for at in Rc::clone(all).iter() {
                    self.refer(from, *at);
                }
            }
            Target::Undefined => {
                let symbol = &self.inputs.object(obj).symbols[reloc.symbol as usize];
                let places = self
                    .live
                    .undefined
                    .entry(symbol.name.to_string())
                    .or_default();
                places.push(from);
            }
            _ => {}
        }
    }
}

/// All loaded sections named like the bound, in order.
pub fn bounded_sections(inputs: &Inputs<'_>, symbols: &Symbols, name: u32) -> Vec<SecRef> {
    let name = &symbols.bounded[name as usize];
    let mut found = Vec::new();
    for (obj, object) in inputs
        .objects
        .iter()
        .enumerate()
        .filter(|(i, _)| symbols.loads(*i as u32))
    {
        for (sec, section) in object.sections.iter().enumerate() {
            if section.alloc() && section.name == *name {
                found.push(SecRef {
                    obj: obj as u32,
                    sec: sec as u32,
                });
            }
        }
    }
    found
}

/// Whether a section is a list of initialisers.
pub fn is_init(kind: u32, name: &str) -> bool {
    kind == elf::SHT_INIT_ARRAY.0 || name == ".init_array" || name.starts_with(".init_array.")
}

/// The error for initialisers of a kind that is older than `.init_array`, of which no more than the name is known here: they
/// would not run.
pub fn check_initialisers(inputs: &Inputs<'_>, symbols: &Symbols, live: &Live) -> Result<()> {
    let old = |name: &str| {
        matches!(name, ".ctors" | ".preinit_array" | ".init") || name.starts_with(".ctors.")
    };
    let reached: Set<u32> = live.sections.iter().map(|at| at.obj).collect();
    let mut problems = Vec::new();
    for (obj, object) in inputs.objects.iter().enumerate() {
        let counts = match object.lazy {
            true => reached.contains(&(obj as u32)),
            false => symbols.loads(obj as u32),
        };
        let sections = object.sections.iter().enumerate();
        for (sec, section) in sections.filter(|_| counts) {
            if section.alloc() && section.size > 0 && old(&section.name) {
                problems.push(
                    Problem::new(format!("initialisers in {} are not run", section.name))
                        .at(object.place(sec as u32, 0))
                        .help("compile for .init_array, as gcc and clang do by themselves (gcc since 4.7)"),
                );
            }
        }
    }
    Error::check(Kind::Unsupported, problems, ())
}

/// A section as people know it: the function or variable in it, demangled, or the section's name.
pub fn describe(inputs: &Inputs<'_>, at: SecRef) -> String {
    let object = inputs.object(at.obj);
    let named = |s: &&crate::read::Symbol<'_>| !s.name.is_empty() && s.kind != SymbolKind::Section;
    let candidates = object.symbols_of(at.sec).filter(named);
    let best = candidates.min_by_key(|s| (s.kind != SymbolKind::Func, s.value));
    best.map_or_else(
        || {
            format!(
                "{} of {}",
                object.sections[at.sec as usize].name, object.name
            )
        },
        |s| demangle(&s.name),
    )
}

/// The function or variable at a byte of a section, as people know it; the section itself where no symbol covers it.
pub fn describe_at(inputs: &Inputs<'_>, place: Referrer) -> String {
    let covers = |s: &&crate::read::Symbol<'_>| {
        !s.name.is_empty()
            && s.kind != SymbolKind::Section
            && s.value <= place.offset
            && place.offset - s.value < s.size
    };
    let object = inputs.object(place.at.obj);
    let candidates = object.symbols_of(place.at.sec).filter(covers);
    let best = candidates.max_by_key(|s| (s.kind == SymbolKind::Func, s.value));
    best.map_or_else(|| describe(inputs, place.at), |s| demangle(&s.name))
}

/// The chain from an export to a place, as people know its links. The wrapper, which is no part of the library, is left out.
pub fn path(inputs: &Inputs<'_>, live: &Live, place: Referrer) -> Vec<String> {
    let chain = live.chain(place);
    let own = chain
        .iter()
        .filter(|link| !inputs.object(link.at.obj).data.is_empty());
    own.map(|link| describe_at(inputs, *link)).collect()
}

/// The error for all undefined symbols, each with at most three places and one chain from an export.
pub fn check_undefined(inputs: &Inputs<'_>, live: &Live) -> Result<()> {
    let problems = live.undefined.iter().map(|(name, places)| {
        let mut problem = Problem::new(format!("undefined symbol: {}", demangle(name)));
        if let Some(first) = places.first() {
            problem.place = Some(inputs.object(first.at.obj).place(first.at.sec, first.offset));
            let chain = path(inputs, live, *first);
            let name = demangle(name);
            problem = problem.note(format!("reached from an export: {} -> {name}", shorten(&chain)));
        }
        let mut who: Vec<_> = places.iter().map(|place| describe_at(inputs, *place)).collect();
        who.dedup();
        let more = if who.len() > 3 { format!(" and {} more", who.len() - 3) } else { String::new() };
        who.truncate(3);
        problem
            .note(format!("needed by {}{more}", who.join(", ")))
            .help(format!(
                "add the library that defines it as a further input, let Go provide it with --import {name}, or leave out the functions that need it with --export '!NAME'"
            ))
    });
    Error::check(Kind::Unsupported, problems.collect(), ())
}

/// A chain in one line: long ones keep their ends.
pub fn shorten(chain: &[String]) -> String {
    match chain {
        [first, second, .., before, last] if chain.len() > 6 => {
            format!(
                "{first} -> {second} -> ... ({} more) -> {before} -> {last}",
                chain.len() - 4
            )
        }
        _ => chain.join(" -> "),
    }
}
