//! The write half of lowering: the bytes of the image, every field filled in.

use super::Referrer;
use super::functions::NameTable;
use super::inputs::Inputs;
use super::layout::table::Layout;
use super::lookup::{self, LookedUp};
use super::merge::Merged;
use super::order::TRAP_SIZE;
use super::plan::{Fill, Ops, Plan, Value};
use super::thunks::{Thunks, To};
use super::unwind::{self, Frames, RecordKind, RecordRef};
use super::{SecRef, Target};
use crate::arch::Linking;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::contract::Params;
use crate::provenance::HEADER_SIZE;

/// Everything that the bytes depend on.
#[derive(Clone, Copy)]
pub struct Context<'a, 'd> {
    /// Objects.
    pub inputs: &'a Inputs<'d>,
    /// What goes where.
    pub plan: &'a Plan,
    /// What branches go through.
    pub thunks: &'a Thunks,
    /// Pools.
    pub merged: &'a Merged,
    /// Names of functions.
    pub names: &'a NameTable,
    /// What the library may look up while it runs.
    pub looked_up: &'a LookedUp,
    /// Addresses.
    pub layout: &'a Layout,
    /// Unwind records.
    pub frames: &'a [Frames],
    /// The backend.
    pub arch: &'a dyn Linking,
}

/// Writes the image; the header is left as zeros.
pub fn write(cx: Context<'_, '_>) -> Result<Vec<u8>> {
    let layout = cx.layout;
    let mut w = Writer {
        cx,
        image: vec![0; layout.params.image_size as usize],
        problems: Vec::new(),
    };
    w.traps();
    for (at, address) in &layout.order {
        w.section(*at, *address);
    }
    for (pool, at) in cx.merged.pools.iter().zip(&layout.pools) {
        w.put(*at, &pool.bytes);
    }
    w.thunks();
    w.cells();
    w.unwind_tables();
    w.fix_ups();
    w.put(layout.params_at, &params_bytes(&layout.params));
    let names_at = layout.params.names_offset;
    let names = cx
        .names
        .bytes(names_at, &|at| layout.sections.get(&at).copied());
    w.put(names_at, &names);
    let lookup_at = layout.params.lookup_offset;
    let names = lookup::bytes(cx.looked_up, lookup_at, &|at| {
        layout.sections.get(&at).copied()
    });
    w.put(lookup_at, &names);
    Error::check(Kind::Fault, w.problems, w.image)
}

struct Writer<'a, 'd> {
    cx: Context<'a, 'd>,
    image: Vec<u8>,
    problems: Vec<Problem>,
}

impl Writer<'_, '_> {
    fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = at as usize;
        self.image[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Fills the gaps of the code with instructions that stop the program.
    fn traps(&mut self) {
        let trap = self.cx.arch.trap();
        let p = &self.cx.layout.params;
        let (from, to) = (
            p.code_offset as usize,
            (p.code_offset + p.code_size) as usize,
        );
        let code = &mut self.image[from..to];
        let mut done = trap.len().min(code.len());
        code[..done].copy_from_slice(&trap[..done]);
        // What is there is copied behind itself, twice as much each time.
        while done < code.len() {
            let next = done.min(code.len() - done);
            code.copy_within(..next, done);
            done += next;
        }
    }

    fn section(&mut self, at: SecRef, address: u64) {
        let section = self.cx.inputs.section(at);
        if section.nobits() {
            return;
        }
        self.put(address, &section.data);
        if let Some(ops) = self.cx.plan.ops.get(&at) {
            self.put(address + section.size, &ops.appended);
            let size = section.size + ops.appended.len() as u64;
            self.apply(at, ops, 0..size, address);
        }
    }

    /// Applies the operations on the bytes `range` of a section, which were put at `address`.
    fn apply(&mut self, at: SecRef, ops: &Ops, range: std::ops::Range<u64>, address: u64) {
        let size = (range.end - range.start) as usize;
        for (offset, bytes) in ops.patches_in(&range) {
            self.put(address + (offset - range.start), bytes);
        }
        for fill in ops.fills_in(&range) {
            let inside = fill.offset - range.start;
            let written = self.value(at, fill, address + inside).and_then(|value| {
                let bytes = &mut self.image[address as usize..address as usize + size];
                fill.field.write(bytes, inside, value)
            });
            if let Err(what) = written {
                let place = self.cx.inputs.object(at.obj).place(at.sec, fill.offset);
                let offset = fill.offset;
                let who = super::live::describe_at(self.cx.inputs, Referrer { at, offset });
                self.problems.push(
                    Problem::new(format!("{}: {what}", fill.name))
                        .at(place)
                        .note(format!("in {who}")),
                );
            }
        }
    }

    fn value(&self, at: SecRef, fill: &Fill, place: u64) -> std::result::Result<i64, String> {
        let layout = self.cx.layout;
        let address = |target: Target, addend: i64| {
            layout
                .address(self.cx.merged, target, addend)
                .map(|a| a as i64)
                .ok_or_else(lost)
        };
        let from_place = |to: i64| fill.field.distance(to, place as i64);
        Ok(match fill.value {
            Value::PcRelative(t, a) => from_place(address(t, a)?),
            Value::Branch(t, a) => from_place(self.branch(at, fill.offset, address(t, a)?)),
            Value::Absolute(t, a) => match self.cx.plan.far.address(t, a) {
                Some(outside) => outside as i64,
                None => address(t, a)?,
            },
            Value::Cell(i, a) => {
                from_place(((layout.cells + 8 * u64::from(i)) as i64).wrapping_add(a))
            }
            Value::CellBase(a) => from_place((layout.cells as i64).wrapping_add(a)),
            Value::FromCellBase(t, a) => address(t, a)?.wrapping_sub(layout.cells as i64),
            Value::Trap(a) => {
                let trap = (HEADER_SIZE as i64).wrapping_add(a);
                from_place(self.branch(at, fill.offset, trap))
            }
            Value::Number(n) => n,
            Value::InLane(t, a) => self.in_lane(t)?.wrapping_add(a),
            Value::BelowLaneTop(t, a) => (layout.params.lane_size as i64)
                .wrapping_sub(self.in_lane(t)?)
                .wrapping_add(a),
        })
    }

    /// The offset of a thread-local in a lane.
    fn in_lane(&self, target: Target) -> std::result::Result<i64, String> {
        let Target::Section { at, offset, .. } = target else {
            return Err("internal error: no thread-local; please report it".to_owned());
        };
        let layout = self.cx.layout;
        let block = layout.tls.get(&at).ok_or("the thread-local was left out")?;
        Ok((layout.params.lane_tls + block + offset) as i64)
    }

    /// Where a branch at a place of a section goes: to its target, or to a thunk that goes on there.
    fn branch(&self, at: SecRef, offset: u64, target: i64) -> i64 {
        let thunk = self.cx.thunks.of(at, offset);
        thunk.map_or(target, |thunk| self.cx.layout.thunks[thunk] as i64)
    }

    /// The thunks, each with the distance to where it goes on.
    fn thunks(&mut self) {
        let Some(thunk) = self.cx.arch.thunk() else {
            return;
        };
        for (to, address) in self.cx.thunks.all.iter().zip(&self.cx.layout.thunks) {
            let mut code = thunk.code.to_vec();
            let to = match *to {
                To::Place(target, addend) => self
                    .cx
                    .layout
                    .address(self.cx.merged, target, addend)
                    .map(|to| to as i64),
                To::Trap(addend) => Some((HEADER_SIZE as i64).wrapping_add(addend)),
            };
            for (offset, field) in thunk.fields {
                let distance = |to| field.distance(to, (address + offset) as i64);
                let written = to.map(distance).ok_or_else(lost);
                let written = written.and_then(|value| field.write(&mut code, *offset, value));
                let problem = |what| Problem::new(format!("a branch reaches too far: {what}"));
                self.problems.extend(written.err().map(problem));
            }
            self.put(*address, &code);
        }
    }

    fn cells(&mut self) {
        for (i, (target, addend)) in self.cx.plan.cells.iter().enumerate() {
            let outside = self.cx.plan.far.address(*target, *addend);
            let value = match target {
                Target::Absolute(n) => n.wrapping_add_signed(*addend),
                t => outside
                    .or_else(|| self.cx.layout.address(self.cx.merged, *t, *addend))
                    .unwrap_or(0),
            };
            self.put(self.cx.layout.cells + 8 * i as u64, &value.to_le_bytes());
        }
    }

    fn unwind_tables(&mut self) {
        let layout = self.cx.layout;
        let mut table: Vec<(u32, u32)> = Vec::new();
        for (record, address) in &layout.records {
            let Some(own) = unwind::record(self.cx.frames, *record) else {
                continue;
            };
            let section = self.cx.inputs.section(record.at);
            let range = own.offset..own.offset + own.size;
            self.put(
                *address,
                &section.data[range.start as usize..range.end as usize],
            );
            if let RecordKind::Fde(cie) = own.kind {
                let cie = layout.records[&RecordRef {
                    index: cie as u32,
                    ..*record
                }];
                self.put(address + 4, &((address + 4 - cie) as u32).to_le_bytes());
                let function = own.function(section).and_then(|r| {
                    let ops = self.cx.plan.ops.get(&record.at)?;
                    let fill = ops.fills_in(&(r.offset..r.offset + 1)).first()?;
                    let Value::PcRelative(target, addend) = fill.value else {
                        return None;
                    };
                    layout.address(self.cx.merged, target, addend)
                });
                table.extend(function.map(|f| (f as u32, *address as u32)));
            }
            if let Some(ops) = self.cx.plan.ops.get(&record.at) {
                self.apply(record.at, ops, range, *address);
            }
        }
        table.sort_unstable();
        for (i, (function, record)) in table.iter().enumerate() {
            let at = layout.params.eh_table_offset + 8 * i as u64;
            self.put(at, &function.to_le_bytes());
            self.put(at + 4, &record.to_le_bytes());
        }
    }

    fn fix_ups(&mut self) {
        let p = self.cx.layout.params;
        for (i, word) in self.cx.layout.relr.iter().enumerate() {
            self.put(p.relr_offset + 8 * i as u64, &word.to_le_bytes());
        }
        for (i, place) in self.cx.layout.unaligned.iter().enumerate() {
            self.put(p.unaligned_offset + 4 * i as u64, &place.to_le_bytes());
        }
        for (i, place) in self.cx.layout.far_fixups.iter().enumerate() {
            self.put(p.far_fixups_offset + 4 * i as u64, &place.to_le_bytes());
        }
        for (i, word) in self.cx.layout.far_copies.iter().flatten().enumerate() {
            self.put(p.far_copies_offset + 8 * i as u64, &word.to_le_bytes());
        }
    }
}

const _: () = assert!(TRAP_SIZE >= 4);

fn lost() -> String {
    "internal error: what it refers to was left out; please report it".to_owned()
}

/// The parameter block as the runtime reads it.
fn params_bytes(params: &Params) -> Vec<u8> {
    // SAFETY: Params is repr(C) and consists of u64 fields alone, so it has no padding and any byte of it is initialised.
    let bytes = unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(params).cast::<u8>(), Params::SIZE)
    };
    bytes.to_vec()
}
