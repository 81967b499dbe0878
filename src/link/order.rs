//! What the layout is made from: what kind of memory each section needs, their order, and how addresses are given out.

use super::SecRef;
use super::functions::NameTable;
use super::inputs::Inputs;
use super::live::{self, Live};
use super::merge::Merged;
use super::plan::Plan;
use super::symbols::Symbols;
use super::unwind::Frames;
use crate::arch::{Linking, Thunk};
use crate::provenance::HEADER_SIZE;
use crate::read::Section;

/// Room for an instruction that stops the program, right after the header.
pub const TRAP_SIZE: u64 = 16;

/// Everything a layout depends on.
#[derive(Clone, Copy)]
pub struct Context<'a, 'd> {
    /// Objects.
    pub inputs: &'a Inputs<'d>,
    /// Names.
    pub symbols: &'a Symbols,
    /// What is kept.
    pub live: &'a Live,
    /// Unwind records.
    pub frames: &'a [Frames],
    /// What goes where.
    pub plan: &'a Plan,
    /// Pools.
    pub merged: &'a Merged,
    /// Names of functions.
    pub names: &'a NameTable,
    /// The backend.
    pub arch: &'a dyn Linking,
    /// Bytes of a lane.
    pub lane_size: u64,
}

/// Gives out addresses.
#[derive(Debug, Default)]
pub struct Cursor(u64);

impl Cursor {
    /// Where the last thing ends.
    pub(super) fn end(&self) -> u64 {
        self.0
    }

    /// At the start of the code.
    pub(super) fn code() -> Self {
        Cursor(HEADER_SIZE as u64 + TRAP_SIZE)
    }

    /// Places a section with the code that follows its own.
    pub(super) fn section(&mut self, cx: Context<'_, '_>, at: SecRef) -> u64 {
        let section = cx.inputs.section(at);
        let size = section.size.saturating_add(cx.plan.appended(at));
        self.place(size, section.align)
    }

    /// Places a thunk.
    pub(super) fn thunk(&mut self, thunk: &Thunk) -> u64 {
        self.place(thunk.code.len() as u64, thunk.align)
    }

    /// Places bytes.
    pub(super) fn place(&mut self, size: u64, align: u64) -> u64 {
        let at = self.0.next_multiple_of(align.max(1));
        self.0 = at.saturating_add(size);
        at
    }
}

/// What kind of memory a section needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Code,
    ReadOnly,
    /// Written at run time by the fix-ups, and never again.
    Fixed,
    /// Variables.
    Data,
    Init,
    Zeros,
    Tls,
    TlsZeros,
}

pub type Classes = Vec<(SecRef, Class)>;

/// Sorts the kept sections by what they need, then into their order in the image.
pub fn classify(cx: Context<'_, '_>) -> Classes {
    let mut classes: Classes = Vec::new();
    for at in cx
        .live
        .sections
        .iter()
        .filter(|at| !cx.merged.contains(**at) && !cx.plan.far.has_section(**at))
    {
        classes.push((*at, class_of(cx, *at)));
    }
    // Sections between __start_X and __stop_X must be neighbours, so they go where the most demanding of them goes.
    let index = cx.symbols.bounded_by_name();
    let bounded = |at: SecRef| match index.is_empty() {
        true => None,
        false => index.get(&*cx.inputs.section(at).name).copied(),
    };
    let mut most: Vec<Option<Class>> = vec![None; cx.symbols.bounded.len()];
    for (at, class) in &classes {
        if let Some(name) = bounded(*at) {
            most[name] = most[name].max(Some(*class));
        }
    }
    for (at, class) in &mut classes {
        let most = bounded(*at).and_then(|name| most[name]);
        *class = most.map_or(*class, |m| m.clamp(Class::ReadOnly, Class::Data));
    }
    classes.sort_by_cached_key(|(at, class)| {
        let section = cx.inputs.section(*at);
        let bounded = bounded(*at).map_or(0, |i| i + 1);
        let rank = match class {
            Class::Code => u64::from(section.name.starts_with(".text.unlikely")),
            Class::Init => init_priority(section),
            _ => 0,
        };
        (*class, rank, bounded, *at)
    });
    classes
}

fn class_of(cx: Context<'_, '_>, at: SecRef) -> Class {
    let section = cx.inputs.section(at);
    match section {
        s if s.tls() && s.nobits() => Class::TlsZeros,
        s if s.tls() => Class::Tls,
        s if live::is_init(s.kind, &s.name) => Class::Init,
        s if s.exec() => Class::Code,
        s if s.nobits() => Class::Zeros,
        s if s.write() && !relro(s) => Class::Data,
        _ if cx.plan.fixed_up.contains(&at) => Class::Fixed,
        // .data.rel.ro without a pointer that needs fixing is read-only after all.
        _ => Class::ReadOnly,
    }
}

/// Written only by the loader's relocations (see "RELRO" in GNU ld's manual).
fn relro(section: &Section<'_>) -> bool {
    section.name == ".data.rel.ro" || section.name.starts_with(".data.rel.ro.")
}

/// `.init_array.N` run in order of N, then those without a number.
fn init_priority(section: &Section<'_>) -> u64 {
    let number = section
        .name
        .strip_prefix(".init_array.")
        .and_then(|n| n.parse().ok());
    number.unwrap_or(u64::MAX)
}

pub fn of<'c>(classes: &'c Classes, wanted: Class) -> impl Iterator<Item = SecRef> + 'c {
    classes
        .iter()
        .filter(move |(_, c)| *c == wanted)
        .map(|(at, _)| *at)
}

/// The code sections, in the order in which they will lie.
pub(super) fn code(cx: Context<'_, '_>) -> Vec<SecRef> {
    of(&classify(cx), Class::Code).collect()
}
