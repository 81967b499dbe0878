//! What is known of the general registers while code runs in order.

use super::encoding::{rd, rn, word};
use crate::arch::Arguments;
use std::collections::HashSet;

/// The last register that a callee may change (AAPCS64 6.1.1), but for the link register.
const CHANGED: usize = 18;

/// Where an instruction goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    /// `bl`, `blr`
    Call,
    /// `b`, `br`, `ret`, `brk`: what follows is reached from elsewhere.
    Jump,
    /// A branch on a condition.
    Branch,
}

/// Arm ARM, C4.1.93 "Branches, Exception Generating and System instructions".
pub(super) const fn flow(word: u32) -> Flow {
    if word & 0xfc00_0000 == 0x9400_0000 || word & 0xffff_fc1f == 0xd63f_0000 {
        Flow::Call
    } else if word & 0xfc00_0000 == 0x1400_0000
        || word & 0xfe00_0000 == 0xd600_0000
        || word & 0xffe0_001f == 0xd420_0000
    {
        Flow::Jump
    } else if word & 0xff00_0000 == 0x5400_0000 || word & 0x7c00_0000 == 0x3400_0000 {
        Flow::Branch
    } else {
        Flow::Next
    }
}

/// Where a branch with a distance leads to.
fn target(at: u64, word: u32) -> Option<u64> {
    let (bits, from) = match flow(word) {
        Flow::Jump if word & 0x7c00_0000 == 0x1400_0000 => (26, 0),
        Flow::Branch if word & 0x7e00_0000 == 0x3600_0000 => (14, 5),
        Flow::Branch => (19, 5),
        _ => return None,
    };
    let distance = (word >> from << (32 - bits)) as i32 >> (32 - bits);
    at.checked_add_signed(4 * i64::from(distance))
}

/// Whether an instruction may write a register: in the place of the first destination, of the second one of a pair, or of a base that it moves on. Stores
/// and comparisons count, too.
pub(super) fn writes(word: u32, register: u32) -> bool {
    let second = word >> 10 & 31;
    let status = word >> 16 & 31;
    let pair = word & 0x3a00_0000 == 0x2800_0000;
    let load_or_store = word & 0x0a00_0000 == 0x0800_0000;
    rd(word) == register
        || load_or_store
            && (rn(word) == register || pair && second == register)
            && moves_or_pairs(word)
        || load_or_store && word & 0x3f00_0000 == 0x0800_0000 && status == register
        || pair && second == register
}

/// Whether a load or store is one of those with a second register, or with a base that moves on (Arm ARM, C4.1.94).
const fn moves_or_pairs(word: u32) -> bool {
    let pair = word & 0x3a00_0000 == 0x2800_0000;
    let indexed = word & 0x3b20_0400 == 0x3800_0400;
    pair || indexed
}

/// What is known of the general registers, by number.
#[derive(Clone, Copy, Default)]
pub(super) struct Constants([Option<u64>; 31]);

impl Constants {
    /// The values of some.
    pub fn of(&self, registers: [u32; 4]) -> Arguments {
        Arguments(registers.map(|r| self.get(r)))
    }

    /// The value of one.
    pub fn get(&self, register: u32) -> Option<u64> {
        self.0.get(register as usize).copied().flatten()
    }

    fn step(&mut self, word: u32) {
        match flow(word) {
            Flow::Jump => return *self = Constants::default(),
            Flow::Call => {
                self.0[..=CHANGED].fill(None);
                self.0[30] = None;
                return;
            }
            Flow::Branch => return,
            Flow::Next => {}
        }
        let value = self.value(word);
        for (slot, register) in self.0.iter_mut().zip(0..) {
            if writes(word, register) {
                *slot = None;
            }
        }
        if let Some(slot) = self.0.get_mut(rd(word) as usize)
            && value.is_some()
        {
            *slot = value;
        }
    }

    /// What an instruction gives its destination, where that is told: `movz`, `movn`, `movk`, `mov`.
    fn value(&self, word: u32) -> Option<u64> {
        let wide = word >> 31 == 1;
        let narrow = |n: u64| if wide { n } else { n & 0xffff_ffff };
        let shift = 16 * (word >> 21 & 3);
        let immediate = u64::from(word >> 5 & 0xffff) << shift;
        match word & 0x7f80_0000 {
            0x5280_0000 => Some(narrow(immediate)),
            0x1280_0000 => Some(narrow(!immediate)),
            0x7280_0000 => {
                let rest = self.get(rd(word))? & !(0xffff << shift);
                Some(narrow(rest | immediate))
            }
            _ if word & 0x7fe0_ffe0 == 0x2a00_03e0 => match word >> 16 & 31 {
                31 => Some(0),
                from => self.get(from).map(narrow),
            },
            _ => None,
        }
    }
}

/// Goes through the code in order, and tells of each instruction what is known before it. Nothing is known where a branch may arrive.
pub(super) fn walk(code: &[u8], mut visit: impl FnMut(u64, u32, &Constants)) {
    let places = || (0..code.len() as u64 / 4 * 4).step_by(4);
    let mut labels = HashSet::new();
    // A table of jumps arrives anywhere.
    let mut anywhere = false;
    for at in places() {
        let word = word(code, at).unwrap_or_default();
        labels.extend(target(at, word));
        anywhere |= word & 0xffff_fc1f == 0xd61f_0000;
    }
    let mut known = Constants::default();
    for at in places() {
        let word = word(code, at).unwrap_or_default();
        if anywhere || labels.contains(&at) {
            known = Constants::default();
        }
        visit(at, word, &known);
        known.step(word);
    }
}
