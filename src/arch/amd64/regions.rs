//! The instructions that a jump takes the place of: which neighbours of a use go along, and what does the same elsewhere.

use super::detour::{self, Known, Site, Use};
use super::steps::{FieldOf, JUMP, Step, encode_all, jump};
use crate::arch::thread_pointer::{Code, Detours};
use iced_x86::{Code as Opcode, ConstantOffsets, FlowControl, Instruction, OpKind, Register};
use std::collections::HashSet;

/// Where the word lies that gcc and clang take for the stack protector's value.
const PROTECTOR: u64 = 0x28;
/// Bytes of a field that any address of the image fits in.
const FULL: u8 = 4;

/// How the code of a region goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Behind the region.
    Back,
    /// Nowhere: its last instruction leaves.
    Leaves,
    /// Its last instruction is a call, which becomes a jump: the callee returns behind the region by itself.
    Call,
}

/// What is replaced, and what is done already.
pub(super) struct Writer<'a> {
    pub(super) code: &'a Code<'a>,
    pub(super) labels: &'a HashSet<u64>,
    pub(super) all: &'a [Instruction],
    pub(super) constants: &'a [ConstantOffsets],
    /// The end of the section, without what is appended.
    pub(super) end: u64,
    /// Instructions in front of this one are done.
    pub(super) done: usize,
    /// Regions of less than [`JUMP`] bytes, and the use in each.
    pub(super) short: Vec<(usize, Region)>,
    /// Bytes that nothing runs through.
    pub(super) free: Vec<std::ops::Range<u64>>,
    pub(super) out: Detours,
}

impl Writer<'_> {
    /// What an instruction uses; the error is why that cannot be.
    pub(super) fn what(&self, n: usize) -> Result<Use, String> {
        let i = &self.all[n];
        if !(0..i.op_count()).any(|o| i.op_kind(o) == OpKind::Memory) {
            return Err(
                "it is a kind of instruction that compilers do not use for that".to_owned(),
            );
        }
        let absolute = i.memory_base() == Register::None && i.memory_index() == Register::None;
        if self.field(n).is_some() {
            return Ok(Use::Local);
        }
        let word = absolute && detour::is_word(i) && detour::only_reads(i);
        match i.memory_displacement64() {
            0 if word => Ok(Use::Pointer),
            PROTECTOR if word => Ok(Use::Protector),
            at if absolute => Err(format!("it is at fs:{at:#x}, which belongs to a C library")),
            _ if !self.code.has_offsets => {
                Err("what the register holds is no thread-local's offset".to_owned())
            }
            _ => Ok(Use::Local),
        }
    }

    /// Where the displacement is, if that is the field of an offset.
    pub(super) fn field(&self, n: usize) -> Option<u64> {
        let c = &self.constants[n];
        let at = self.all[n].ip() + c.displacement_offset() as u64;
        (c.has_displacement() && self.code.offsets.contains(&at)).then_some(at)
    }

    /// Where a region begins, and its bytes.
    pub(super) fn room(&self, region: &Region) -> (u64, usize) {
        let start = self.all[region.from].ip();
        (start, (self.all[region.to - 1].next_ip() - start) as usize)
    }

    /// What does the same as a region.
    pub(super) fn steps(&self, region: &Region) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        for k in region.from..region.to {
            let i = &self.all[k];
            if !through_fs(i) {
                let call = k + 1 == region.to && region.ending == Ending::Call;
                let mut i = *i;
                i.as_near_branch();
                steps.push(self.step(k, if call { jump_for_call(&i)? } else { i })?);
            } else if detour::goes_through(i) {
                steps.extend(self.site(k)?.jump()?);
            } else {
                let site = self.site(k)?;
                let known = self.known(k).filter(|_| k > region.from);
                match known.and_then(|known| site.replaced_with(known)) {
                    Some(both) => {
                        steps.pop();
                        steps.extend(both);
                    }
                    None => steps.extend(site.replaced()?),
                }
            }
        }
        Ok(steps)
    }

    /// Appends code to the section; gives its place.
    pub(super) fn append(&mut self, region: &Region, steps: &[Step]) -> Result<u64, String> {
        let at = self.end + self.out.appended.len() as u64;
        let (mut bytes, moved) = encode_all(steps, at)?;
        if region.ending == Ending::Back {
            let (start, room) = self.room(region);
            bytes.extend(jump(0xe9, at + bytes.len() as u64, start + room as u64)?);
        }
        self.out.appended.extend(bytes);
        self.out.moved.extend(moved);
        Ok(at)
    }

    /// The instructions that a jump takes the place of: `n`, and neighbours if it is short. No other code may arrive behind the first.
    pub(super) fn region(&self, n: usize) -> Result<Region, String> {
        let (mut from, mut to, mut ending) = (n, n + 1, Ending::Back);
        if detour::goes_through(&self.all[n]) {
            ending = match leaves(&self.all[n]) {
                true => Ending::Leaves,
                false => Ending::Call,
            };
        } else if n > self.done && self.known(n).is_some() {
            from = n - 1;
        }
        let bytes =
            |from: usize, to: usize| (self.all[to - 1].next_ip() - self.all[from].ip()) as usize;
        let labelled = |k: usize| self.labels.contains(&self.all[k].ip());
        while bytes(from, to) < JUMP {
            let follows = ending == Ending::Back && self.follows(to - 1) && !labelled(to);
            let precedes = from > self.done && self.follows(from - 1) && !labelled(from);
            if follows && self.goes_along(to) {
                ending = match leaves(&self.all[to]) {
                    true => Ending::Leaves,
                    false => Ending::Back,
                };
                to += 1;
            } else if precedes && self.goes_along(from - 1) && !leaves(&self.all[from - 1]) {
                from -= 1;
            } else if follows && jump_for_call(&self.all[to]).is_ok() {
                ending = Ending::Call;
                to += 1;
            } else {
                break;
            }
        }
        Ok(Region { from, to, ending })
    }

    /// Whether the instruction behind `n` is the next one in memory.
    fn follows(&self, n: usize) -> bool {
        self.all
            .get(n + 1)
            .is_some_and(|next| next.ip() == self.all[n].next_ip())
    }

    /// Whether an instruction does the same elsewhere.
    fn goes_along(&self, n: usize) -> bool {
        let i = &self.all[n];
        if through_fs(i) {
            // The protector's is replaced where it stands.
            return self.what(n).is_ok_and(|what| what != Use::Protector)
                && !detour::goes_through(i);
        }
        match i.flow_control() {
            FlowControl::Next | FlowControl::Return => true,
            FlowControl::UnconditionalBranch | FlowControl::IndirectBranch => true,
            FlowControl::ConditionalBranch => i.is_jcc_short_or_near(),
            _ => false,
        }
    }

    /// The offset that the instruction before `n` has loaded into the base register of `n`.
    fn known(&self, n: usize) -> Option<Known> {
        let before = n.checked_sub(1)?;
        let load = &self.all[before];
        let register = self.all[n].memory_base();
        let at = load.ip() + self.constants[before].immediate_offset() as u64;
        let loads = detour::is_offset_load(load)
            && load.op0_register() == register
            && self.code.offsets.contains(&at)
            && self.follows(before)
            && !self.labels.contains(&self.all[n].ip());
        loads.then_some(Known { register, from: at })
    }

    fn site(&self, n: usize) -> Result<Site<'_>, String> {
        Ok(Site {
            code: &self.all[n..],
            what: self.what(n)?,
            field: self.field(n),
            lane_size: self.code.lane_size,
        })
    }

    /// An instruction that moves, with those of its fields that are filled in. Short ones would have no room for what they get.
    fn step(&self, n: usize, i: Instruction) -> Result<Step, String> {
        let (ip, c) = (self.all[n].ip(), &self.constants[n]);
        let places = [
            (c.has_displacement(), c.displacement_offset(), true),
            (c.has_immediate(), c.immediate_offset(), false),
        ];
        let mut step = Step::plain(i);
        for (_, offset, displacement) in places.into_iter().filter(|(has, ..)| *has) {
            let from = ip + offset as u64;
            match self.code.fields.get(&from) {
                Some(&bytes) if bytes >= FULL => step.fields.push(FieldOf {
                    from,
                    displacement,
                    plus: 0,
                }),
                Some(_) => return Err("what is next to it cannot be moved".to_owned()),
                None => {}
            }
        }
        Ok(step)
    }
}

/// Instructions, as a range of numbers.
pub(super) struct Region {
    pub from: usize,
    pub to: usize,
    pub ending: Ending,
}

/// Whether the code does not go on behind an instruction.
pub(super) fn leaves(i: &Instruction) -> bool {
    matches!(
        i.flow_control(),
        FlowControl::Return | FlowControl::UnconditionalBranch | FlowControl::IndirectBranch
    )
}

/// A call as a jump, for code that was itself called: the stack is eight bytes deeper there, and the callee returns to the caller's place.
fn jump_for_call(i: &Instruction) -> Result<Instruction, String> {
    let mut jump = *i;
    match i.code() {
        Opcode::Call_rel32_64 => jump.set_code(Opcode::Jmp_rel32_64),
        Opcode::Call_rm64 if i.memory_base() != Register::RSP && !through_fs(i) => {
            jump.set_code(Opcode::Jmp_rm64);
        }
        _ => return Err("the call next to it cannot be moved".to_owned()),
    }
    Ok(jump)
}

/// Whether it reads or writes memory through `fs`, or sets or reads that.
pub(super) fn through_fs(i: &Instruction) -> bool {
    use iced_x86::Mnemonic::*;
    if matches!(i.mnemonic(), Rdfsbase | Wrfsbase) {
        return true;
    }
    // These do not touch the memory that they name.
    if matches!(i.mnemonic(), Lea | Nop) {
        return false;
    }
    let memory = (0..i.op_count()).any(|n| {
        matches!(
            i.op_kind(n),
            OpKind::Memory
                | OpKind::MemorySegSI
                | OpKind::MemorySegESI
                | OpKind::MemorySegRSI
                | OpKind::MemorySegDI
                | OpKind::MemorySegEDI
                | OpKind::MemorySegRDI
        )
    });
    memory && i.memory_segment() == Register::FS
}
