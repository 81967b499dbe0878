//! Where everything is.

use super::super::merge::Merged;
use super::super::unwind::RecordRef;
use super::super::{Linker, SecRef, Target};
use crate::base::hash::Map;
use crate::contract::Params;
use std::collections::BTreeMap;

/// Where everything is.
#[derive(Debug, Default)]
pub struct Layout {
    /// Image offset of each section outside the thread-local template; merged ones are in the pools.
    pub sections: Map<SecRef, u64>,
    /// Sections in the order of the image, the template's included (at the address of its bytes).
    pub order: Vec<(SecRef, u64)>,
    /// Offset of each thread-local section from the start of the block.
    pub tls: Map<SecRef, u64>,
    /// Image offset of each thunk.
    pub thunks: Vec<u64>,
    /// Image offset of each pool of merged elements.
    pub pools: Vec<u64>,
    /// Image offset of each common symbol that is kept and lies in the image.
    pub commons: Vec<Option<u64>>,
    /// Image offset of the bytes of each section that is copied from there to its place outside.
    pub templates: Map<SecRef, u64>,
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
