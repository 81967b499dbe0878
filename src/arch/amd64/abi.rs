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
use super::eightbytes::{Eightbytes, Shape};
use crate::model::goabi::{self, Frame, Slot};
use crate::model::{Api, Function, Type};

/// Registers for INTEGER eightbytes: rdi, rsi, rdx, rcx, r8, r9.
pub(super) const INT_ARGS: usize = 6;
/// Registers for SSE eightbytes: xmm0 to xmm7.
pub(super) const SSE_ARGS: usize = 8;

/// The largest block of arguments on the stack. A wrapper makes room for it in one step, without touching the pages between; the
/// guard must not be smaller than such a step.
const MAX_STACK_ARGS: u64 = crate::contract::GUARD_SIZE / 2;
/// Frame offsets must fit the processor's 32-bit displacements, with room to spare.
const MAX_FRAME: u64 = 1 << 30;

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
    let mut regs = Registers::default();
    let result = match (&function.result, &frame.result) {
        (Some(ty), Some(slot)) => {
            let of = |e| format!("the result: {e}");
            let shape = shape(api, ty).map_err(of)?;
            regs.result(shape, slot.offset)
        }
        _ => Return::None,
    };
    let mut args = Vec::new();
    for (param, slot) in function.params.iter().zip(&frame.params) {
        let of = |e| format!("parameter `{}`: {e}", param.name);
        check_pointee(api, &param.ty).map_err(of)?;
        let shape = shape(api, &param.ty).map_err(of)?;
        regs.arg(shape, slot.offset, slot.size, &mut args);
    }
    let codes = args.iter_mut().filter_map(|arg| match arg {
        Arg::Code { which, .. } => Some(which),
        _ => None,
    });
    codes.zip(0..).for_each(|(which, n)| *which = n);
    let stack = regs.stack.next_multiple_of(16);
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
                let mut place = || match self.int < INT_ARGS {
                    true => self.take(Class::Integer),
                    false => Place::Stack(self.push(8)),
                };
                let (to, which) = (place(), 0);
                args.push(Arg::Code { at, which, to });
                if user {
                    args.push(Arg::Mark { to: place() });
                }
            }
            Shape::Kept { id, destroyed } => {
                let mut place = || match self.int < INT_ARGS {
                    true => self.take(Class::Integer),
                    false => Place::Stack(self.push(8)),
                };
                args.push(Arg::Kept {
                    at,
                    id,
                    to: place(),
                });
                let part = Part {
                    at,
                    size: 8,
                    class: Class::Integer,
                    signed: false,
                };
                args.push(Arg::Part { part, to: place() });
                if destroyed {
                    args.push(Arg::Destroy { to: place() });
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
            let mut eightbytes = Eightbytes::new(layout.size);
            eightbytes.add(api, ty, 0, 0)?;
            eightbytes.shape()
        }
    }
}
