//! Instructions that go through the thread pointer, `fs` (psABI 3.4.2 and "ELF Handling For Thread-Local Storage", x86-64): each is found by
//! decoding, and replaced where it stands, or by a jump to code behind the section, for which its neighbours may have to go along.

use super::detour::{self, Use};
use super::regions::{Ending, Region, Writer, leaves, through_fs};
use super::reloc::HALF;
use super::steps::{JUMP, Step, encode, encode_all, jump};
use crate::arch::thread_pointer::{Code, Detours};
use iced_x86::{ConstantOffsets, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};
use std::collections::HashSet;
use std::ops::Range;

const TRAP: u8 = 0xcc;
const NOP: u8 = 0x90;
const REFUSED: &str =
    "code reaches through the thread pointer, which is Go's, in a way that cannot be replaced";
const NO_ROOM: &str = "there is no room for a jump, and what is next to it cannot be moved";

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

/// Whether an instruction is one: bytes of constants and of other instructions' fields look like it often.
pub fn is_used(code: &[u8], functions: &[Range<u64>]) -> bool {
    let mut i = Instruction::default();
    self::functions(code, functions).any(|(_, mut decoder)| {
        while decoder.can_decode() {
            decoder.decode_out(&mut i);
            if i.is_invalid() {
                return false;
            }
            if through_fs(&i) {
                return true;
            }
        }
        false
    })
}

/// The functions of the code, each with a decoder of what lies up to the next one. What is in front of the first is one, too, of unknown size.
fn functions<'a>(
    code: &'a [u8],
    functions: &'a [Range<u64>],
) -> impl Iterator<Item = (Range<u64>, Decoder<'a>)> {
    let end = code.len() as u64;
    let unnamed = functions.first().is_none_or(|f| f.start > 0);
    let all = unnamed.then_some(0..0).into_iter();
    let ends = functions
        .iter()
        .map(|f| f.start)
        .skip(usize::from(!unnamed));
    let ends = ends.chain([end]).map(move |to| to.min(end));
    let all = all.chain(functions.iter().cloned()).zip(ends);
    all.map(|(function, to)| {
        let bytes = &code[function.start.min(to) as usize..to as usize];
        let decoder = Decoder::with_ip(64, bytes, function.start, DecoderOptions::NONE);
        (function, decoder)
    })
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
        let mut out = Decoded {
            all: Vec::new(),
            constants: Vec::new(),
            trusted: Vec::new(),
            labels: code.labels.clone(),
        };
        let mut covered = 0;
        for (function, mut decoder) in functions(code.bytes, code.functions) {
            covered = function.end.max(covered);
            out.labels.insert(function.start);
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

impl Writer<'_> {
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
}
