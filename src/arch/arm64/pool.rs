//! The pieces of code whose addresses stand for one Go function each: where no user data says which function is meant, the address does.
//!
//! ```text
//! piece:  movz w9, NUMBER & 0xffff    ; a register that no argument is in (AAPCS64 6.1.1), and no thunk uses
//!         movk w9, NUMBER >> 16, lsl 16
//!         b    behind
//! behind: b    the code for functions of this type
//! ```

use super::writer::{FramePlace, Register, Writer};
use crate::arch::{Code, PIECE, kept_code};
use crate::contract::KEPT_POOL;
use crate::model::Api;

/// Where a piece leaves its number.
pub(super) const NUMBER: Register = 9;

/// All pieces, and what they branch to.
pub(super) fn emit(api: &Api) -> Result<Code, String> {
    let mut w = Writer::new(FramePlace::OnLane);
    let mut numbers = KEPT_POOL..;
    let codes: Vec<_> = api.pooled().map(|(_, kept)| kept_code(kept)).collect();
    let behind: Vec<_> = codes.iter().map(|_| w.label()).collect();
    for label in &behind {
        for number in numbers.by_ref().take(api.pool() as usize) {
            let number = u32::try_from(number).map_err(|_| "there are too many")?;
            w.constant_w(NUMBER, number);
            w.branch(*label);
        }
    }
    for (label, symbol) in behind.into_iter().zip(&codes) {
        w.set(label);
        w.jump(symbol);
    }
    w.finish()
}

// Two words for the number, one for the branch.
const _: () = assert!(PIECE == 12);
