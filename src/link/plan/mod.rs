//! The plan half of lowering: for every relocation of kept code and data, what will be written where, in symbolic form;
//! how many cells that takes; which read-only sections need fix-ups and so belong to the writable part. No addresses yet.

mod planner;
mod refuse;
mod thread_pointer;

pub use self::planner::plan;

use super::far::Far;
use super::{SecRef, Target};
use crate::arch::groups::Patch;
use crate::arch::reloc::Field;
use crate::base::hash::Set;
use std::collections::BTreeMap;
use std::ops::Range;

/// A value that is known once everything has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// S + A - P.
    PcRelative(Target, i64),
    /// The same for a call or jump, which may go through a thunk.
    Branch(Target, i64),
    /// S + A, fixed up at run time.
    Absolute(Target, i64),
    /// The cell's address + A - P.
    Cell(u32, i64),
    /// The first cell's address + A - P.
    CellBase(i64),
    /// S + A - the first cell's address.
    FromCellBase(Target, i64),
    /// The offset in a lane of a thread-local + A.
    InLane(Target, i64),
    /// What is left of a lane from a thread-local on, + a number.
    BelowLaneTop(Target, i64),
    /// The distance to an instruction that stops the program, + A.
    Trap(i64),
    /// A number.
    Number(i64),
}

/// One field to fill in.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// In the section.
    pub offset: u64,
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: Value,
    /// The relocation's name, for messages.
    pub name: &'static str,
}

/// What happens to one section, in the order in which it is done; to unwind tables, of which parts are asked for, in the order of the places.
#[derive(Clone, Debug, Default)]
pub struct Ops {
    /// Instructions to replace: (offset, bytes). Done before the fields are filled in.
    pub patches: Vec<Patch>,
    /// Fields.
    pub fills: Vec<Fill>,
    /// Code that follows the section's own.
    pub appended: Vec<u8>,
}

impl Ops {
    /// The replacements that begin in a range of the section.
    pub fn patches_in(&self, range: &Range<u64>) -> &[Patch] {
        within(&self.patches, range, |(offset, _)| *offset)
    }

    /// The fields that begin in a range of the section.
    pub fn fills_in(&self, range: &Range<u64>) -> &[Fill] {
        within(&self.fills, range, |fill| fill.offset)
    }
}

/// Those whose places lie in a range: all, or of a list in the order of places.
fn within<'s, T>(all: &'s [T], range: &Range<u64>, place: impl Fn(&T) -> u64) -> &'s [T] {
    let from = all.partition_point(|t| place(t) < range.start);
    let to = all.partition_point(|t| place(t) < range.end);
    &all[from..to.max(from)]
}

/// The plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// By section; unwind sections too (their fields in kept records alone).
    pub ops: BTreeMap<SecRef, Ops>,
    /// What each cell holds the address of, and a constant added to it.
    pub cells: Vec<(Target, i64)>,
    /// What lies outside the image.
    pub far: Far,
    /// Sections that hold pointers to be fixed up.
    pub fixed_up: Set<SecRef>,
    /// Mergeable sections that must stay as they are: something computes distances into them.
    pub unmerged: Set<SecRef>,
}

impl Plan {
    /// Bytes that follow a section's own.
    pub fn appended(&self, at: SecRef) -> u64 {
        self.ops.get(&at).map_or(0, |ops| ops.appended.len() as u64)
    }
}

impl Value {
    /// The value with a number added.
    pub fn plus(self, n: i64) -> Value {
        match self {
            Value::PcRelative(t, a) => Value::PcRelative(t, a.wrapping_add(n)),
            Value::Branch(t, a) => Value::Branch(t, a.wrapping_add(n)),
            Value::Absolute(t, a) => Value::Absolute(t, a.wrapping_add(n)),
            Value::Cell(i, a) => Value::Cell(i, a.wrapping_add(n)),
            Value::CellBase(a) => Value::CellBase(a.wrapping_add(n)),
            Value::FromCellBase(t, a) => Value::FromCellBase(t, a.wrapping_add(n)),
            Value::InLane(t, a) => Value::InLane(t, a.wrapping_add(n)),
            Value::BelowLaneTop(t, a) => Value::BelowLaneTop(t, a.wrapping_add(n)),
            Value::Trap(a) => Value::Trap(a.wrapping_add(n)),
            Value::Number(a) => Value::Number(a.wrapping_add(n)),
        }
    }
}
