//! One relocation after another, those of a group together.

use super::super::claims::Claims;
use super::super::far::Far;
use super::super::inputs::Inputs;
use super::super::live::Live;
use super::super::symbols::Symbols;
use super::super::unwind::{self, FDE_FUNCTION, Frames, RecordKind};
use super::super::{SecRef, Target};
use super::thread_pointer;
use super::{Fill, Ops, Plan, Value};
use crate::arch::Linking;
use crate::arch::groups::{Group, NewValue};
use crate::arch::reloc::Formula;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::hash::Map;
use crate::read::Reloc;

pub(super) struct Planner<'a, 'd> {
    pub(super) inputs: &'a Inputs<'d>,
    pub(super) symbols: &'a Symbols,
    arch: &'a dyn Linking,
    lane_size: u64,
    plan: Plan,
    cell_of: Map<(Target, i64), u32>,
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
    arch: &dyn Linking,
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
        cell_of: Map::default(),
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

pub(super) type Step<T> = std::result::Result<T, Problem>;

impl Planner<'_, '_> {
    fn section(&mut self, at: SecRef, relocs: &[Reloc]) {
        let mut ops = Ops::default();
        let far = |target| self.plan.far.has(target);
        let names = (self.inputs, self.symbols);
        let mut claims = Claims::new(names, self.arch, self.lane_size, at, &far);
        for (n, reloc) in relocs.iter().enumerate() {
            let done = match claims.group(n) {
                Some(Some(group)) => self.group(at, relocs, &claims.targets, group, &mut ops),
                // With an earlier one of its group.
                Some(None) => Ok(()),
                None => self.reloc(at, reloc, claims.targets[n], &mut ops),
            };
            if let Err(problem) = done {
                self.problems.push(self.located(problem, at, reloc));
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

    /// Plans what takes the place of the instructions of a group.
    fn group(
        &mut self,
        at: SecRef,
        relocs: &[Reloc],
        targets: &[Target],
        group: Group,
        ops: &mut Ops,
    ) -> Step<()> {
        for new in group.fields {
            let (reloc, target) = (&relocs[new.of], targets[new.of]);
            let value = match new.value {
                NewValue::Address(n) => Value::PcRelative(self.address(at, reloc, target)?, n),
                NewValue::Cell { holds, plus } => Value::Cell(self.cell_for(target, holds), plus),
                NewValue::InLane(n) => {
                    Value::InLane(self.thread_local_target(at, reloc, target)?, n)
                }
                NewValue::BelowLaneTop(n) => {
                    Value::BelowLaneTop(self.thread_local_target(at, reloc, target)?, n)
                }
            };
            let row = self.arch.howto(reloc.r_type);
            ops.fills.push(Fill {
                offset: new.offset,
                field: new.field,
                value,
                name: row.map_or("a relocation", |row| row.name),
            });
        }
        ops.patches.extend(group.patches);
        Ok(())
    }

    /// Kept unwind records are read-only data: PC-relative fields only.
    fn records(&mut self, live: &Live, frames: &[Frames]) {
        for record in &live.records {
            let section = self.inputs.section(record.at);
            let Some(own) = unwind::record(frames, *record) else {
                continue;
            };
            let mut ops = Ops::default();
            for reloc in own.relocs(section) {
                let is_function = matches!(own.kind, RecordKind::Fde(_))
                    && reloc.offset == own.offset + FDE_FUNCTION;
                // The function itself, whatever stands in front of it.
                let target = self.symbols.target(record.at.obj, reloc.symbol);
                match self.reloc(record.at, reloc, target, &mut ops) {
                    Ok(())
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
                    Ok(()) => {}
                    Err(problem) => self.problems.push(self.located(problem, record.at, reloc)),
                }
            }
            let all = self.plan.ops.entry(record.at).or_default();
            all.patches.extend(ops.patches);
            all.fills.extend(ops.fills);
        }
    }

    /// Plans one relocation by its row in the table.
    fn reloc(&mut self, at: SecRef, reloc: &Reloc, target: Target, ops: &mut Ops) -> Step<()> {
        let Some(howto) = self.arch.howto(reloc.r_type) else {
            return Err(self.unknown_type(at, reloc));
        };
        let value = match howto.formula {
            Formula::None => return Ok(()),
            Formula::Refused(refusal) => return Err(self.refused(at, reloc, howto, refusal)),
            Formula::TlsSequence | Formula::TlsCell => {
                return Err(self.unknown_sequence(at, reloc));
            }
            // Nobody's: lanes have none there.
            Formula::TlsOffset if target == Target::Null => Value::Number(0),
            Formula::TlsOffset => {
                Value::InLane(self.thread_local_target(at, reloc, target)?, reloc.addend)
            }
            Formula::Size => {
                let symbol = &self.inputs.object(at.obj).symbols[reloc.symbol as usize];
                Value::Number((symbol.size as i64).wrapping_add(reloc.addend))
            }
            Formula::CellBase => Value::CellBase(reloc.addend),
            _ => {
                self.check_target(at, reloc, target)?;
                self.place(at, reloc, target, howto.formula)?
            }
        };
        ops.fills.push(Fill {
            offset: reloc.offset,
            field: howto.field,
            value,
            name: howto.name,
        });
        Ok(())
    }

    /// What leads to a place in memory.
    fn place(
        &mut self,
        at: SecRef,
        reloc: &Reloc,
        target: Target,
        formula: Formula,
    ) -> Step<Value> {
        let addend = reloc.addend;
        Ok(match formula {
            Formula::Absolute => self.absolute(at, reloc, target)?,
            Formula::Cell => Value::Cell(self.cell_for(target, 0), addend),
            Formula::FromCellBase => Value::FromCellBase(self.address(at, reloc, target)?, addend),
            Formula::Branch if target == Target::Null => Value::Trap(addend),
            // `far::choose` has seen to it that there is none such.
            _ if self.plan.far.has(target) => return Err(self.not_loaded(at, reloc)),
            Formula::Branch => Value::Branch(self.address(at, reloc, target)?, addend),
            _ => Value::PcRelative(self.address(at, reloc, target)?, addend),
        })
    }

    /// A target that has an address at a known distance from the code.
    fn address(&mut self, at: SecRef, reloc: &Reloc, target: Target) -> Step<Target> {
        match target {
            Target::Section { at: to, whole, .. } => {
                // The distance may be from the end of the instruction, so the piece meant cannot be told from the addend.
                if whole && self.inputs.section(to).merge() {
                    self.plan.unmerged.insert(to);
                }
                Ok(target)
            }
            Target::Common(_) | Target::Linker(_) => Ok(target),
            _ => Err(self.no_address(at, reloc)),
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
            return Err(self.address_in_code(at, reloc));
        }
        if section.merge() {
            self.plan.unmerged.insert(at);
        }
        self.plan.fixed_up.insert(at);
        Ok(Value::Absolute(target, reloc.addend))
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
}
