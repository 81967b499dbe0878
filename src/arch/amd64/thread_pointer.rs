//! Instructions that go through the thread pointer, `fs` (psABI 3.4.2 and "ELF Handling For Thread-Local Storage", x86-64): each is found by
//! decoding, and replaced where it stands, or by a jump to code behind the section, for which its neighbours may have to go along.

use super::detour::{self, Known, Site, Use};
use super::reloc::HALF;
use super::steps::{FieldOf, JUMP, Step, encode, encode_all, jump};
use crate::arch::thread_pointer::{Code, Detours};
use iced_x86::{
    Code as Opcode, ConstantOffsets, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic,
    OpKind, Register,
};
use std::collections::HashSet;

/// Where the word lies that gcc and clang take for the stack protector's value.
const PROTECTOR: u64 = 0x28;
const TRAP: u8 = 0xcc;
const NOP: u8 = 0x90;
const REFUSED: &str =
    "code reaches through the thread pointer, which is Go's, in a way that cannot be replaced";
const NO_ROOM: &str = "there is no room for a jump, and what is next to it cannot be moved";
/// Bytes of a field that any address of the image fits in.
const FULL: u8 = 4;

/// Whether the bytes may hold such an instruction. Its prefix has a value of its own, so few sections have to be decoded whole.
pub fn may_be_used(code: &[u8]) -> bool {
    const FS: u8 = 0x64;
    const OTHER_PREFIXES: usize = 3;
    let by_prefix = memchr::memchr_iter(FS, code).any(|at| {
        (at.saturating_sub(OTHER_PREFIXES)..=at).any(|from| {
            let mut decoder =
                Decoder::with_ip(64, &code[from..], from as u64, DecoderOptions::NONE);
            let i = decoder.decode();
            i.next_ip() > at as u64 && through_fs(&i)
        })
    });
    by_prefix
        || memchr::memmem::find_iter(code, &[0x0f, 0xae])
            .any(|at| code.get(at + 2).is_some_and(|modrm| *modrm >= 0xc0))
}

/// Whether it reads or writes memory through `fs`, or sets or reads that.
fn through_fs(i: &Instruction) -> bool {
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

/// Replaces every use in a section.
pub fn replace(code: &Code<'_>) -> Result<Detours, Vec<(u64, String)>> {
    let decoded = Decoded::new(code);
    let mut w = Writer {
        code,
        labels: &decoded.labels,
        all: &decoded.all,
        constants: &decoded.constants,
        end: code.bytes.len() as u64,
        done: 0,
        short: Vec::new(),
        free: Vec::new(),
        out: Detours::default(),
    };
    let mut refused = decoded.misread(code);
    for n in 0..decoded.all.len() {
        let i = &decoded.all[n];
        let trusted = code.has_offsets || decoded.trusted[n];
        if n < w.done || !through_fs(i) {
            continue;
        }
        let replaced = match w.what(n) {
            Ok(Use::Local) | Err(_) if !trusted => continue,
            Ok(Use::Protector) => w.protector(n),
            Ok(_) => w.detour(n),
            Err(what) => Err(what),
        };
        if let Err(why) = replaced {
            refused.push((i.ip(), format!("{REFUSED}: {why}")));
        }
    }
    if !w.short.is_empty() {
        w.padding();
    }
    let short = w.short_ones().into_iter();
    refused.extend(short.map(|(at, why)| (at, format!("{REFUSED}: {why}"))));
    if refused.is_empty() {
        Ok(w.out)
    } else {
        Err(refused)
    }
}

/// The code, function by function.
struct Decoded {
    all: Vec<Instruction>,
    constants: Vec<ConstantOffsets>,
    /// Whether it lies in a function whose size is known: not data.
    trusted: Vec<bool>,
    labels: HashSet<u64>,
}

impl Decoded {
    fn new(code: &Code<'_>) -> Self {
        let end = code.bytes.len() as u64;
        let mut out = Decoded {
            all: Vec::new(),
            constants: Vec::new(),
            trusted: Vec::new(),
            labels: code.labels.clone(),
        };
        let starts =
            std::iter::once(0..0).filter(|_| code.functions.first().is_none_or(|f| f.start > 0));
        let starts: Vec<_> = starts.chain(code.functions.iter().cloned()).collect();
        let mut covered = 0;
        for (n, function) in starts.iter().enumerate() {
            covered = function.end.max(covered);
            let to = starts.get(n + 1).map_or(end, |next| next.start).min(end);
            out.labels.insert(function.start);
            let bytes = &code.bytes[function.start.min(to) as usize..to as usize];
            let mut decoder = Decoder::with_ip(64, bytes, function.start, DecoderOptions::NONE);
            while decoder.can_decode() {
                let i = decoder.decode();
                if i.is_invalid() {
                    break;
                }
                let constants = decoder.get_constant_offsets(&i);
                let filled_in = fields(&i, &constants).any(|f| code.fields.contains_key(&f));
                if near_branch(&i) && !filled_in {
                    out.labels.insert(i.near_branch_target());
                }
                out.constants.push(constants);
                out.trusted.push(i.ip() < covered);
                out.all.push(i);
            }
        }
        out
    }

    /// Offsets of thread-locals that are in no field of an instruction: what was decoded there is not what runs.
    fn misread(&self, code: &Code<'_>) -> Vec<(u64, String)> {
        let fields = self
            .all
            .iter()
            .zip(&self.constants)
            .flat_map(|(i, c)| fields(i, c));
        let fields: HashSet<u64> = fields.collect();
        let missing = code.offsets.iter().filter(|o| !fields.contains(o));
        let what = "the offset of a thread-local is in no known instruction";
        missing.map(|o| (*o, what.to_owned())).collect()
    }
}

fn near_branch(i: &Instruction) -> bool {
    matches!(
        i.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    )
}

/// Where the displacement and the immediate of an instruction are.
fn fields(i: &Instruction, c: &ConstantOffsets) -> impl Iterator<Item = u64> + use<> {
    let ip = i.ip();
    let displacement = c
        .has_displacement()
        .then(|| ip + c.displacement_offset() as u64);
    let immediate = c.has_immediate().then(|| ip + c.immediate_offset() as u64);
    displacement.into_iter().chain(immediate)
}

/// How the code of a region goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Behind the region.
    Back,
    /// Nowhere: its last instruction leaves.
    Leaves,
    /// Its last instruction is a call, which becomes a jump: the callee returns behind the region by itself.
    Call,
}

struct Writer<'a> {
    code: &'a Code<'a>,
    labels: &'a HashSet<u64>,
    all: &'a [Instruction],
    constants: &'a [ConstantOffsets],
    /// The end of the section, without what is appended.
    end: u64,
    /// Instructions in front of this one are done.
    done: usize,
    /// Regions of less than [`JUMP`] bytes, and the use in each.
    short: Vec<(usize, Region)>,
    /// Bytes that nothing runs through.
    free: Vec<std::ops::Range<u64>>,
    out: Detours,
}

impl Writer<'_> {
    /// What an instruction uses; the error is why that cannot be.
    fn what(&self, n: usize) -> Result<Use, String> {
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
    fn field(&self, n: usize) -> Option<u64> {
        let c = &self.constants[n];
        let at = self.all[n].ip() + c.displacement_offset() as u64;
        (c.has_displacement() && self.code.offsets.contains(&at)).then_some(at)
    }

    /// The protector's value is read from the image, which is two bytes shorter.
    fn protector(&mut self, n: usize) -> Result<(), String> {
        let i = &self.all[n];
        let mut new = encode(&Step::plain(detour::protector(i)), i.ip())?;
        let displacement = new.displacement.ok_or("its form has no displacement")?;
        let room = i
            .len()
            .checked_sub(new.bytes.len())
            .ok_or("there is no room")?;
        let to_next = displacement as i64 - new.bytes.len() as i64;
        self.out
            .protectors
            .push((i.ip() + displacement as u64, HALF, to_next));
        new.bytes.extend(std::iter::repeat_n(NOP, room));
        self.out.patches.push((i.ip(), new.bytes));
        self.done = n + 1;
        Ok(())
    }

    /// Replaces the use at `n`, and what has to go along.
    fn detour(&mut self, n: usize) -> Result<(), String> {
        let region = self.region(n)?;
        self.done = region.to;
        let (start, room) = self.room(&region);
        if room < JUMP {
            self.short.push((n, region));
            return Ok(());
        }
        let steps = self.steps(&region)?;
        if region.ending != Ending::Call {
            let (mut bytes, moved) = encode_all(&steps, start)?;
            if bytes.len() <= room {
                bytes.resize(room, NOP);
                self.out.patches.push((start, bytes));
                self.out.moved.extend(moved);
                return Ok(());
            }
        }
        let at = self.append(&region, &steps)?;
        let end = start + room as u64;
        let patch = match region.ending {
            Ending::Call => {
                let mut patch = vec![NOP; room - JUMP];
                patch.extend(jump(0xe8, end - JUMP as u64, at)?);
                patch
            }
            _ => {
                let mut patch = jump(0xe9, start, at)?;
                patch.resize(room, TRAP);
                self.free.push(start + JUMP as u64..end);
                patch
            }
        };
        self.out.patches.push((start, patch));
        Ok(())
    }

    /// Regions that a jump is too long for: one of two bytes leads to the jump, in room that others have left near by.
    fn short_ones(&mut self) -> Vec<(u64, String)> {
        let mut refused = Vec::new();
        for (n, region) in std::mem::take(&mut self.short) {
            let replaced = match region.ending {
                Ending::Call => Err(NO_ROOM.to_owned()),
                _ => self.short_one(&region),
            };
            if let Err(why) = replaced {
                refused.push((self.all[n].ip(), why));
            }
        }
        refused
    }

    fn short_one(&mut self, region: &Region) -> Result<(), String> {
        const SHORT: usize = 2;
        let (start, room) = self.room(region);
        let reach = |to: u64| i8::try_from(to.wrapping_sub(start + SHORT as u64) as i64).ok();
        let near = self.free.iter_mut().find_map(|free| {
            let distance = reach(free.start).filter(|_| free.end - free.start >= JUMP as u64)?;
            let island = free.start;
            free.start += JUMP as u64;
            Some((island, distance))
        });
        let (island, distance) = near.ok_or(NO_ROOM)?;
        let steps = self.steps(region)?;
        let at = self.append(region, &steps)?;
        self.out.patches.push((island, jump(0xe9, island, at)?));
        let mut patch = vec![0xeb, distance as u8];
        patch.resize(room, TRAP);
        self.out.patches.push((start, patch));
        Ok(())
    }

    /// Bytes that nothing runs through: what compilers put between blocks to align them.
    fn padding(&mut self) {
        let (mut reached, mut next) = (true, 0);
        for i in self.all {
            reached |= i.ip() != next || self.labels.contains(&i.ip());
            let padding = !reached && i.mnemonic() == Mnemonic::Nop;
            if padding {
                self.free.push(i.ip()..i.next_ip());
            }
            reached = !leaves(i) && !padding;
            next = i.next_ip();
        }
    }

    /// Where a region begins, and its bytes.
    fn room(&self, region: &Region) -> (u64, usize) {
        let start = self.all[region.from].ip();
        (start, (self.all[region.to - 1].next_ip() - start) as usize)
    }

    /// What does the same as a region.
    fn steps(&self, region: &Region) -> Result<Vec<Step>, String> {
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
    fn append(&mut self, region: &Region, steps: &[Step]) -> Result<u64, String> {
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
    fn region(&self, n: usize) -> Result<Region, String> {
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
struct Region {
    from: usize,
    to: usize,
    ending: Ending,
}

/// Whether the code does not go on behind an instruction.
fn leaves(i: &Instruction) -> bool {
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
