//! The System V calling convention: which registers and stack words carry the values of a call.
//!
//! Source: psABI 3.2.3, "Parameter Passing", as rustc and LLVM apply it to `extern "C"`. What is odd here:
//!
//! * A struct of up to 16 bytes is cut into eightbytes, each of which is classified by the fields that lie in it. It travels in
//!   registers as a whole or not at all: if one register is missing, all of it goes to memory, and later scalars may still use the
//!   registers that are left.
//! * `&str` and slices are structs of a pointer and a length.
//! * The caller extends integers narrower than 32 bits (LLVM's `zeroext` and `signext`; the psABI is silent, all compilers do it).

pub(super) use super::eightbytes::{Class, Part};
use super::eightbytes::{Shape, shape};
use crate::arch::passing::{self, Convention};
use crate::model::goabi::Frame;
use crate::model::{Api, Function, Side, Type};

/// Registers for INTEGER eightbytes: rdi, rsi, rdx, rcx, r8, r9.
pub(super) const INT_ARGS: usize = 6;
/// Registers for SSE eightbytes: xmm0 to xmm7.
pub(super) const SSE_ARGS: usize = 8;

/// What of it is the machine's own.
const CONVENTION: Convention<Class> = Convention {
    shape,
    callback: |api, params, result| callback(api, params, result).map(drop),
};

/// Where an eightbyte of an argument goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Index into rdi, rsi, rdx, rcx, r8, r9.
    Int(usize),
    /// xmm0 to xmm7.
    Sse(usize),
    /// Bytes from the stack pointer at the call.
    Stack(u64),
}

/// One step of passing the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    /// One eightbyte.
    Part { part: Part, to: Place },
    /// The pointer and the length of a string or slice. An empty one gets `align` as its pointer: Go's may be nil, Rust's may not.
    Fat {
        at: u64,
        align: u64,
        pointer: Place,
        length: Place,
        /// Whether Go has a capacity behind the length.
        capacity: bool,
    },
    /// A struct of class MEMORY.
    Copy { at: u64, size: u64, to: u64 },
    /// The code that stands for a Go function, if the byte at `at` says that there is one; else null. Counted among the Go functions of the call.
    Code { at: u64, which: usize, to: Place },
    /// What stands for the kept functions of this number, if the word at `at`, the user data behind it, is not 0; else null.
    Kept { at: u64, id: usize, to: Place },
    /// The destroy function of what the library keeps.
    Destroy { to: Place },
    /// The call's own mark, as the user data of a Go function.
    Mark { to: Place },
}

/// How the result comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Return {
    None,
    /// `Int` counts rax and rdx here, `Sse` xmm0 and xmm1.
    Parts(Vec<(Part, Place)>),
    /// A string or slice in rax and rdx; the Go slice also wants a capacity.
    Fat {
        at: u64,
        capacity: bool,
    },
    /// The callee writes it where rdi points.
    Memory {
        at: u64,
    },
}

/// A whole call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// In order of the parameters.
    pub args: Vec<Arg>,
    /// Bytes of stack arguments, a multiple of 16: the stack is aligned so at a call.
    pub stack: u64,
    pub result: Return,
}

/// Assigns a place to every value of a call.
pub(super) fn assign(api: &Api, function: &Function, frame: &Frame) -> Result<Call, String> {
    passing::check_frame(function, frame)?;
    let mut regs = Registers::default();
    let result = match (&function.result, &frame.result) {
        (Some(ty), Some(slot)) => {
            let of = |e| format!("the result: {e}");
            let shape = CONVENTION.travels(api, ty).map_err(of)?;
            regs.result(shape, slot.offset)
        }
        _ => Return::None,
    };
    let mut args = Vec::new();
    for (param, slot) in function.params.iter().zip(&frame.params) {
        let of = |e| format!("parameter `{}`: {e}", param.name);
        let shape = CONVENTION.parameter(api, &param.ty).map_err(of)?;
        regs.arg(shape, slot.offset, slot.size, &mut args);
    }
    let codes = args.iter_mut().filter_map(|arg| match arg {
        Arg::Code { which, .. } => Some(which),
        _ => None,
    });
    codes.zip(0..).for_each(|(which, n)| *which = n);
    let stack = regs.stack.next_multiple_of(16);
    Ok(Call {
        args,
        stack: passing::check_stack(stack)?,
        result,
    })
}

/// A Go function as Rust calls it: its frame, and the places of its values.
pub(super) fn callback(
    api: &Api,
    params: &[Type],
    result: Option<&Type>,
) -> Result<(Frame, Call), String> {
    let (function, frame) = passing::callback(api, params, result)?;
    let call = assign(api, &function, &frame)?;
    passing::check_callback_frame(&frame)?;
    Ok((frame, call))
}

/// The registers that are taken, and the stack words.
#[derive(Default)]
struct Registers {
    int: usize,
    sse: usize,
    stack: u64,
}

impl Registers {
    fn push(&mut self, size: u64) -> u64 {
        let at = self.stack;
        self.stack = at.saturating_add(size.next_multiple_of(8));
        at
    }

    /// The place of one eightbyte, when there is known to be one.
    fn take(&mut self, class: Class) -> Place {
        let (used, place): (_, fn(usize) -> Place) = match class {
            Class::Integer => (&mut self.int, Place::Int),
            Class::Sse => (&mut self.sse, Place::Sse),
        };
        *used += 1;
        place(*used - 1)
    }

    /// Whether registers are left for all of these classes.
    fn room(&self, classes: impl Iterator<Item = Class> + Clone) -> bool {
        let count = |class| classes.clone().filter(|c| *c == class).count();
        self.int + count(Class::Integer) <= INT_ARGS && self.sse + count(Class::Sse) <= SSE_ARGS
    }

    fn arg(&mut self, shape: Shape, at: u64, size: u64, args: &mut Vec<Arg>) {
        match shape {
            Shape::Nothing => {}
            Shape::Memory => args.push(Arg::Copy {
                at,
                size,
                to: self.push(size),
            }),
            Shape::Fat {
                align,
                apart,
                capacity,
            } => {
                let (both, one) = (self.int + 2 <= INT_ARGS, self.int < INT_ARGS);
                let mut place = |room| match room {
                    true => self.take(Class::Integer),
                    false => Place::Stack(self.push(8)),
                };
                let (pointer, length) = match apart && !both {
                    // The last register is not left out, as it is for a struct.
                    true => (place(one), place(false)),
                    false => (place(both), place(both)),
                };
                args.push(Arg::Fat {
                    at,
                    align,
                    pointer,
                    length,
                    capacity,
                });
            }
            Shape::Code { user } => {
                if user == Some(Side::InFront) {
                    args.push(Arg::Mark { to: self.word() });
                }
                let (to, which) = (self.word(), 0);
                args.push(Arg::Code { at, which, to });
                if user == Some(Side::Behind) {
                    args.push(Arg::Mark { to: self.word() });
                }
            }
            Shape::Kept {
                id,
                user,
                destroyed,
            } => {
                let part = Part {
                    at,
                    size: 8,
                    class: Class::Integer,
                    signed: false,
                };
                if user == Side::InFront {
                    let to = self.word();
                    args.push(Arg::Part { part, to });
                }
                let to = self.word();
                args.push(Arg::Kept { at, id, to });
                if user == Side::Behind {
                    let to = self.word();
                    args.push(Arg::Part { part, to });
                }
                if destroyed {
                    args.push(Arg::Destroy { to: self.word() });
                }
            }
            Shape::Parts(parts) => {
                let room = self.room(parts.iter().map(|p| p.class));
                for mut part in parts {
                    part.at += at;
                    let to = match room {
                        true => self.take(part.class),
                        false => Place::Stack(self.push(8)),
                    };
                    args.push(Arg::Part { part, to });
                }
            }
        }
    }

    /// A place for a word of its own.
    fn word(&mut self) -> Place {
        match self.int < INT_ARGS {
            true => self.take(Class::Integer),
            false => Place::Stack(self.push(8)),
        }
    }

    /// A result of class MEMORY takes the first integer register of the arguments.
    fn result(&mut self, shape: Shape, at: u64) -> Return {
        match shape {
            Shape::Nothing | Shape::Code { .. } | Shape::Kept { .. } => Return::None,
            Shape::Fat { capacity, .. } => Return::Fat { at, capacity },
            Shape::Parts(parts) => {
                let mut from = Registers::default();
                let place = |mut part: Part| {
                    part.at += at;
                    (part, from.take(part.class))
                };
                Return::Parts(parts.into_iter().map(place).collect())
            }
            Shape::Memory => {
                self.int += 1;
                Return::Memory { at }
            }
        }
    }
}
