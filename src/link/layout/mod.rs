//! Layout: an address for everything. Addresses are offsets from the start of the image.
//!
//! ```text
//! header | trap | code | read-only data, pools, parameters, unwind tables, fix-ups | page | writable data | zeros
//! ```
//!
//! The writable part is laid out first, relative to its own start: that fixes the size of the packed fix-ups, which lie before it.

mod fix_ups;
mod lane;
pub mod room;
pub mod table;

use self::fix_ups::Places;
use self::table::Layout;
use super::far::Static;
use super::order::{Class, Classes, Context, Cursor, classify, of};
use super::thunks::Thunks;
use super::{SecRef, lookup, relr, unwind};
use crate::base::diag::{Error, Problem, Result};
use crate::base::hash::Set;
use crate::contract::Params;
use crate::provenance::HEADER_SIZE;

/// More than 32-bit distances can span.
const MAX_IMAGE: u64 = 0x7000_0000;

/// Lays the image out.
pub fn layout(cx: Context<'_, '_>, thunks: &Thunks) -> Result<Layout> {
    let classes = classify(cx);
    let mut out = Layout {
        commons: vec![None; cx.symbols.commons.len()],
        thunks: vec![0; thunks.all.len()],
        ..Layout::default()
    };
    let rw = writable(cx, &classes, &mut out);
    let places = fix_ups::places(cx, &out);
    let fixed = read_only(cx, &classes, thunks, &mut out, &places);
    let page = cx.arch.page_size();
    // Whatever page the kernel has: none holds both what becomes writable and code.
    let apart = cx.arch.largest_page() - page;
    let rw_start = (fixed + apart).next_multiple_of(page);
    shift_writable(cx, &classes, &mut out, rw_start, &places);
    out.params.rw_offset = rw_start;
    // Whole pages: what the linker puts behind the image must not become writable with it.
    out.params.image_size = rw_start
        .saturating_add(rw)
        .next_multiple_of(page)
        .saturating_add(apart);
    if out.params.image_size > MAX_IMAGE {
        let mut problem = Problem::new(format!(
            "the image would have {} MiB; code reaches no further than {} MiB",
            out.params.image_size >> 20,
            MAX_IMAGE >> 20
        ));
        for note in room::largest(cx, &out) {
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
    out.params.init_count = (cursor.end() - init_at) / 8;
    template(cx, classes, out, &mut cursor);
    out.cells = cursor.place(8 * cx.plan.cells.len() as u64, 8);
    for class in [Class::Fixed, Class::Data] {
        if class == Class::Data {
            out.params.vars_offset = cursor.end();
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
    out.params.vars_size = cursor.end() - out.params.vars_offset;
    out.zeros_at = cursor.end();
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
    cursor.end().max(1)
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
    cursor.place(block.end(), 1);
    out.params.tls_offset = start;
    out.params.tls_file_size = block.end();
    for at in of(classes, Class::TlsZeros) {
        let section = cx.inputs.section(at);
        out.tls.insert(at, block.place(section.size, section.align));
    }
    out.params.tls_mem_size = block.end();
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
            out.params.code_size = cursor.end() - HEADER_SIZE as u64;
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
    cursor.end()
}

fn unwind_tables(cx: Context<'_, '_>, out: &mut Layout, cursor: &mut Cursor) {
    const TERMINATOR: u64 = 4;
    let start = cursor.place(0, 8);
    let mut functions = 0;
    for record in &cx.live.records {
        let Some(own) = unwind::record(cx.frames, *record) else {
            continue;
        };
        out.records.insert(*record, cursor.place(own.size, 1));
        functions += u64::from(own.kind != unwind::RecordKind::Cie);
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
    let moved: Set<SecRef> = [
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
    let index = cx.symbols.bounded_by_name();
    let mut hulls: Vec<Option<(u64, u64)>> = vec![None; cx.symbols.bounded.len()];
    for (at, address) in out.sections.iter().filter(|_| !index.is_empty()) {
        let section = cx.inputs.section(*at);
        if let Some(name) = index.get(&*section.name) {
            let (from, to) = (*address, address + section.size);
            let hull = hulls[*name].get_or_insert((from, to));
            *hull = (hull.0.min(from), hull.1.max(to));
        }
    }
    out.bounds
        .extend(hulls.into_iter().map(|hull| hull.unwrap_or((0, 0))));
}
