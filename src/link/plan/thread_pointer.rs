//! The thread pointer. On Go's threads it is Go's, so no instruction of the image may read through it: the backend replaces each. What a
//! thread-local's offset is added to in its place is the base of the lane. Code that has no room for that goes on behind the
//! end of its section, and comes back from there.

use super::super::inputs::Inputs;
use super::super::symbols::Symbols;
use super::super::{SecRef, live};
use super::{Fill, Ops, Value};
use crate::arch::Linking;
use crate::arch::reloc::Formula;
use crate::arch::thread_pointer::{Code, Detours};
use crate::base::diag::Problem;
use crate::base::hash::Map;
use crate::read::{Def, Object, Symbol, SymbolKind};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

/// What is known of an object's code, by section.
#[derive(Debug)]
pub struct Context {
    obj: u32,
    labels: Map<u32, HashSet<u64>>,
    has_offsets: bool,
}

/// Replaces the uses of the thread pointer in a code section whose relocations are planned. `known` is kept from one section of an object to
/// the next.
pub fn replace(
    (inputs, symbols): (&Inputs<'_>, &Symbols),
    arch: &dyn Linking,
    lane_size: u64,
    at: SecRef,
    ops: &mut Ops,
    known: &mut Option<Context>,
) -> Vec<Problem> {
    let section = inputs.section(at);
    if !section.exec() || !arch.uses_thread_pointer(&section.data) {
        return Vec::new();
    }
    let mut bytes = section.data.to_vec();
    for (offset, patch) in &ops.patches {
        let offset = *offset as usize;
        // Every rewriting stays within the instructions that it was made for.
        bytes[offset..offset + patch.len()].copy_from_slice(patch);
    }
    let is_offset = |f: &&Fill| matches!(f.value, Value::InLane(..) | Value::BelowLaneTop(..));
    let offsets = ops.fills.iter().filter(is_offset).map(|f| f.offset);
    let offsets: BTreeSet<u64> = offsets.collect();
    let object = inputs.object(at.obj);
    let functions = functions(object, at.sec);
    if offsets.is_empty() && !arch.runs_through_thread_pointer(&bytes, &functions) {
        return Vec::new();
    }
    let known = match known {
        Some(known) if known.obj == at.obj => known,
        known => known.insert(Context::new(object, at.obj, arch)),
    };
    let fields = ops.fills.iter().map(|f| (f.offset, f.field.size()));
    let found = arch.replace_thread_pointer(&Code {
        bytes: &bytes,
        functions: &functions,
        fields: &fields.collect(),
        offsets: &offsets,
        has_offsets: known.has_offsets,
        labels: known.labels.entry(at.sec).or_default(),
        lane_size,
    });
    let refused = match found {
        Ok(detours) => apply(detours, symbols, ops)
            .err()
            .map(|what| (0, what))
            .into_iter()
            .collect(),
        Err(refused) => refused,
    };
    let problem = |(offset, what)| located(Problem::new(what).help(HELP), inputs, at, offset);
    refused.into_iter().map(problem).collect()
}

/// The functions of a code section: where each begins and ends, in order.
fn functions(object: &Object<'_>, sec: u32) -> Vec<Range<u64>> {
    let size = object.sections[sec as usize].size;
    let named = |s: &&Symbol<'_>| matches!(s.kind, SymbolKind::Func | SymbolKind::None);
    let symbols = object.symbols_of(sec).filter(named);
    let mut list: Vec<_> = symbols
        .map(|s| s.value..s.value.saturating_add(s.size).min(size))
        .collect();
    list.sort_unstable_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
    list.dedup_by_key(|r| r.start);
    list
}

const HELP: &str =
    "compile C with -fPIC; leave out assembly that uses the thread pointer by itself";

fn located(problem: Problem, inputs: &Inputs<'_>, at: SecRef, offset: u64) -> Problem {
    let object = inputs.object(at.obj);
    let functions = object.symbols.iter().filter(|s| {
        s.def == Def::Section(at.sec) && s.kind == SymbolKind::Func && s.value <= offset
    });
    let name = functions.max_by_key(|s| s.value).map_or_else(
        || live::describe(inputs, at),
        |s| super::super::names::demangle(&s.name),
    );
    problem
        .at(object.place(at.sec, offset))
        .note(format!("in {name}"))
}

/// Enters what the backend found into the plan of the section.
fn apply(detours: Detours, symbols: &Symbols, ops: &mut Ops) -> Result<(), String> {
    let Detours {
        patches,
        appended,
        moved,
        protectors,
    } = detours;
    let before: BTreeMap<u64, Fill> = ops.fills.iter().map(|f| (f.offset, *f)).collect();
    // In order, each with the furthest end so far.
    let mut ranges: Vec<(u64, u64)> = patches
        .iter()
        .map(|(at, bytes)| (*at, *at + bytes.len() as u64))
        .collect();
    ranges.sort_unstable();
    let mut end = 0;
    for range in &mut ranges {
        end = range.1.max(end);
        range.1 = end;
    }
    let replaced = |offset: u64| {
        let before = ranges.partition_point(|(from, _)| *from <= offset);
        before.checked_sub(1).is_some_and(|i| offset < ranges[i].1)
    };
    ops.fills.retain(|f| !replaced(f.offset));
    for m in &moved {
        let fill = before
            .get(&m.from)
            .ok_or("internal error: a field was lost; please report it")?;
        ops.fills.push(Fill {
            offset: m.to,
            value: fill.value.plus(m.plus),
            ..*fill
        });
    }
    for (offset, field, plus) in protectors {
        let target = symbols
            .protector
            .ok_or("internal error: the stack protector's value is undefined; please report it")?;
        ops.fills.push(Fill {
            offset,
            field,
            value: Value::PcRelative(target, plus),
            name: "the stack protector's value",
        });
    }
    ops.patches.extend(patches);
    ops.appended = appended;
    Ok(())
}

impl Context {
    fn new(object: &Object<'_>, obj: u32, arch: &dyn Linking) -> Self {
        let code = object.sections.iter().filter(|s| s.exec());
        let has_offsets = code.flat_map(|s| s.relocs.iter()).any(|r| {
            let howto = arch.howto(r.r_type);
            howto.is_some_and(|h| matches!(h.formula, Formula::TlsOffset | Formula::TlsCell))
        });
        let mut context = Context {
            obj,
            labels: Map::default(),
            has_offsets,
        };
        context.name(object);
        context.refer(object, arch);
        context
    }

    /// Named places.
    fn name(&mut self, object: &Object<'_>) {
        for symbol in &object.symbols {
            let Def::Section(sec) = symbol.def else {
                continue;
            };
            let section = &object.sections[sec as usize];
            if !section.exec() {
                continue;
            }
            self.labels.entry(sec).or_default().insert(symbol.value);
        }
    }

    /// Places that code and data refer to.
    ///
    /// The entry of a table of jumps is the distance from the table's start; its relocation tells the distance from the entry. Every place that
    /// anything refers to may be the start.
    fn refer(&mut self, object: &Object<'_>, arch: &dyn Linking) {
        let starts = referred(object, arch);
        for (from, section) in object.sections.iter().enumerate() {
            let relocs = section
                .relocs
                .iter()
                .filter(|_| section.alloc() && !section.eh_frame());
            for reloc in relocs {
                let symbol = &object.symbols[reloc.symbol as usize];
                let Def::Section(to) = symbol.def else {
                    continue;
                };
                if !object.sections[to as usize].exec() {
                    continue;
                }
                let labels = self.labels.entry(to).or_default();
                let place = symbol.value.wrapping_add_signed(reloc.addend);
                if section.exec() {
                    let meant = arch.meant(&section.data, reloc.offset).iter();
                    labels.extend(meant.map(|n| place.wrapping_add_signed(*n)));
                    continue;
                }
                labels.insert(place);
                let starts = starts.get(&(from as u32)).into_iter().flatten();
                let before = starts.take_while(|s| **s <= reloc.offset);
                labels.extend(before.map(|s| place.wrapping_sub(reloc.offset - s)));
            }
        }
    }
}

/// By section of data: the places that code refers to, or that have names.
fn referred(object: &Object<'_>, arch: &dyn Linking) -> BTreeMap<u32, BTreeSet<u64>> {
    let mut places: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for symbol in &object.symbols {
        if let Def::Section(sec) = symbol.def {
            places.entry(sec).or_default().extend([0, symbol.value]);
        }
    }
    let code = object.sections.iter().filter(|s| s.exec());
    for (section, reloc) in code.flat_map(|s| s.relocs.iter().map(move |r| (s, r))) {
        let symbol = &object.symbols[reloc.symbol as usize];
        if let Def::Section(sec) = symbol.def {
            // The address of a table is computed by an instruction that ends with its field.
            let meant = arch.meant(&section.data, reloc.offset).first();
            let plus = reloc.addend.wrapping_add(*meant.unwrap_or(&0));
            let place = symbol.value.wrapping_add_signed(plus);
            places.entry(sec).or_default().insert(place);
        }
    }
    places
}
