//! The plan half of lowering: for every relocation of kept code and data, what will be written where, in symbolic form;
//! how many cells that takes; which read-only sections need fix-ups and so belong to the writable part. No addresses yet.

use super::far::Far;
use super::live::{Live, Referrer};
use super::names::demangle;
use super::reloc::{Field, Formula, Howto, Refusal, TlsModel};
use super::symbols::{Inputs, Symbols};
use super::unwind::{FDE_FUNCTION, Frames, RecordKind};
use super::{SecRef, Target, thread_pointer};
use crate::arch::Arch;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::read::{Reloc, Section};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// A value that is known once everything has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// S + A - P.
    PcRelative(Target, i64),
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
    /// For messages.
    pub howto: &'static Howto,
}

/// What happens to one section, in the order in which it is done; to unwind tables, of which parts are asked for, in the order of the places.
#[derive(Clone, Debug, Default)]
pub struct Ops {
    /// Instructions to replace: (offset, bytes). Done before the fields are filled in.
    pub patches: Vec<(u64, Vec<u8>)>,
    /// Fields.
    pub fills: Vec<Fill>,
    /// Code that follows the section's own.
    pub appended: Vec<u8>,
}

impl Ops {
    /// The replacements that begin in a range of the section.
    pub fn patches_in(&self, range: &Range<u64>) -> &[(u64, Vec<u8>)] {
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
    pub fixed_up: HashSet<SecRef>,
    /// Mergeable sections that must stay as they are: something computes distances into them.
    pub unmerged: HashSet<SecRef>,
}

impl Plan {
    /// Bytes that follow a section's own.
    pub fn appended(&self, at: SecRef) -> u64 {
        self.ops.get(&at).map_or(0, |ops| ops.appended.len() as u64)
    }
}

/// What the addend of a field that ends its instruction begins with: the processor counts from the next instruction.
const TO_NEXT_INSTRUCTION: i64 = -4;

struct Planner<'a, 'd> {
    inputs: &'a Inputs<'d>,
    symbols: &'a Symbols,
    arch: &'a dyn Arch,
    lane_size: u64,
    plan: Plan,
    cell_of: HashMap<(Target, i64), u32>,
    /// Of the object whose turn it is.
    known: Option<thread_pointer::Context>,
    problems: Vec<Problem>,
}

/// Plans every relocation. All problems are reported together.
pub fn plan(
    inputs: &Inputs<'_>,
    symbols: &Symbols,
    live: &Live,
    frames: &[Frames],
    arch: &dyn Arch,
    lane_size: u64,
    far: Far,
) -> Result<Plan> {
    let mut p = Planner {
        inputs,
        symbols,
        arch,
        lane_size,
        plan: Plan {
            // What moves, moves as a whole.
            unmerged: far.sections().collect(),
            far,
            ..Plan::default()
        },
        cell_of: HashMap::new(),
        known: None,
        problems: Vec::new(),
    };
    for at in &live.sections {
        p.section(*at, &inputs.section(*at).relocs);
    }
    p.records(live, frames);
    // Code is left as it was planned: what replaces an instruction may be replaced in its turn.
    let unwind = |(at, _): &(&SecRef, &mut Ops)| inputs.section(**at).eh_frame();
    for (_, ops) in p.plan.ops.iter_mut().filter(unwind) {
        ops.patches.sort_by_key(|(offset, _)| *offset);
        ops.fills.sort_by_key(|fill| fill.offset);
    }
    Error::check(Kind::Unsupported, p.problems, p.plan)
}

type Step<T> = std::result::Result<T, Problem>;

impl<'d> Planner<'_, 'd> {
    fn section(&mut self, at: SecRef, relocs: &[Reloc]) {
        let mut ops = Ops::default();
        let mut rest = relocs.iter().peekable();
        while let Some(reloc) = rest.next() {
            let next = rest.peek().copied();
            match self.reloc(at, reloc, next, &mut ops) {
                Ok(true) => _ = rest.next(), // the call of a thread-local sequence went with it
                Ok(false) => {}
                Err(problem) => self.problems.push(self.located(problem, at, reloc)),
            }
        }
        let problems = thread_pointer::replace(
            (self.inputs, self.symbols),
            self.arch,
            self.lane_size,
            at,
            &mut ops,
            &mut self.known,
        );
        self.problems.extend(problems);
        if !ops.fills.is_empty() || !ops.patches.is_empty() {
            self.plan.ops.insert(at, ops);
        }
    }

    /// Kept unwind records are read-only data: PC-relative fields only.
    fn records(&mut self, live: &Live, frames: &[Frames]) {
        for record in &live.records {
            let section = self.inputs.section(record.at);
            let found = frames[record.at.obj as usize]
                .iter()
                .find(|(sec, _)| *sec == record.at.sec);
            let Some((_, records)) = found else { continue };
            let own = &records[record.index as usize];
            let mut ops = Ops::default();
            for reloc in own.relocs(section) {
                let is_function = matches!(own.kind, RecordKind::Fde(_))
                    && reloc.offset == own.offset + FDE_FUNCTION;
                match self.reloc(record.at, reloc, None, &mut ops) {
                    Ok(_)
                        if ops
                            .fills
                            .iter()
                            .any(|f| matches!(f.value, Value::Absolute(..))) =>
                    {
                        let what = if is_function { "a function" } else { "data" };
                        let problem = Problem::new(format!(
                            "an unwind table refers to {what} by absolute address"
                        ))
                        .help("compile with -fPIC");
                        self.problems.push(self.located(problem, record.at, reloc));
                    }
                    Ok(_) => {}
                    Err(problem) => self.problems.push(self.located(problem, record.at, reloc)),
                }
            }
            let all = self.plan.ops.entry(record.at).or_default();
            all.patches.extend(ops.patches);
            all.fills.extend(ops.fills);
        }
    }

    fn located(&self, problem: Problem, at: SecRef, reloc: &Reloc) -> Problem {
        let object = self.inputs.object(at.obj);
        let offset = reloc.offset;
        let who = super::live::describe_at(self.inputs, Referrer { at, offset });
        problem
            .at(object.place(at.sec, offset))
            .note(format!("in {who}"))
    }

    fn target(&self, at: SecRef, reloc: &Reloc) -> Target {
        match self.inputs.section(at).eh_frame() {
            true => self.symbols.target(at.obj, reloc.symbol),
            false => self.symbols.reference(self.inputs, at.obj, reloc),
        }
    }

    fn name(&self, at: SecRef, reloc: &Reloc) -> String {
        let symbol = &self.inputs.object(at.obj).symbols[reloc.symbol as usize];
        match self.target(at, reloc) {
            Target::Section { at, offset, .. } if symbol.name.is_empty() => {
                let offset = offset.saturating_add_signed(reloc.addend);
                super::live::describe_at(self.inputs, Referrer { at, offset })
            }
            _ => demangle(&symbol.name),
        }
    }

    /// Plans one relocation. True when the next one belongs to it and is done too.
    fn reloc(
        &mut self,
        at: SecRef,
        reloc: &Reloc,
        next: Option<&Reloc>,
        ops: &mut Ops,
    ) -> Step<bool> {
        let howto = self.arch.howto(reloc.r_type).ok_or_else(|| {
            Problem::new(format!(
                "unknown relocation type {} against {}",
                reloc.r_type,
                self.name(at, reloc)
            ))
            .help("please report it, with the compiler and its flags")
        })?;
        let target = self.target(at, reloc);
        let fill = |value| Fill {
            offset: reloc.offset,
            field: howto.field,
            value,
            howto,
        };
        let value = match howto.formula {
            Formula::None => return Ok(false),
            Formula::Refused(refusal) => return Err(self.refused(at, reloc, howto, refusal)),
            Formula::TlsGeneral | Formula::TlsLocal => {
                self.thread_local(at, reloc, next, howto, ops)?;
                return Ok(true);
            }
            Formula::TlsCell => {
                return self
                    .thread_local_cell(at, reloc, howto, ops)
                    .map(|()| false);
            }
            // Nobody's: lanes have none there.
            Formula::TlsOffset if target == Target::Null => Value::Number(0),
            Formula::TlsOffset => Value::InLane(self.thread_local_target(at, reloc)?, reloc.addend),
            Formula::Size => {
                let symbol = &self.inputs.object(at.obj).symbols[reloc.symbol as usize];
                Value::Number((symbol.size as i64).wrapping_add(reloc.addend))
            }
            Formula::CellBase => Value::CellBase(reloc.addend),
            _ => {
                self.check_target(at, reloc, target)?;
                match howto.formula {
                    Formula::Absolute => self.absolute(at, reloc, target)?,
                    Formula::Cell { relaxable } => {
                        return self.cell(at, reloc, howto, relaxable, ops).map(|()| false);
                    }
                    Formula::FromCellBase => self
                        .address(at, reloc, target)
                        .map(|t| Value::FromCellBase(t, reloc.addend))?,
                    Formula::Branch if target == Target::Null => Value::Trap(reloc.addend),
                    _ if self.plan.far.has(target) => {
                        return self.load(at, reloc, howto, target, ops).map(|()| false);
                    }
                    _ => self
                        .address(at, reloc, target)
                        .map(|t| Value::PcRelative(t, reloc.addend))?,
                }
            }
        };
        ops.fills.push(fill(value));
        Ok(false)
    }

    /// Refuses what cannot be the target of any reference.
    fn check_target(&self, at: SecRef, reloc: &Reloc, target: Target) -> Step<()> {
        let name = || self.name(at, reloc);
        let problem = match target {
            Target::IFunc => Problem::new(format!(
                "{} is an indirect function, resolved by a loader",
                name()
            ))
            .help("build the C code without target_clones and ifunc attributes"),
            Target::TlsGetAddr => {
                Problem::new("an unknown sequence of instructions calls __tls_get_addr")
                    .help("please report it, with the compiler and its flags")
            }
            Target::Discarded => Problem::new(format!(
                "{} lies in a section group of which another copy was kept",
                name()
            ))
            .help("build all objects with the same compiler and flags"),
            Target::Section { at: to, .. } if self.inputs.section(to).tls() => {
                Problem::new(format!(
                    "the thread-local {} is used like an ordinary variable",
                    name()
                ))
                .help("declare it thread-local where it is used, too")
            }
            Target::Section { at: to, .. } if !self.inputs.section(to).alloc() => {
                Problem::new(format!(
                    "{} is not loaded at run time, but loaded code refers to it",
                    name()
                ))
            }
            _ => return Ok(()),
        };
        Err(problem)
    }

    /// A target that has an address at a known distance from the code.
    fn address(&mut self, at: SecRef, reloc: &Reloc, target: Target) -> Step<Target> {
        match target {
            Target::Section { at: to, whole, .. } => {
                // The distance is from the end of the instruction, so the piece meant cannot be told from the addend.
                if whole && self.inputs.section(to).merge() {
                    self.plan.unmerged.insert(to);
                }
                Ok(target)
            }
            Target::Common(_) | Target::Linker(_) => Ok(target),
            _ => Err(Problem::new(format!(
                "the distance to {} cannot be computed: it has no address in the image",
                self.name(at, reloc)
            ))
            .help("compile with -fPIC")),
        }
    }

    fn absolute(&mut self, at: SecRef, reloc: &Reloc, target: Target) -> Step<Value> {
        match target {
            Target::Absolute(n) => return Ok(Value::Number((n as i64).wrapping_add(reloc.addend))),
            Target::Null | Target::Undefined => return Ok(Value::Number(reloc.addend)),
            _ => {}
        }
        let section = self.inputs.section(at);
        if section.exec() {
            return Err(Problem::new(format!("code holds the absolute address of {}", self.name(at, reloc)))
                .help("compile with -fPIC (rustc: without -C relocation-model=static) and without -mcmodel=large"));
        }
        if section.merge() {
            self.plan.unmerged.insert(at);
        }
        self.plan.fixed_up.insert(at);
        Ok(Value::Absolute(target, reloc.addend))
    }

    /// A load from a cell: folded into the instruction where it allows that.
    fn cell(
        &mut self,
        at: SecRef,
        reloc: &Reloc,
        howto: &'static Howto,
        relaxable: bool,
        ops: &mut Ops,
    ) -> Step<()> {
        let target = self.target(at, reloc);
        let near = matches!(
            target,
            Target::Section { .. } | Target::Common(_) | Target::Linker(_)
        ) && !self.plan.far.has(target);
        let section: &Section<'d> = self.inputs.section(at);
        if relaxable
            && near
            && section.exec()
            && reloc.addend == TO_NEXT_INSTRUCTION
            && let Some(rewrite) = self.arch.relax(&section.data, reloc.offset)
        {
            let target = self.address(at, reloc, target)?;
            ops.patches.push((rewrite.start, rewrite.bytes));
            if let Some(offset) = rewrite.field {
                ops.fills.push(Fill {
                    offset,
                    field: howto.field,
                    value: Value::PcRelative(target, reloc.addend),
                    howto,
                });
            }
            return Ok(());
        }
        let cell = self.cell_for(target, 0);
        ops.fills.push(Fill {
            offset: reloc.offset,
            field: howto.field,
            value: Value::Cell(cell, reloc.addend),
            howto,
        });
        Ok(())
    }

    /// The cell with the address of a target and a constant.
    fn cell_for(&mut self, target: Target, addend: i64) -> u32 {
        let next = self.plan.cells.len() as u32;
        let cell = *self.cell_of.entry((target, addend)).or_insert(next);
        if cell == next {
            self.plan.cells.push((target, addend));
        }
        cell
    }

    /// The address of what lies outside the image, which code computes as a distance: it is loaded from a cell instead.
    fn load(
        &mut self,
        at: SecRef,
        reloc: &Reloc,
        howto: &'static Howto,
        target: Target,
        ops: &mut Ops,
    ) -> Step<()> {
        let section: &Section<'d> = self.inputs.section(at);
        let rewrite = self.arch.load(&section.data, reloc.offset);
        let Some((rewrite, offset)) = rewrite.and_then(|r| r.field.map(|offset| (r, offset)))
        else {
            // `far::choose` has seen to it that there is none such.
            return Err(Problem::new(format!(
                "internal error: {} lies outside of the image, and code cannot be made to load its address; please report it",
                self.name(at, reloc)
            )));
        };
        let cell = self.cell_for(target, reloc.addend - TO_NEXT_INSTRUCTION);
        ops.patches.push((rewrite.start, rewrite.bytes));
        ops.fills.push(Fill {
            offset,
            field: howto.field,
            value: Value::Cell(cell, TO_NEXT_INSTRUCTION),
            howto,
        });
        Ok(())
    }

    fn thread_local_target(&self, at: SecRef, reloc: &Reloc) -> Step<Target> {
        match self.target(at, reloc) {
            t @ Target::Section { at: to, .. } if self.inputs.section(to).tls() => Ok(t),
            _ => Err(Problem::new(format!(
                "{} is used as a thread-local, but is none",
                self.name(at, reloc)
            ))
            .help("declare it the same way where it is defined and where it is used")),
        }
    }

    fn thread_local(
        &mut self,
        at: SecRef,
        reloc: &Reloc,
        next: Option<&Reloc>,
        howto: &'static Howto,
        ops: &mut Ops,
    ) -> Step<()> {
        let model = match howto.formula {
            Formula::TlsGeneral => TlsModel::General,
            _ => TlsModel::Local,
        };
        let data = &self.inputs.section(at).data;
        let call = next.filter(|n| self.target(at, n) == Target::TlsGetAddr);
        let rewrite = call.and_then(|c| {
            self.arch
                .tls(model, data, reloc.offset, c.offset, self.lane_size)
        });
        let rewrite = rewrite.ok_or_else(|| self.unknown_sequence(at, reloc))?;
        if let Some(offset) = rewrite.field {
            // The addend of the sequence is relative to the next instruction; the new field is not.
            let value = Value::InLane(
                self.thread_local_target(at, reloc)?,
                reloc.addend.wrapping_add(4),
            );
            ops.fills.push(Fill {
                offset,
                field: howto.field,
                value,
                howto,
            });
        }
        ops.patches.push((rewrite.start, rewrite.bytes));
        Ok(())
    }

    /// The offset of a thread-local, which a loader would put in a cell.
    fn thread_local_cell(
        &self,
        at: SecRef,
        reloc: &Reloc,
        howto: &'static Howto,
        ops: &mut Ops,
    ) -> Step<()> {
        let data = &self.inputs.section(at).data;
        let rewrite = self.arch.tls_cell(data, reloc.offset);
        let field = rewrite.as_ref().and_then(|r| r.field);
        let (Some(rewrite), Some(offset)) = (rewrite, field) else {
            return Err(self.unknown_sequence(at, reloc));
        };
        // The addend is relative to the next instruction; the new field is not.
        let addend = reloc.addend.wrapping_add(4);
        ops.fills.push(Fill {
            offset,
            field: howto.field,
            value: Value::InLane(self.thread_local_target(at, reloc)?, addend),
            howto,
        });
        ops.patches.push((rewrite.start, rewrite.bytes));
        Ok(())
    }

    fn unknown_sequence(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!(
            "an unknown sequence of instructions reaches the thread-local {}",
            self.name(at, reloc)
        ))
        .help("please report it, with the compiler and its flags")
    }

    fn refused(&self, at: SecRef, reloc: &Reloc, howto: &Howto, refusal: Refusal) -> Problem {
        let name = self.name(at, reloc);
        let what = format!("{} against {name}", howto.name);
        match refusal {
            Refusal::NotPic => {
                Problem::new(format!("the code is not position-independent: {what}"))
                    .help("compile with -fPIC; with rustc, without -C relocation-model=static")
            }
            Refusal::TlsDescriptor => Problem::new(format!(
                "a thread-local is reached through a descriptor: {what}"
            ))
            .help("compile with -mtls-dialect=gnu"),
            Refusal::Loader => Problem::new(format!("only a loader can resolve {what}"))
                .help("compile C with -fPIC and -mcmodel=small; Rust without -C code-model"),
        }
    }
}
