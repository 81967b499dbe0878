//! Layout: an address for everything. Addresses are offsets from the start of the image.
//!
//! ```text
//! header | trap | code | read-only data, pools, parameters, unwind tables, fix-ups | page | writable data | zeros
//! ```
//!
//! The writable part is laid out first, relative to its own start: that fixes the size of the packed fix-ups, which lie before it.

use super::far::{self, Static};
use super::functions::NameTable;
use super::lane;
use super::live::{self, Live};
use super::lookup;
use super::merge::Merged;
use super::plan::{Plan, Value};
use super::relr;
use super::symbols::{Inputs, Symbols};
use super::thunks::Thunks;
use super::unwind::{Frames, RecordRef};
use super::{Linker, SecRef, Target};
use crate::arch::{Linking, Thunk};
use crate::base::diag::{Error, Problem, Result};
use crate::contract::Params;
use crate::provenance::HEADER_SIZE;
use crate::read::Section;
use std::collections::{BTreeMap, HashMap};

/// More than 32-bit distances can span.
const MAX_IMAGE: u64 = 0x7000_0000;
/// Room for an instruction that stops the program, right after the header.
pub const TRAP_SIZE: u64 = 16;

/// Where everything is.
#[derive(Debug, Default)]
pub struct Layout {
    /// Image offset of each section outside the thread-local template; merged ones are in the pools.
    pub sections: HashMap<SecRef, u64>,
    /// Sections in the order of the image, the template's included (at the address of its bytes).
    pub order: Vec<(SecRef, u64)>,
    /// Offset of each thread-local section from the start of the block.
    pub tls: HashMap<SecRef, u64>,
    /// Image offset of each thunk.
    pub thunks: Vec<u64>,
    /// Image offset of each pool of merged elements.
    pub pools: Vec<u64>,
    /// Image offset of each common symbol that is kept and lies in the image.
    pub commons: Vec<Option<u64>>,
    /// Image offset of the bytes of each section that is copied from there to its place outside.
    pub templates: HashMap<SecRef, u64>,
    /// Image offset of the first cell.
    pub cells: u64,
    /// Image offset of each kept unwind record.
    pub records: BTreeMap<RecordRef, u64>,
    /// `__start_X` and `__stop_X`, by index of X.
    pub bounds: Vec<(u64, u64)>,
    /// The parameter block's place.
    pub params_at: u64,
    /// The parameter block, complete.
    pub params: Params,
    /// Image offset of the first byte that is all zeros up to the end.
    pub zeros_at: u64,
    /// The packed fix-ups.
    pub relr: Vec<u64>,
    /// Fix-ups of places that are not aligned.
    pub unaligned: Vec<u32>,
    /// Places that hold addresses of what lies outside the image.
    pub far_fixups: Vec<u32>,
    /// What is copied outside: image offset, offset there, bytes.
    pub far_copies: Vec<[u64; 3]>,
}

/// What kind of memory a section needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
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

/// Gives out addresses.
#[derive(Debug, Default)]
pub(super) struct Cursor(u64);

impl Cursor {
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

    pub(super) fn thunk(&mut self, thunk: &Thunk) -> u64 {
        self.place(thunk.code.len() as u64, thunk.align)
    }

    pub(super) fn place(&mut self, size: u64, align: u64) -> u64 {
        let at = self.0.next_multiple_of(align.max(1));
        self.0 = at.saturating_add(size);
        at
    }
}

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

/// The code sections, in the order in which they will lie.
pub(super) fn code(cx: Context<'_, '_>) -> Vec<SecRef> {
    of(&classify(cx), Class::Code).collect()
}

/// Lays the image out.
pub fn layout(cx: Context<'_, '_>, thunks: &Thunks) -> Result<Layout> {
    let classes = classify(cx);
    let mut out = Layout {
        commons: vec![None; cx.symbols.commons.len()],
        thunks: vec![0; thunks.all.len()],
        ..Layout::default()
    };
    let rw = writable(cx, &classes, &mut out);
    let places = fix_up_places(cx, &out);
    let fixed = read_only(cx, &classes, thunks, &mut out, &places);
    let rw_start = fixed.next_multiple_of(cx.arch.page_size());
    shift_writable(cx, &classes, &mut out, rw_start, &places);
    out.params.rw_offset = rw_start;
    // Whole pages: what the linker puts behind the image must not become writable with it.
    out.params.image_size = rw_start
        .saturating_add(rw)
        .next_multiple_of(cx.arch.page_size());
    if out.params.image_size > MAX_IMAGE {
        let mut problem = Problem::new(format!(
            "the image would have {} MiB; code reaches no further than {} MiB",
            out.params.image_size >> 20,
            MAX_IMAGE >> 20
        ));
        for note in far::largest(cx, &out) {
            problem = problem.note(note);
        }
        return Err(Error::unsupported(problem.help(
            "leave functions out with --export '!NAME', or allocate what is large on the heap",
        )));
    }
    lane::shape(cx, &mut out)?;
    bounds(cx, &mut out);
    out.order
        .sort_by_key(|(at, address)| (*address, cx.inputs.section(*at).size, *at));
    Ok(out)
}

type Classes = Vec<(SecRef, Class)>;

/// Sorts the kept sections by what they need, then into their order in the image.
fn classify(cx: Context<'_, '_>) -> Classes {
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
    for name in &cx.symbols.bounded {
        let same = |at: SecRef| cx.inputs.section(at).name == *name;
        let most = classes
            .iter()
            .filter(|(at, _)| same(*at))
            .map(|(_, c)| *c)
            .max();
        for (_, class) in classes.iter_mut().filter(|(at, _)| same(*at)) {
            *class = most.map_or(*class, |m| m.clamp(Class::ReadOnly, Class::Data));
        }
    }
    classes.sort_by_cached_key(|(at, class)| {
        let section = cx.inputs.section(*at);
        let bounded = cx
            .symbols
            .bounded
            .iter()
            .position(|b| section.name == *b)
            .map_or(0, |i| i + 1);
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

fn of<'c>(classes: &'c Classes, wanted: Class) -> impl Iterator<Item = SecRef> + 'c {
    classes
        .iter()
        .filter(move |(_, c)| *c == wanted)
        .map(|(at, _)| *at)
}

/// Lays out the writable part from 0; returns its size.
fn writable(cx: Context<'_, '_>, classes: &Classes, out: &mut Layout) -> u64 {
    let mut cursor = Cursor::default();
    let init_at = cursor.place(0, 8);
    for at in of(classes, Class::Init) {
        let section = cx.inputs.section(at);
        let address = cursor.place(section.size, section.align);
        out.sections.insert(at, address);
        out.order.push((at, address));
    }
    out.params.init_offset = init_at;
    out.params.init_count = (cursor.0 - init_at) / 8;
    template(cx, classes, out, &mut cursor);
    out.cells = cursor.place(8 * cx.plan.cells.len() as u64, 8);
    for class in [Class::Fixed, Class::Data] {
        if class == Class::Data {
            out.params.vars_offset = cursor.0;
        }
        for at in of(classes, class) {
            let section = cx.inputs.section(at);
            let address = cursor.place(section.size, section.align);
            out.sections.insert(at, address);
            out.order.push((at, address));
        }
        if class == Class::Fixed {
            templates(cx, out, &mut cursor);
        }
    }
    out.params.vars_size = cursor.0 - out.params.vars_offset;
    out.zeros_at = cursor.0;
    for at in of(classes, Class::Zeros) {
        let section = cx.inputs.section(at);
        let address = cursor.place(section.size, section.align);
        out.sections.insert(at, address);
        out.order.push((at, address));
    }
    for (i, common) in cx.symbols.commons.iter().enumerate() {
        let outside = cx.plan.far.places.contains_key(&Static::Common(i as u32));
        if cx.live.commons[i] && !outside {
            out.commons[i] = Some(cursor.place(common.size, common.align));
        }
    }
    cursor.0.max(1)
}

/// The bytes of what lies outside the image and does not begin as zeros. The fix-ups write there, and nothing else does.
fn templates(cx: Context<'_, '_>, out: &mut Layout, cursor: &mut Cursor) {
    const ALIGN: u64 = 16;
    for (at, _) in cx.plan.far.copied(cx.inputs) {
        let address = cursor.place(cx.inputs.section(at).size, ALIGN);
        out.templates.insert(at, address);
        out.order.push((at, address));
    }
}

/// The thread-local template: initialised sections have bytes in the image, the zeroed rest has none.
fn template(cx: Context<'_, '_>, classes: &Classes, out: &mut Layout, cursor: &mut Cursor) {
    // It is copied to lanes: there it has all of its alignment.
    let start = cursor.place(
        0,
        lane::tls_align(
            cx,
            of(classes, Class::Tls).chain(of(classes, Class::TlsZeros)),
        )
        .min(cx.arch.page_size()),
    );
    let mut block = Cursor::default();
    for at in of(classes, Class::Tls) {
        let section = cx.inputs.section(at);
        let offset = block.place(section.size, section.align);
        out.tls.insert(at, offset);
        out.order.push((at, start + offset));
    }
    cursor.place(block.0, 1);
    out.params.tls_offset = start;
    out.params.tls_file_size = block.0;
    for at in of(classes, Class::TlsZeros) {
        let section = cx.inputs.section(at);
        out.tls.insert(at, block.place(section.size, section.align));
    }
    out.params.tls_mem_size = block.0;
}

/// Places of absolute pointers, relative to the writable part, sorted.
#[derive(Debug, Default)]
struct Places {
    /// To the image.
    near: Vec<u64>,
    /// To what lies outside.
    far: Vec<u64>,
}

fn fix_up_places(cx: Context<'_, '_>, out: &Layout) -> Places {
    let mut places = Places::default();
    let mut add = |target: Target, place: u64| match cx.plan.far.has(target) {
        true => places.far.push(place),
        false => places.near.push(place),
    };
    for (at, ops) in &cx.plan.ops {
        let section = out.sections.get(at).or(out.templates.get(at));
        let base = match (section, out.tls.get(at)) {
            (Some(base), _) => *base,
            (None, Some(offset)) => out.params.tls_offset + offset,
            (None, None) => continue, // read-only: holds none
        };
        for fill in &ops.fills {
            if let Value::Absolute(target, _) = fill.value {
                add(target, base + fill.offset);
            }
        }
    }
    for (i, (target, _)) in cx.plan.cells.iter().enumerate() {
        if let Target::Section { .. } | Target::Common(_) | Target::Linker(_) = target {
            add(*target, out.cells + 8 * i as u64);
        }
    }
    for list in [&mut places.near, &mut places.far] {
        list.sort_unstable();
        list.dedup();
    }
    places
}

/// Lays out header, code and read-only data; returns where they end.
fn read_only(
    cx: Context<'_, '_>,
    classes: &Classes,
    thunks: &Thunks,
    out: &mut Layout,
    places: &Places,
) -> u64 {
    let mut cursor = Cursor::code();
    for class in [Class::Code, Class::ReadOnly] {
        for at in of(classes, class) {
            let address = cursor.section(cx, at);
            out.sections.insert(at, address);
            out.order.push((at, address));
            for (which, thunk) in thunks.behind(at).iter().zip(cx.arch.thunk().iter().cycle()) {
                out.thunks[*which] = cursor.thunk(thunk);
            }
        }
        if class == Class::Code {
            out.params.code_offset = HEADER_SIZE as u64;
            out.params.code_size = cursor.0 - HEADER_SIZE as u64;
        }
    }
    out.pools = cx
        .merged
        .pools
        .iter()
        .map(|p| cursor.place(p.bytes.len() as u64, p.align))
        .collect();
    out.params_at = cursor.place(Params::SIZE as u64, 8);
    out.params.names_offset = cursor.place(cx.names.size(), 4);
    out.params.names_count = cx.names.len();
    out.params.lookup_offset = cursor.place(lookup::size(&cx.live.looked_up), 4);
    out.params.lookup_count = cx.live.looked_up.len() as u64;
    unwind_tables(cx, out, &mut cursor);
    let (aligned, unaligned): (Vec<u64>, Vec<u64>) = places.near.iter().partition(|p| *p % 8 == 0);
    let count = relr::encode(&aligned).len() as u64;
    out.params.relr_offset = cursor.place(8 * count, 8);
    out.params.relr_count = count;
    out.params.unaligned_offset = cursor.place(4 * unaligned.len() as u64, 4);
    out.params.unaligned_count = unaligned.len() as u64;
    out.params.far_fixups_count = places.far.len() as u64;
    out.params.far_fixups_offset = cursor.place(4 * out.params.far_fixups_count, 4);
    out.params.far_copies_count = out.templates.len() as u64;
    out.params.far_copies_offset = cursor.place(24 * out.params.far_copies_count, 8);
    cursor.0
}

fn unwind_tables(cx: Context<'_, '_>, out: &mut Layout, cursor: &mut Cursor) {
    const TERMINATOR: u64 = 4;
    let start = cursor.place(0, 8);
    let mut functions = 0;
    for record in &cx.live.records {
        let frames = &cx.frames[record.at.obj as usize];
        let Some((_, records)) = frames.iter().find(|(sec, _)| *sec == record.at.sec) else {
            continue;
        };
        let own = &records[record.index as usize];
        out.records.insert(*record, cursor.place(own.size, 1));
        functions += u64::from(own.kind != super::unwind::RecordKind::Cie);
    }
    let end = cursor.place(TERMINATOR, 1) + TERMINATOR;
    out.params.eh_frame_offset = start;
    out.params.eh_frame_size = end - start;
    out.params.eh_table_offset = cursor.place(8 * functions, 8);
    out.params.eh_table_count = functions;
}

/// Moves the writable part to its place, and encodes the fix-ups there.
fn shift_writable(
    cx: Context<'_, '_>,
    classes: &Classes,
    out: &mut Layout,
    by: u64,
    places: &Places,
) {
    let moved: std::collections::HashSet<SecRef> = [
        Class::Fixed,
        Class::Data,
        Class::Init,
        Class::Zeros,
        Class::Tls,
    ]
    .into_iter()
    .flat_map(|c| of(classes, c))
    .chain(cx.plan.far.copied(cx.inputs).map(|(at, _)| at))
    .collect();
    for (at, address) in out.sections.iter_mut().filter(|(at, _)| moved.contains(at)) {
        debug_assert!(cx.live.keeps(*at));
        *address += by;
    }
    for (_, address) in out.order.iter_mut().filter(|(at, _)| moved.contains(at)) {
        *address += by;
    }
    for address in out
        .commons
        .iter_mut()
        .flatten()
        .chain(out.templates.values_mut())
    {
        *address += by;
    }
    out.cells += by;
    out.zeros_at += by;
    out.params.init_offset += by;
    out.params.tls_offset += by;
    out.params.vars_offset += by;
    let (aligned, unaligned): (Vec<u64>, Vec<u64>) =
        places.near.iter().map(|p| p + by).partition(|p| p % 8 == 0);
    out.relr = relr::encode(&aligned);
    out.unaligned = unaligned.iter().map(|p| *p as u32).collect();
    out.far_fixups = places.far.iter().map(|p| (p + by) as u32).collect();
    let copies = cx.plan.far.copied(cx.inputs);
    out.far_copies = copies
        .map(|(at, to)| [out.templates[&at], to, cx.inputs.section(at).size])
        .collect();
    out.params.far_size = cx.plan.far.size;
    out.params.far_align = cx.plan.far.align;
}

fn bounds(cx: Context<'_, '_>, out: &mut Layout) {
    for name in &cx.symbols.bounded {
        let all = out
            .sections
            .iter()
            .filter(|(at, _)| cx.inputs.section(**at).name == *name);
        let ends = all.map(|(at, address)| (*address, address + cx.inputs.section(*at).size));
        let hull = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        out.bounds.push(hull.unwrap_or((0, 0)));
    }
}

impl Layout {
    /// Image offset of a target with a constant added. None for targets that have none.
    pub fn address(&self, merged: &Merged, target: Target, addend: i64) -> Option<u64> {
        let plus = |base: u64| base.wrapping_add_signed(addend);
        match target {
            Target::Section { at, offset, whole } if merged.contains(at) => {
                // A section symbol's addend chooses the element; a named symbol's does not leave it.
                let (element, rest) = if whole {
                    (plus(offset), 0)
                } else {
                    (offset, addend)
                };
                let (pool, inside) = merged.find(at, element)?;
                Some((self.pools.get(pool)? + inside).wrapping_add_signed(rest))
            }
            Target::Section { at, offset, .. } => {
                self.sections.get(&at).map(|base| plus(base + offset))
            }
            Target::Common(i) => (*self.commons.get(i as usize)?).map(plus),
            Target::Linker(Linker::Image) => Some(plus(0)),
            Target::Linker(Linker::Params) => Some(plus(self.params_at)),
            Target::Linker(Linker::Got) => Some(plus(self.cells)),
            Target::Linker(Linker::Init { end }) => {
                let bytes = if end { 8 * self.params.init_count } else { 0 };
                Some(plus(self.params.init_offset + bytes))
            }
            Target::Linker(Linker::Bound { name, end }) => {
                let (from, to) = *self.bounds.get(name as usize)?;
                Some(plus(if end { to } else { from }))
            }
            _ => None,
        }
    }
}
