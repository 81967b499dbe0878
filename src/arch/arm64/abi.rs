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
use super::classes::{Shape, Value};
use crate::model::goabi::{self, Frame, Slot};
use crate::model::{Api, Function, Type};

/// x0 to x7, and v0 to v7.
pub(super) const ARGS: usize = 8;

/// The largest block of arguments on the stack. A wrapper makes room for it in one step, without touching the pages between; the
/// guard must not be smaller than such a step.
pub(super) const MAX_STACK_ARGS: u64 = crate::contract::GUARD_SIZE / 2;
/// The largest frame.
const MAX_FRAME: u64 = 1 << 30;

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
    let inside = |slot: &Slot| slot.offset.saturating_add(slot.size) <= frame.size;
    if frame.params.len() != function.params.len()
        || frame.result.is_some() != function.result.is_some()
        || !frame.params.iter().chain(&frame.result).all(inside)
    {
        return Err("its Go frame does not match its signature".into());
    }
    if frame.size > MAX_FRAME {
        return Err("its parameters and result take more than 1 GiB".into());
    }
    let result = match (&function.result, &frame.result) {
        (Some(ty), Some(slot)) => {
            let of = |e| format!("the result: {e}");
            returned(shape(api, ty).map_err(of)?, slot.offset)
        }
        _ => Return::None,
    };
    let mut places = Places::default();
    let mut args = Vec::new();
    for (param, slot) in function.params.iter().zip(&frame.params) {
        let of = |e| format!("parameter `{}`: {e}", param.name);
        check_pointee(api, &param.ty).map_err(of)?;
        let shape = shape(api, &param.ty).map_err(of)?;
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
    if stack > MAX_STACK_ARGS {
        return Err(format!(
            "its arguments take {stack} bytes of stack, more than {MAX_STACK_ARGS}: pass large structs by reference"
        ));
    }
    Ok(Call {
        args,
        stack,
        result,
    })
}

/// A Go function as Rust calls it: its frame, and the places of its values.
pub(super) fn callback(
    api: &Api,
    params: &[Type],
    result: Option<&Type>,
) -> Result<(Frame, Call), String> {
    if matches!(result, Some(Type::Str | Type::Slice { .. })) {
        return Err("it returns a string or slice, which Go could not keep alive: let it take a `&mut` to fill".into());
    }
    if params.iter().any(|ty| matches!(ty, Type::Callback { .. })) {
        return Err("it takes a function itself".into());
    }
    let function = goabi::callback(params, result);
    let frame = goabi::frame(api, &function);
    let call = assign(api, &function, &frame)?;
    match frame.size {
        0..=MAX_STACK_ARGS => Ok((frame, call)),
        n => Err(format!(
            "it takes and gives {n} bytes, more than {MAX_STACK_ARGS}: pass large structs by reference"
        )),
    }
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
                let (to, which) = (self.word(), 0);
                args.push(Arg::Code { at, which, to });
                if user {
                    args.push(Arg::Mark { to: self.word() });
                }
            }
            Shape::Kept { id, destroyed } => {
                let to = self.word();
                args.push(Arg::Kept { at, id, to });
                let part = Part {
                    at,
                    size: 8,
                    class: Class::General,
                    signed: false,
                };
                let to = self.word();
                args.push(Arg::Part { part, to });
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

/// Go aligns what it allocates to at most 8 bytes; Rust counts on the alignment of a reference's target.
fn check_pointee(api: &Api, ty: &Type) -> Result<(), String> {
    let target = match ty {
        Type::Slice { elem, .. } => elem,
        Type::Pointer {
            to: Some(to), kind, ..
        } if kind.is_reference() => to,
        _ => return Ok(()),
    };
    match api.layout(target).align {
        0..=8 => Ok(()),
        n => Err(format!(
            "it refers to a type of alignment {n}, but Go aligns memory to 8 bytes: take a raw pointer and align in Rust"
        )),
    }
}

/// Whether user data says which kept function is meant; else its address is one of its own, a word as any.
fn user_data(api: &Api, id: usize) -> bool {
    api.kept().get(id).is_some_and(|kept| !kept.pooled())
}

/// How a value of this type travels.
fn shape(api: &Api, ty: &Type) -> Result<Shape, String> {
    match ty {
        Type::Str => Ok(Shape::Fat {
            align: 1,
            apart: false,
            capacity: false,
        }),
        Type::Text { .. } => Ok(Shape::Fat {
            align: 1,
            apart: true,
            capacity: false,
        }),
        Type::Slice { elem, pair, .. } => match api.layout(elem) {
            l if l.size == 0 => {
                Err("a slice of a type without a size: pass a pointer and a length".into())
            }
            l => Ok(Shape::Fat {
                align: l.align,
                apart: pair.is_some(),
                capacity: true,
            }),
        },
        Type::Callback {
            params,
            result,
            user,
            ..
        } => {
            callback(api, params, result.as_deref()).map_err(|e| format!("a callback: {e}"))?;
            Ok(Shape::Code {
                user: user.is_some(),
            })
        }
        Type::Kept { id, .. } if user_data(api, *id) => Ok(Shape::Kept {
            id: *id,
            destroyed: api.kept().get(*id).is_some_and(|kept| kept.destroyed),
        }),
        // Three words or more.
        Type::Owned { .. } | Type::OwnedStr | Type::Fallible { value: None } => Ok(Shape::Memory),
        Type::Fallible { value: Some(value) } => shape(api, value).map(|_| Shape::Memory),
        _ => {
            let layout = api.layout(ty);
            if layout.align > 8 {
                return Err(format!(
                    "a type of alignment {} by value, but Go's frames are aligned to 8 bytes: pass a pointer to it",
                    layout.align
                ));
            }
            let mut value = Value::new(layout.size);
            value.add(api, ty, 0, 0)?;
            value.shape()
        }
    }
}
