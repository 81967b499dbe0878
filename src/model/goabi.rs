//! Go's ABI0 frame: where arguments and results lie on the caller's stack (cmd/compile/abi-internal.md, "ABI0").
//!
//! Arguments are laid out in order from offset 0, each aligned as its Go type asks; results follow from the next word boundary.
//!
//! A large frame is passed by reference. The compiler calls assembly through a small function of its own, which lays out the frame on its
//! stack and may never grow that stack (cmd/compile/internal/ssagen/abi.go, `makeABIWrapper`); the linker allows it some 800 bytes,
//! and it needs up to twice the frame. Then the Go side declares a function of one pointer, to a struct of the parameters and
//! the result with the very same offsets, and calls it from an ordinary Go function:
//!
//! ```go
//! func Sum(a, b Big) Big {
//!     frame := struct {
//!         a, b   Big
//!         _      [0]uint64 // results begin at a word
//!         result Big
//!     }{a: a, b: b}
//!     rsysoCallSum(unsafe.Pointer(&frame))
//!     return frame.result
//! }
//!
//! //go:noescape
//! func rsysoCallSum(frame unsafe.Pointer)
//! ```
//!
//! So it is with every function that may block, too, whose call stands between two of the scheduler's; and with those that take Go functions,
//! which return to Go many times: their stubs give what the library waits for, and nil at the end.
//!
//! In a library that keeps Go functions the stack may move during any call. What is written through a pointer meanwhile does not lie on it: results that are
//! structs go by reference, too. A blocking function, and one whose calls keep their thread, is called there as one that takes Go functions.
//!
//! What Rust gives to a Go function lies in such a frame, too, on the lane ([`callback`]).

use crate::model::{Api, Declared, Function, Layout, Param, Type};

/// The frame of one function, offsets in bytes from the first argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// One slot per parameter of the model.
    pub params: Vec<Slot>,
    /// The result's slot.
    pub result: Option<Slot>,
    /// Bytes of arguments and results together.
    pub size: u64,
    /// Whether the call is one that may block ([`Declared::blocks`]).
    pub blocking: bool,
    /// Whether its stub gives what Go is to call, until the call is over.
    pub callbacks: bool,
    /// Whether the callee may write the result where the stack was before it moved.
    pub moves: bool,
}

impl Frame {
    /// Whether the Go stub takes a pointer to the frame instead of the frame.
    pub fn by_reference(&self) -> bool {
        // Around a call that may block stand functions of the scheduler's that may not grow the stack either.
        // Go functions make the goroutine's stack move during the call.
        self.blocking || self.callbacks || self.moves || self.size > MAX_DIRECT
    }

    /// Bytes of the stub's arguments and results, as its TEXT directive states them.
    pub fn stub_size(&self) -> u64 {
        match (self.callbacks, self.by_reference()) {
            (true, _) => 2 * WORD,
            (_, true) => WORD,
            _ => self.size,
        }
    }
}

/// The largest frame that is passed as such. Twice this, with a margin for the linker's own account, is below 800 bytes.
const MAX_DIRECT: u64 = 256;

/// One value in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Bytes from the first argument.
    pub offset: u64,
    /// Bytes of the Go type.
    pub size: u64,
}

/// Go's word on the supported platforms.
pub const WORD: u64 = 8;

/// Size and alignment of the Go type that stands for `ty`: as on the Rust side, but a slice has three words.
pub fn go_layout(api: &Api, ty: &Type) -> Layout {
    match ty {
        Type::Slice { .. } => Layout {
            size: 3 * WORD,
            align: WORD,
        },
        // A bool: whether there is one. The function stays with Go.
        Type::Callback { .. } => Layout { size: 1, align: 1 },
        _ => api.layout(ty),
    }
}

/// The next multiple of `align`, or the largest number when there is none.
fn align_up(at: u64, align: u64) -> u64 {
    at.checked_next_multiple_of(align.max(1))
        .unwrap_or(u64::MAX)
}

/// The frame of `function`, as calls of it are declared.
pub fn declared(api: &Api, declared: &Declared, function: &Function) -> Frame {
    let frame = frame(api, function);
    let stays = declared.blocks(function) || declared.is_bare(function);
    Frame {
        blocking: declared.blocks(function),
        callbacks: frame.callbacks || (api.keeps() && stays),
        ..frame
    }
}

/// The frame of `function`, of which nothing is declared. Sizes are those of the input and may be absurd: they saturate here, and a backend refuses a frame that is too large.
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
        blocking: false,
        callbacks: function.callbacks().next().is_some(),
        moves: api.keeps() && function.result.as_ref().is_some_and(is_struct),
    }
}

/// Whether a value may be too large for registers, and is then written by the callee.
fn is_struct(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Named(_)
            | Type::Array { .. }
            | Type::Owned { .. }
            | Type::OwnedStr
            | Type::Fallible { .. }
    )
}

/// A Go function as Rust calls it: what it takes, the user data included, and what it gives.
pub fn callback(params: &[Type], result: Option<&Type>) -> Function {
    let param = |ty: &Type| Param {
        name: String::new(),
        ty: ty.clone(),
    };
    Function {
        params: params.iter().map(param).collect(),
        result: result.cloned(),
        ..Function::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Int;

    fn of(params: &[Type], result: Option<Type>) -> Frame {
        let params = params.iter().map(|ty| Param {
            name: "x".into(),
            ty: ty.clone(),
        });
        let function = Function {
            params: params.collect(),
            result,
            ..Function::default()
        };
        frame(&Api::default(), &function)
    }

    fn array(len: u64) -> Type {
        Type::Array {
            elem: Box::new(Type::F64),
            len,
        }
    }

    #[test]
    fn slots_are_aligned_and_the_result_begins_at_a_word() {
        let slice = Type::Slice {
            elem: Box::new(Type::Bool),
            mutable: false,
            pair: None,
        };
        let params = [
            Type::Bool,
            Type::Int(Int::U16),
            slice,
            Type::Str,
            Type::Bool,
        ];
        let f = of(&params, Some(Type::F32));
        let slots: Vec<_> = f
            .params
            .iter()
            .chain(&f.result)
            .map(|s| (s.offset, s.size))
            .collect();
        assert_eq!(slots, [(0, 1), (2, 2), (8, 24), (32, 16), (48, 1), (56, 4)]);
        // As `go vet` counts: nothing is added after the last slot.
        assert_eq!(f.size, 60);
        assert_eq!(of(&[Type::Bool], None).size, 1);
    }

    #[test]
    fn a_frame_that_the_compiler_s_wrapper_may_not_hold_goes_by_reference() {
        let direct = of(&[array(31)], Some(Type::F64));
        assert!(!direct.by_reference());
        assert_eq!(direct.stub_size(), 256);
        let large = of(&[array(32)], Some(Type::Bool));
        assert!(large.by_reference());
        assert_eq!((large.size, large.stub_size()), (257, 8));
    }

    #[test]
    fn absurd_sizes_saturate() {
        assert_eq!(
            of(&[array(u64::MAX), array(u64::MAX)], Some(Type::F64)).size,
            u64::MAX
        );
    }
}
