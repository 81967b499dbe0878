//! Range extension: branches that do not reach their targets go through thunks, pieces of code near by that go on anywhere. On machines whose
//! branches reach all of an image there are none.
//!
//! Thunks stand in islands between code sections, of which there is one in less than half of what a branch reaches. That a branch has its thunk is found out with
//! the addresses that the layout will give; each thunk moves what comes behind it, so it is looked again until all reach.

use super::order::{self, Context, Cursor};
use super::plan::Value;
use super::{SecRef, Target};
use crate::arch::Thunk;
use crate::arch::reloc::Field;
use crate::base::hash::Map;
use crate::provenance::HEADER_SIZE;

/// The thunks of a link.
#[derive(Debug, Default)]
pub struct Thunks {
    /// Where each goes on.
    pub all: Vec<To>,
    /// Which stand behind a section, in order.
    islands: Map<SecRef, Vec<usize>>,
    /// The thunk of the branch at a place of a section.
    of: Map<(SecRef, u64), usize>,
}

/// Where a branch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum To {
    /// To a target, with a constant added.
    Place(Target, i64),
    /// To what stops the program, with a constant added.
    Trap(i64),
}

impl Thunks {
    /// The thunks that stand behind a section.
    pub fn behind(&self, at: SecRef) -> &[usize] {
        self.islands.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The thunk that the branch at a place of a section goes through.
    pub fn of(&self, at: SecRef, offset: u64) -> Option<usize> {
        self.of.get(&(at, offset)).copied()
    }
}

/// Finds the branches that need thunks.
pub fn plan(cx: Context<'_, '_>) -> Thunks {
    let Some(thunk) = cx.arch.thunk() else {
        return Thunks::default();
    };
    let order = order::code(cx);
    let branches: Vec<_> = order.iter().flat_map(|at| branches(cx, *at)).collect();
    let Some(reach) = branches.iter().filter_map(|b| b.reach()).min() else {
        return Thunks::default();
    };
    let mut p = Planner {
        cx,
        thunk,
        islands: islands(cx, &order, reach / 2),
        order,
        known: Map::default(),
        out: Thunks::default(),
    };
    while p.extend(&branches) {}
    p.out
}

/// A branch that is planned.
struct Branch {
    at: SecRef,
    offset: u64,
    field: Field,
    to: To,
}

impl Branch {
    /// How far it reaches in both directions.
    fn reach(&self) -> Option<u64> {
        let (low, high) = self.field.bounds()?;
        Some(low.unsigned_abs().min(high.unsigned_abs()))
    }
}

fn branches<'a>(cx: Context<'a, '_>, at: SecRef) -> impl Iterator<Item = Branch> + use<'a> {
    let fills = cx.plan.ops.get(&at).map_or(&[][..], |ops| &ops.fills);
    fills.iter().filter_map(move |fill| {
        let to = match fill.value {
            Value::Branch(target, addend) => To::Place(target, addend),
            Value::Trap(addend) => To::Trap(addend),
            _ => return None,
        };
        Some(Branch {
            at,
            offset: fill.offset,
            field: fill.field,
            to,
        })
    })
}

/// The sections behind which an island may stand: no more than `distance` lies between two, or one section.
fn islands(cx: Context<'_, '_>, order: &[SecRef], distance: u64) -> Vec<SecRef> {
    let mut islands = Vec::new();
    let mut since = 0u64;
    for pair in order.windows(2) {
        let [at, next] = pair else { continue };
        since = since.saturating_add(size(cx, *at));
        if since.saturating_add(size(cx, *next)) > distance {
            islands.push(*at);
            since = 0;
        }
    }
    islands.extend(order.last());
    islands
}

/// Bytes of a code section, and what may be between it and the next.
fn size(cx: Context<'_, '_>, at: SecRef) -> u64 {
    let section = cx.inputs.section(at);
    let own = section.size.saturating_add(cx.plan.appended(at));
    own.saturating_add(section.align)
}

struct Planner<'a, 'd> {
    cx: Context<'a, 'd>,
    thunk: &'static Thunk,
    order: Vec<SecRef>,
    /// The sections behind which thunks may stand.
    islands: Vec<SecRef>,
    /// By island and where they go on.
    known: Map<(SecRef, To), usize>,
    out: Thunks,
}

/// Where code is, as far as it is planned.
struct Addresses {
    sections: Map<SecRef, u64>,
    /// Where each island begins, in order.
    islands: Vec<(SecRef, u64)>,
}

impl Planner<'_, '_> {
    /// Gives thunks to the branches that need one and have none; says whether there were any.
    fn extend(&mut self, branches: &[Branch]) -> bool {
        let addresses = self.addresses();
        let mut any = false;
        for b in branches {
            let from = addresses.sections[&b.at].wrapping_add(b.offset);
            let to = addresses.of(b.to);
            let reaches = |to: i64| b.field.check(b.field.distance(to, from as i64)).is_ok();
            if to.is_none_or(reaches) || self.out.of.contains_key(&(b.at, b.offset)) {
                continue;
            }
            let islands = addresses.islands.iter();
            let Some((island, _)) = islands.min_by_key(|(_, at)| at.abs_diff(from)) else {
                continue;
            };
            let thunk = self.thunk(*island, b.to);
            self.out.of.insert((b.at, b.offset), thunk);
            any = true;
        }
        any
    }

    /// The thunk of an island that goes on at a place.
    fn thunk(&mut self, island: SecRef, to: To) -> usize {
        let next = self.out.all.len();
        let thunk = *self.known.entry((island, to)).or_insert(next);
        if thunk == next {
            self.out.all.push(to);
            self.out.islands.entry(island).or_default().push(thunk);
        }
        thunk
    }

    fn addresses(&self) -> Addresses {
        let mut cursor = Cursor::code();
        let mut addresses = Addresses {
            sections: Map::with_capacity_and_hasher(self.order.len(), Default::default()),
            islands: Vec::with_capacity(self.islands.len()),
        };
        let mut islands = self.islands.iter().peekable();
        for at in &self.order {
            let address = cursor.section(self.cx, *at);
            addresses.sections.insert(*at, address);
            if islands.next_if_eq(&at).is_some() {
                let start = cursor.place(0, self.thunk.align);
                addresses.islands.push((*at, start));
            }
            for _ in self.out.behind(*at) {
                cursor.thunk(self.thunk);
            }
        }
        addresses
    }
}

impl Addresses {
    /// Where a branch goes. None for what is no code: the write stage says whether it is reached.
    fn of(&self, to: To) -> Option<i64> {
        match to {
            To::Place(Target::Section { at, offset, .. }, addend) => {
                let section = self.sections.get(&at)?;
                Some((section.wrapping_add(offset) as i64).wrapping_add(addend))
            }
            To::Place(..) => None,
            To::Trap(addend) => Some((HEADER_SIZE as i64).wrapping_add(addend)),
        }
    }
}
