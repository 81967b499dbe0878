//! The procedure call standard: which registers and stack words carry the values of a call.
//!
//! Source: AAPCS64 6.8.2, as rustc and LLVM apply it to `extern "C"` on Linux. What is odd here:
//!
//! * A struct of up to four floating-point numbers of one size travels in as many vector registers, any other of up to 16 bytes in general registers, and
//!   a larger one as the address of a copy. One for which there are not enough registers goes to the stack as a whole, and takes all registers of its kind with it:
//!   later values do not use those that were left (C.3, C.13).
//! * Every value on the stack takes whole words (C.16; on Darwin it does not).
//! * `&str` and slices are structs of a pointer and a length.
//! * A large result goes where x8 points, which is no register of arguments.
//! * Nobody needs to extend narrow integers. The wrappers do.

pub(super) use super::classes::{Class, Part};
use super::classes::{Shape, shape};
use crate::arch::passing::{self, Convention};
use crate::model::goabi::Frame;
use crate::model::{Api, Function, Side, Type};

/// x0 to x7, and v0 to v7.
pub(super) const ARGS: usize = 8;

/// What of it is the machine's own.
const CONVENTION: Convention<Class> = Convention {
    shape,
    callback: |api, params, result| callback(api, params, result).map(drop),
};

/// Where a part of an argument goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// x0 to x7.
    General(u32),
    /// v0 to v7.
    Vector(u32),
    /// Bytes from the stack pointer at the call.
    Stack(u64),
}

/// One step of passing the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    /// Up to a word.
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
    /// A copy of a struct at `copy` bytes from the stack pointer, whose address is passed.
    Copy {
        at: u64,
        size: u64,
        copy: u64,
        to: Place,
    },
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
    /// In registers, from the first one on.
    Parts(Vec<(Part, Place)>),
    /// A string or slice in x0 and x1; the Go slice also wants a capacity.
    Fat {
        at: u64,
        capacity: bool,
    },
    /// The callee writes it where x8 points.
    Memory {
        at: u64,
    },
}

/// A whole call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// In order of the parameters.
    pub args: Vec<Arg>,
    /// Bytes of stack arguments, and of copies behind them; a multiple of 16, as the stack pointer is.
    pub stack: u64,
    pub result: Return,
}

/// Assigns a place to every value of a call.
pub(super) fn assign(api: &Api, function: &Function, frame: &Frame) -> Result<Call, String> {
    passing::check_frame(function, frame)?;
    let result = match (&function.result, &frame.result) {
        (Some(ty), Some(slot)) => {
            let of = |e| format!("the result: {e}");
            returned(CONVENTION.travels(api, ty).map_err(of)?, slot.offset)
        }
        _ => Return::None,
    };
    let mut places = Places::default();
    let mut args = Vec::new();
    for (param, slot) in function.params.iter().zip(&frame.params) {
        let of = |e| format!("parameter `{}`: {e}", param.name);
        let shape = CONVENTION.parameter(api, &param.ty).map_err(of)?;
        places.arg(shape, slot.offset, slot.size, &mut args);
    }
    let mut codes = 0;
    let mut end = places.stack;
    for arg in &mut args {
        match arg {
            Arg::Code { which, .. } => {
                *which = codes;
                codes += 1;
            }
            // Behind the arguments.
            Arg::Copy { size, copy, .. } => {
                *copy = end;
                end = end.saturating_add(size.next_multiple_of(8));
            }
            _ => {}
        }
    }
    let stack = end.checked_next_multiple_of(16).unwrap_or(u64::MAX);
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

/// The registers that are taken, and the bytes of stack (AAPCS64: NGRN, NSRN, NSAA).
#[derive(Default)]
struct Places {
    general: usize,
    vector: usize,
    stack: u64,
}

impl Places {
    /// So many bytes of stack.
    fn push(&mut self, size: u64) -> u64 {
        let at = self.stack;
        self.stack = at.saturating_add(size.next_multiple_of(8));
        at
    }

    /// The next register of a class; none if fewer than `all` are left, and none any more.
    fn take(&mut self, class: Class, all: usize) -> Option<Place> {
        let (used, place): (_, fn(u32) -> Place) = match class {
            Class::General => (&mut self.general, Place::General),
            Class::Vector => (&mut self.vector, Place::Vector),
        };
        if *used + all > ARGS {
            *used = ARGS;
            return None;
        }
        *used += 1;
        Some(place(*used as u32 - 1))
    }

    /// The place of one word.
    fn word(&mut self) -> Place {
        match self.take(Class::General, 1) {
            Some(place) => place,
            None => Place::Stack(self.push(8)),
        }
    }

    fn arg(&mut self, shape: Shape, at: u64, size: u64, args: &mut Vec<Arg>) {
        match shape {
            Shape::Nothing => {}
            Shape::Memory => args.push(Arg::Copy {
                at,
                size,
                copy: 0,
                to: self.word(),
            }),
            Shape::Fat {
                align,
                apart,
                capacity,
            } => {
                let both = self.general + 2 <= ARGS;
                if !both && !apart {
                    // A struct is not parted.
                    self.general = ARGS;
                }
                let (pointer, length) = (self.word(), self.word());
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
                    class: Class::General,
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
            Shape::Parts(parts) => self.parts(parts, at, size, args),
        }
    }

    fn parts(&mut self, parts: Vec<Part>, at: u64, size: u64, args: &mut Vec<Arg>) {
        let count = parts.len();
        let mut stacked = None;
        for (mut part, n) in parts.into_iter().zip(0..) {
            let from = part.at;
            part.at += at;
            let place = match stacked {
                Some(_) => None,
                None => self.take(part.class, count - n),
            };
            let to = place.unwrap_or_else(|| {
                // As it lies in memory.
                let start = *stacked.get_or_insert_with(|| self.push(size));
                Place::Stack(start + from)
            });
            args.push(Arg::Part { part, to });
        }
    }
}

fn returned(shape: Shape, at: u64) -> Return {
    match shape {
        Shape::Nothing | Shape::Code { .. } | Shape::Kept { .. } => Return::None,
        Shape::Fat { capacity, .. } => Return::Fat { at, capacity },
        Shape::Parts(parts) => {
            let place = |(mut part, n): (Part, u32)| {
                part.at += at;
                let from = match part.class {
                    Class::General => Place::General(n),
                    Class::Vector => Place::Vector(n),
                };
                (part, from)
            };
            Return::Parts(parts.into_iter().zip(0..).map(place).collect())
        }
        Shape::Memory => Return::Memory { at },
    }
}
