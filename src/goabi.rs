//! Go's ABI0 frame: where arguments and results lie on the caller's stack (cmd/compile/abi-internal.md, "ABI0").
//!
//! Arguments are laid out in order from offset 0, each aligned as its Go type asks; results follow from the next word boundary.

use crate::model::{Api, Function, Layout, Type};

/// The frame of one function, offsets in bytes from the first argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// One slot per parameter of the model.
    pub params: Vec<Slot>,
    /// The result's slot.
    pub result: Option<Slot>,
    /// Bytes of arguments and results together, as a TEXT directive states them.
    pub size: u64,
}

/// One value in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Bytes from the first argument.
    pub offset: u64,
    /// Bytes of the Go type.
    pub size: u64,
}

/// Go's word on the supported platforms.
const WORD: u64 = 8;

/// Size and alignment of the Go type that stands for `ty`: as on the Rust side, but a slice has three words.
pub fn go_layout(api: &Api, ty: &Type) -> Layout {
    match ty {
        Type::Slice { .. } => Layout {
            size: 3 * WORD,
            align: WORD,
        },
        _ => api.layout(ty),
    }
}

/// The next multiple of `align`, or the largest number when there is none.
fn align_up(at: u64, align: u64) -> u64 {
    at.checked_next_multiple_of(align.max(1))
        .unwrap_or(u64::MAX)
}

/// The frame of `function`. Sizes are those of the input and may be absurd: they saturate here, and a backend refuses a frame that is too large.
pub fn frame(api: &Api, function: &Function) -> Frame {
    let mut at = 0u64;
    let place = |ty: &Type, at: &mut u64| {
        let l = go_layout(api, ty);
        *at = align_up(*at, l.align);
        let slot = Slot {
            offset: *at,
            size: l.size,
        };
        *at = at.saturating_add(l.size);
        slot
    };
    let params = function
        .params
        .iter()
        .map(|p| place(&p.ty, &mut at))
        .collect();
    let result = function.result.as_ref().map(|ty| {
        at = align_up(at, WORD);
        place(ty, &mut at)
    });
    Frame {
        params,
        result,
        size: at,
    }
}
