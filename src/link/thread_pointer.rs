//! The thread pointer. On Go's threads it is Go's, so no instruction of the image may read through it: the backend replaces each. What a
//! thread-local's offset is added to in its place is the base of the lane. Code that has no room for that goes on behind the
//! end of its section, and comes back from there.

use super::plan::{Fill, Ops, Value};
use super::reloc::{Field, Formula, Howto, Range};
use super::symbols::{Inputs, Symbols};
use super::{SecRef, live};
use crate::arch::Arch;
use crate::base::diag::Problem;
use crate::read::{Def, Object, SymbolKind};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A code section, as the backend looks for uses of the thread pointer in it.
#[derive(Debug)]
pub struct Code<'a> {
    /// Its bytes, as far as they are known.
    pub bytes: &'a [u8],
    /// Where functions begin and end. What lies between them may be data.
    pub functions: &'a [std::ops::Range<u64>],
    /// The fields that are filled in: bytes by offset.
    pub fields: &'a BTreeMap<u64, u8>,
    /// Those that are filled in with the offset of a thread-local in a lane.
    pub offsets: &'a BTreeSet<u64>,
    /// Whether the object knows such offsets. If not, registers do not hold any.
    pub has_offsets: bool,
    /// Where code from elsewhere may arrive.
    pub labels: &'a HashSet<u64>,
    /// Bytes of a lane.
    pub lane_size: u64,
}

/// What replaces the uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Detours {
    /// Instructions: (offset, bytes).
    pub patches: Vec<(u64, Vec<u8>)>,
    /// Code that is appended to the section.
    pub appended: Vec<u8>,
    /// Fields of replaced instructions, and where they are now.
    pub moved: Vec<Moved>,
    /// 32-bit fields that get the distance to the stack protector's value, + the number.
    pub protectors: Vec<(u64, i64)>,
}

/// A field that has a new place. One may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: u64,
    /// Where it is.
    pub to: u64,
    /// What is added to its value.
    pub plus: i64,
}

/// The distance to the stack protector's value.
static PROTECTOR: Howto = Howto {
    r_type: 0,
    name: "the stack protector's value",
    formula: Formula::PcRelative,
    field: Field::new(4, Range::Signed),
};

/// What is known of an object's code, by section.
#[derive(Debug)]
pub struct Context {
    obj: u32,
    functions: HashMap<u32, Vec<std::ops::Range<u64>>>,
    labels: HashMap<u32, HashSet<u64>>,
    has_offsets: bool,
}

/// Replaces the uses of the thread pointer in a code section whose relocations are planned. `known` is kept from one section of an object to
/// the next.
pub fn replace(
    (inputs, symbols): (&Inputs<'_>, &Symbols),
    arch: &dyn Arch,
    lane_size: u64,
    at: SecRef,
    ops: &mut Ops,
    known: &mut Option<Context>,
) -> Vec<Problem> {
    let section = inputs.section(at);
    if !section.exec() || !arch.uses_thread_pointer(&section.data) {
        return Vec::new();
    }
    let known = match known {
        Some(known) if known.obj == at.obj => known,
        known => known.insert(Context::new(inputs.object(at.obj), at.obj, arch)),
    };
    let mut bytes = section.data.to_vec();
    for (offset, patch) in &ops.patches {
        let offset = *offset as usize;
        // Every rewriting stays within the instructions that it was made for.
        bytes[offset..offset + patch.len()].copy_from_slice(patch);
    }
    let is_offset = |f: &&Fill| matches!(f.value, Value::InLane(..));
    let offsets = ops.fills.iter().filter(is_offset).map(|f| f.offset);
    let fields = ops.fills.iter().map(|f| (f.offset, f.field.bytes));
    let found = arch.replace_thread_pointer(&Code {
        bytes: &bytes,
        functions: known.functions.get(&at.sec).map_or(&[], Vec::as_slice),
        fields: &fields.collect(),
        offsets: &offsets.collect(),
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

const HELP: &str =
    "compile C with -fPIC; leave out assembly that uses the thread pointer by itself";

fn located(problem: Problem, inputs: &Inputs<'_>, at: SecRef, offset: u64) -> Problem {
    let object = inputs.object(at.obj);
    let functions = object.symbols.iter().filter(|s| {
        s.def == Def::Section(at.sec) && s.kind == SymbolKind::Func && s.value <= offset
    });
    let name = functions.max_by_key(|s| s.value).map_or_else(
        || live::describe(inputs, at),
        |s| super::names::demangle(&s.name),
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
    let replaced = |offset: u64| {
        let mut ranges = patches
            .iter()
            .map(|(at, bytes)| *at..*at + bytes.len() as u64);
        ranges.any(|r| r.contains(&offset))
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
    for (offset, plus) in protectors {
        let target = symbols.protector.ok_or(
            "internal error: nobody provides the stack protector's value; please report it",
        )?;
        ops.fills.push(Fill {
            offset,
            field: PROTECTOR.field,
            value: Value::PcRelative(target, plus),
            howto: &PROTECTOR,
        });
    }
    ops.patches.extend(patches);
    ops.appended = appended;
    Ok(())
}

impl Context {
    fn new(object: &Object<'_>, obj: u32, arch: &dyn Arch) -> Self {
        let code = object.sections.iter().filter(|s| s.exec());
        let has_offsets = code.flat_map(|s| &s.relocs).any(|r| {
            let howto = arch.howto(r.r_type);
            howto.is_some_and(|h| matches!(h.formula, Formula::TlsOffset | Formula::TlsCell))
        });
        let mut context = Context {
            obj,
            functions: HashMap::new(),
            labels: HashMap::new(),
            has_offsets,
        };
        context.name(object);
        context.refer(object);
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
            if matches!(symbol.kind, SymbolKind::Func | SymbolKind::None) {
                let end = symbol.value.saturating_add(symbol.size).min(section.size);
                self.functions
                    .entry(sec)
                    .or_default()
                    .push(symbol.value..end);
            }
        }
        for list in self.functions.values_mut() {
            list.sort_unstable_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
            list.dedup_by_key(|r| r.start);
        }
    }

    /// Places that code and data refer to.
    ///
    /// The entry of a table of jumps is the distance from the table's start; its relocation tells the distance from the entry. Every place that
    /// anything refers to may be the start.
    fn refer(&mut self, object: &Object<'_>) {
        const INSTRUCTION_ENDS: [i64; 4] = [4, 5, 6, 8];
        let starts = referred(object);
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
                    // A branch ends with its field; what else refers to a place may have an immediate behind that.
                    let branch = is_branch(&section.data, reloc.offset);
                    let ends = &INSTRUCTION_ENDS[..if branch { 1 } else { 4 }];
                    labels.extend(ends.iter().map(|n| place.wrapping_add_signed(*n)));
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

/// Whether the field at `offset` is that of a branch, which ends with it: call, jmp, jcc with 32 bits.
fn is_branch(code: &[u8], offset: u64) -> bool {
    let before = |n: u64| {
        offset
            .checked_sub(n)
            .and_then(|at| code.get(at as usize).copied())
    };
    matches!(before(1), Some(0xe8 | 0xe9))
        || (before(2) == Some(0x0f) && matches!(before(1), Some(0x80..=0x8f)))
}

/// By section of data: the places that code refers to, or that have names.
fn referred(object: &Object<'_>) -> BTreeMap<u32, BTreeSet<u64>> {
    const TO_NEXT_INSTRUCTION: i64 = 4;
    let mut places: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for symbol in &object.symbols {
        if let Def::Section(sec) = symbol.def {
            places.entry(sec).or_default().extend([0, symbol.value]);
        }
    }
    for reloc in object
        .sections
        .iter()
        .filter(|s| s.exec())
        .flat_map(|s| &s.relocs)
    {
        let symbol = &object.symbols[reloc.symbol as usize];
        if let Def::Section(sec) = symbol.def {
            let place = symbol
                .value
                .wrapping_add_signed(reloc.addend.wrapping_add(TO_NEXT_INSTRUCTION));
            places.entry(sec).or_default().insert(place);
        }
    }
    places
}

impl Value {
    /// The value with a number added.
    fn plus(self, n: i64) -> Value {
        match self {
            Value::PcRelative(t, a) => Value::PcRelative(t, a.wrapping_add(n)),
            Value::Absolute(t, a) => Value::Absolute(t, a.wrapping_add(n)),
            Value::Cell(i, a) => Value::Cell(i, a.wrapping_add(n)),
            Value::CellBase(a) => Value::CellBase(a.wrapping_add(n)),
            Value::FromCellBase(t, a) => Value::FromCellBase(t, a.wrapping_add(n)),
            Value::InLane(t, a) => Value::InLane(t, a.wrapping_add(n)),
            Value::Trap(a) => Value::Trap(a.wrapping_add(n)),
            Value::Number(a) => Value::Number(a.wrapping_add(n)),
        }
    }
}
