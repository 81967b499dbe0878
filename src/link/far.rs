//! Statics that lie outside the image, in memory of their own that is mapped at the first use: large ones that begin as zeros, which would be so many
//! bytes of the file, and those that must be aligned to more than a page, as an image is aligned to a page only (it may be a part of a shared object).
//!
//! That memory may be anywhere, so no 32-bit distance leads there. What refers to such a static must hold its whole address, or load it from a cell:
//! code that computes the address by `lea` can be made to load it. A static that anything else refers to stays in the image if it is only large, and is
//! refused if it is aligned to more than a page.

use super::Referrer;
use super::claims::Claims;
use super::inputs::Inputs;
use super::live::{self, Live};
use super::symbols::Symbols;
use super::unwind::{self, Frames};
use super::{SecRef, Target};
use crate::arch::Linking;
use crate::arch::reloc::{Formula, Howto, Place};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::read::Section;
use std::collections::{BTreeMap, BTreeSet};

/// Zeros from which on a static is worth memory of its own.
const LARGE: u64 = 64 * 1024;

/// No address space of a program is larger, by far.
const MAX_TOTAL: u64 = 1 << 40;

/// One thing to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Static {
    /// A section.
    Section(SecRef),
    /// A tentative definition.
    Common(u32),
}

impl Static {
    /// What a reference leads to, if it is one that can be placed.
    pub fn of(target: Target) -> Option<Static> {
        match target {
            Target::Section { at, .. } => Some(Static::Section(at)),
            Target::Common(i) => Some(Static::Common(i)),
            _ => None,
        }
    }
}

/// Which statics lie outside the image.
#[derive(Clone, Debug, Default)]
pub struct Far {
    /// By what; the offset in their memory.
    pub places: BTreeMap<Static, u64>,
    /// Bytes of that memory.
    pub size: u64,
    /// The largest alignment of any.
    pub align: u64,
    /// Large ones that must stay in the image, and what refers to them in a way that allows nothing else.
    pub near: Vec<(Static, String)>,
}

impl Far {
    /// Whether something lies outside.
    pub fn has(&self, target: Target) -> bool {
        Static::of(target).is_some_and(|s| self.places.contains_key(&s))
    }

    /// Whether a section lies outside.
    pub fn has_section(&self, at: SecRef) -> bool {
        self.places.contains_key(&Static::Section(at))
    }

    /// The sections that lie outside.
    pub fn sections(&self) -> impl Iterator<Item = SecRef> {
        self.places.keys().filter_map(|what| match what {
            Static::Section(at) => Some(*at),
            Static::Common(_) => None,
        })
    }

    /// The offset in that memory of a target with a constant added. None for what is in the image.
    pub fn address(&self, target: Target, addend: i64) -> Option<u64> {
        let inside = match target {
            Target::Section { offset, .. } => offset,
            _ => 0,
        };
        let at = self.places.get(&Static::of(target)?)?;
        Some((at + inside).wrapping_add_signed(addend))
    }

    /// The sections that have bytes in the image, to be copied from there.
    pub fn copied<'a>(
        &'a self,
        inputs: &'a Inputs<'_>,
    ) -> impl Iterator<Item = (SecRef, u64)> + 'a {
        self.places.iter().filter_map(|(what, offset)| match what {
            Static::Section(at) if !inputs.section(*at).nobits() => Some((*at, *offset)),
            _ => None,
        })
    }
}

struct Chooser<'a, 'd> {
    inputs: &'a Inputs<'d>,
    symbols: &'a Symbols,
    live: &'a Live,
    arch: &'a dyn Linking,
    lane_size: u64,
    wanted: BTreeSet<Static>,
    /// What is wanted and cannot be had: the first obstacle.
    stuck: BTreeMap<Static, (SecRef, u64)>,
}

/// Chooses which statics lie outside. What must and cannot is a problem.
pub fn choose(
    inputs: &Inputs<'_>,
    symbols: &Symbols,
    live: &Live,
    frames: &[Frames],
    arch: &dyn Linking,
    lane_size: u64,
) -> Result<Far> {
    let mut c = Chooser {
        inputs,
        symbols,
        live,
        arch,
        lane_size,
        wanted: BTreeSet::new(),
        stuck: BTreeMap::new(),
    };
    c.want();
    if !c.wanted.is_empty() {
        c.references();
        c.records(frames);
    }
    c.place()
}

impl Chooser<'_, '_> {
    fn want(&mut self) {
        // The runtime runs before there is any such memory.
        let sections = self.live.sections.iter();
        for at in sections.filter(|at| !self.inputs.is_runtime(at.obj)) {
            let section = self.inputs.section(*at);
            // Thread-locals are placed in lanes, which are aligned to their size.
            if !section.tls() && self.is_wanted(section.nobits(), section.size, section.align) {
                self.wanted.insert(Static::Section(*at));
            }
        }
        for (i, common) in self.symbols.commons.iter().enumerate() {
            if self.live.commons[i] && self.is_wanted(true, common.size, common.align) {
                self.wanted.insert(Static::Common(i as u32));
            }
        }
    }

    fn is_wanted(&self, zeros: bool, size: u64, align: u64) -> bool {
        align > self.arch.page_size() || (zeros && size >= LARGE)
    }

    /// Looks at all references from kept sections, and at what the wanted ones are themselves.
    fn references(&mut self) {
        for at in &self.live.sections {
            let section = self.inputs.section(*at);
            let moves = self.wanted.contains(&Static::Section(*at));
            if moves && self.must_stay(section) {
                self.stuck.entry(Static::Section(*at)).or_insert((*at, 0));
            }
            let mut claims = None;
            for (n, reloc) in section.relocs.iter().enumerate() {
                let howto = self.arch.howto(reloc.r_type);
                if moves && !howto.is_some_and(|h| independent(h.formula)) {
                    self.stuck
                        .entry(Static::Section(*at))
                        .or_insert((*at, reloc.offset));
                }
                let target = self.symbols.reference(self.inputs, at.obj, reloc);
                if let Some(to) = Static::of(target).filter(|s| self.wanted.contains(s))
                    && !howto.is_some_and(|h| {
                        follows(h) || claims.get_or_insert_with(|| self.claims(*at)).has(n)
                    })
                {
                    self.stuck.entry(to).or_insert((*at, reloc.offset));
                }
            }
        }
        // What the library looks up by name is found by its distance from the image's start.
        for place in self.live.looked_up.values() {
            let to = Static::Section(place.at);
            if self.wanted.contains(&to) {
                self.stuck.entry(to).or_insert((place.at, place.offset));
            }
        }
    }

    /// Unwind tables know distances alone.
    fn records(&mut self, frames: &[Frames]) {
        for record in &self.live.records {
            let section = self.inputs.section(record.at);
            let Some(own) = unwind::record(frames, *record) else {
                continue;
            };
            for reloc in own.relocs(section) {
                let target = self.symbols.target(record.at.obj, reloc.symbol);
                if let Some(to) = Static::of(target).filter(|s| self.wanted.contains(s)) {
                    self.stuck.entry(to).or_insert((record.at, reloc.offset));
                }
            }
        }
    }

    /// Code is executed where the image is; lists have neighbours.
    fn must_stay(&self, section: &Section<'_>) -> bool {
        section.exec()
            || live::is_init(section.kind, &section.name)
            || self.symbols.bounded.iter().any(|b| section.name == *b)
    }

    /// Which references of a section the backend can rewrite, if all that is wanted lies outside.
    fn claims(&self, at: SecRef) -> Claims {
        let far = |target| Static::of(target).is_some_and(|s| self.wanted.contains(&s));
        let names = (self.inputs, self.symbols);
        Claims::new(names, self.arch, self.lane_size, at, &far)
    }

    fn place(self) -> Result<Far> {
        let page = self.arch.page_size();
        let mut far = Far::default();
        let mut problems = Vec::new();
        let mut ends = 0u64;
        for what in &self.wanted {
            let (size, align) = self.shape(*what);
            let Some(obstacle) = self.stuck.get(what) else {
                let at = ends.next_multiple_of(align);
                ends = at.saturating_add(size);
                far.places.insert(*what, at);
                far.align = far.align.max(align);
                continue;
            };
            match align > page {
                true => problems.push(self.refused(*what, *obstacle)),
                false => far.near.push((*what, self.describe(*obstacle))),
            }
        }
        far.size = ends;
        if far.size.saturating_add(far.align) > MAX_TOTAL {
            problems.push(Problem::new(format!(
                "the statics of the library take {} GiB, which is more than a program can have",
                far.size.saturating_add(far.align) >> 30
            )));
        }
        Error::check(Kind::Unsupported, problems, far)
    }

    fn shape(&self, what: Static) -> (u64, u64) {
        match what {
            Static::Section(at) => {
                let section = self.inputs.section(at);
                (section.size, section.align)
            }
            Static::Common(i) => {
                let common = &self.symbols.commons[i as usize];
                (common.size, common.align)
            }
        }
    }

    fn describe(&self, (at, offset): (SecRef, u64)) -> String {
        let place = self.inputs.object(at.obj).place(at.sec, offset);
        format!(
            "{} at {place}",
            live::describe_at(self.inputs, Referrer { at, offset })
        )
    }

    fn refused(&self, what: Static, (at, offset): (SecRef, u64)) -> Problem {
        let page = self.arch.page_size();
        let problem = Problem::new(format!(
            "{} is aligned to {} bytes, more than a page of {page}",
            name(self.inputs, self.symbols, what),
            self.shape(what).1
        ))
        .at(self.inputs.object(at.obj).place(at.sec, offset));
        if what == Static::Section(at) {
            return problem
                .note("code, lists of functions, and data that hold distances to other data lie in the image, which is aligned to a page")
                .help(format!("align it to {page} bytes at most"));
        }
        problem
            .note("memory that is aligned so can only be had outside of the image")
            .note(format!(
                "{} reaches it by a distance, and not by an address that could be any",
                live::describe_at(self.inputs, Referrer { at, offset })
            ))
            .help("let the code take the static's address first, as of a pointer to it; or allocate it on the heap")
    }
}

/// Whether what a reference leads to may lie anywhere, as it is.
fn follows(howto: &Howto) -> bool {
    match howto.formula {
        Formula::None | Formula::Size | Formula::Cell => true,
        Formula::Absolute => howto.field.place == Place::Bytes(8),
        _ => false,
    }
}

/// Whether the value does not depend on where the field lies.
fn independent(formula: Formula) -> bool {
    matches!(formula, Formula::None | Formula::Absolute | Formula::Size)
}

/// A static as people know it.
pub fn name(inputs: &Inputs<'_>, symbols: &Symbols, what: Static) -> String {
    match what {
        Static::Section(at) => live::describe(inputs, at),
        Static::Common(i) => symbols.commons[i as usize].name.clone(),
    }
}
