//! Instructions that read the thread pointer, `tpidr_el0` (Arm ARM, D17.2): each becomes a branch to code behind the section, which gets the base of the
//! lane. So a register has the same number wherever the code reads it, and whatever the code does with it: add the offset of a thread-local, or
//! take it for the name of a thread.
//!
//! ```text
//!     mrs xN, tpidr_el0    ->    b 1f
//! 2:                         2:  ...
//!                            1:  mov xN, sp
//!                                and xN, xN, #-size
//!                                b 2b
//! ```

use super::encoding::{NOP, bytes, rd, rn, word};
use crate::arch::thread_pointer::{Code, Detours};

/// mrs x0, tpidr_el0
const MRS: u32 = 0xd53b_d040;
/// msr tpidr_el0, x0
const MSR: u32 = 0xd51b_d040;
const REGISTER: u32 = 31;

const WRITTEN: &str = "code changes the thread pointer, which is Go's";
const FIXED: &str = "code reaches through the thread pointer, which is Go's, to a fixed distance from it, which belongs to a C library";
const NO_REACH: &str =
    "code reads the thread pointer, which is Go's, and its section is too large for a branch";

/// Whether the bytes may hold such an instruction.
pub fn may_be_used(code: &[u8]) -> bool {
    words(code).any(|(_, word)| matches!(word & !REGISTER, MRS | MSR))
}

/// Replaces every use in a section. Data between functions is not told from code: that a word of it is such an instruction is less likely than
/// that assembly does not say where its functions end.
pub fn replace(code: &Code<'_>) -> Result<Detours, Vec<(u64, String)>> {
    let mut out = Detours::default();
    let mut refused = Vec::new();
    for (at, word) in words(code.bytes).filter(|(at, _)| !code.fields.contains_key(at)) {
        match word & !REGISTER {
            MRS => match detour(code, at, rd(word), &mut out) {
                Ok(()) => refused.extend(fixed(code, at, rd(word))),
                Err(why) => refused.push((at, why)),
            },
            MSR => refused.push((at, WRITTEN.to_owned())),
            _ => {}
        }
    }
    if refused.is_empty() {
        Ok(out)
    } else {
        Err(refused)
    }
}

fn words(code: &[u8]) -> impl Iterator<Item = (u64, u32)> {
    let words = code.chunks_exact(4).zip((0..).step_by(4));
    words.map(|(w, at)| (at, u32::from_le_bytes([w[0], w[1], w[2], w[3]])))
}

fn detour(code: &Code<'_>, at: u64, register: u32, out: &mut Detours) -> Result<(), String> {
    if register == REGISTER {
        // It goes nowhere.
        out.patches.push((at, bytes(&[NOP])));
        return Ok(());
    }
    let end = code.bytes.len();
    let padding = (end + out.appended.len()).next_multiple_of(4) - end;
    out.appended.resize(padding, 0);
    let to = (end + padding) as u64;
    let mask = mask(code.lane_size).ok_or("a lane's size is no power of two")?;
    let [there, back] = [branch(at, to)?, branch(to + 8, at + 4)?];
    let mov = 0x9100_03e0 | register;
    let and = mask | register << 5 | register;
    out.appended.extend(bytes(&[mov, and, back]));
    out.patches.push((at, bytes(&[there])));
    Ok(())
}

/// and x0, x0, #-size (Arm ARM, C6.2.13; "DecodeBitMasks": so many ones, rotated to the top).
fn mask(size: u64) -> Option<u32> {
    let zeros = size.trailing_zeros();
    (size.is_power_of_two() && (1..64).contains(&zeros)).then(|| {
        let ones = 64 - zeros;
        0x9240_0000 | ones << 16 | (ones - 1) << 10
    })
}

fn branch(from: u64, to: u64) -> Result<u32, String> {
    let words = (to.wrapping_sub(from) as i64) / 4;
    match (-(1 << 25)..1 << 25).contains(&words) {
        true => Ok(0x1400_0000 | words as u32 & 0x03ff_ffff),
        false => Err(NO_REACH.to_owned()),
    }
}

/// Where the code that follows uses the thread pointer of a register with a number that no relocation has filled in. C libraries
/// do, for what they keep there of a thread; here, something else is there.
fn fixed(code: &Code<'_>, read: u64, register: u32) -> Option<(u64, String)> {
    for at in (read + 4..).step_by(4) {
        let word = word(code.bytes, at)?;
        if rn(word) == register && is_distance(word) && !code.fields.contains_key(&at) {
            return Some((at, FIXED.to_owned()));
        }
        if is_lost(word, register) {
            return None;
        }
    }
    None
}

/// Whether an instruction takes the register in bits 5 to 9 with a number: `add` and `sub` of an immediate, and loads and stores but those with another
/// register (Arm ARM, C4.1.92 and C4.1.94).
fn is_distance(word: u32) -> bool {
    let add_or_sub = word & 0x3f80_0000 == 0x1100_0000;
    let load_or_store = word & 0x0a00_0000 == 0x0800_0000;
    let by_register = word & 0x3b20_0c00 == 0x3820_0800;
    let literal = word & 0x3b00_0000 == 0x1800_0000;
    add_or_sub || load_or_store && !by_register && !literal
}

/// Whether what is behind an instruction does not have the register any more, or is not reached from it.
fn is_lost(word: u32, register: u32) -> bool {
    /// The last one that a callee may change (AAPCS64 6.1.1).
    const CHANGED: u32 = 18;
    let jump = word & 0xfc00_0000 == 0x1400_0000 || word & 0xffbf_0000 == 0xd61f_0000;
    let call = word & 0xfc00_0000 == 0x9400_0000 || word & 0xffff_fc1f == 0xd63f_0000;
    let immediate = word & 0x1c00_0000 == 0x1000_0000;
    let registers = word & 0x0e00_0000 == 0x0a00_0000;
    let load = word & 0x0e40_0000 == 0x0840_0000;
    let written = rd(word) == register && (immediate || registers || load);
    let system = word & !REGISTER == MRS && rd(word) == register;
    jump || call && register <= CHANGED || written || system
}
