//! What the C calling conventions of all machines have in common: which values there are, what they are made of, and what is refused. Where a value travels is the
//! machine's (`abi.rs` in its folder).

use crate::contract::GUARD_SIZE;
use crate::model::goabi::{self, Frame, Slot};
use crate::model::{Api, Function, Side, Type, TypeKind};

/// The deepest nesting of structs that is followed. Deeper ones come from damaged input.
const MAX_DEPTH: u32 = 64;
/// The most fields that are looked at in one value, for the same reason.
const MAX_FIELDS: u32 = 1 << 16;
/// The largest value that a machine passes in registers: four floating-point numbers of 8 bytes (AAPCS64 5.9.5). In larger arrays one element tells of all.
const IN_REGISTERS: u64 = 32;

/// The largest block of arguments on the stack, and frame of a Go function there. Code makes room for it in one step, without touching the pages between; the guard must not
/// be smaller than such a step.
pub const MAX_STACK_ARGS: u64 = GUARD_SIZE / 2;

/// The largest frame: its offsets fit displacements of 32 bits, with room to spare.
const MAX_FRAME: u64 = 1 << 30;

/// A scalar inside a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Bytes from the start of the value.
    pub at: u64,
    /// Bytes of it.
    pub size: u64,
    /// A floating-point number; else an integer or an address.
    pub float: bool,
    /// Whether it has a sign.
    pub signed: bool,
}

/// What a value that goes by itself is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Bytes of it.
    pub size: u64,
    /// All scalars of it, unions and sum types with those of all variants; of a large one, some.
    pub leaves: Vec<Leaf>,
    /// A field lies where its type's alignment does not allow it.
    pub unaligned: bool,
}

impl Value {
    /// Whether the value is a single integer with a sign.
    pub fn is_signed(&self) -> bool {
        let last = self.leaves.last();
        last.is_some_and(|leaf| leaf.signed && leaf.size == self.size)
    }

    fn of(api: &Api, ty: &Type) -> Result<Self, String> {
        let mut value = Value {
            size: api.layout(ty).size,
            ..Value::default()
        };
        value.add(api, ty, 0, 0, &mut 0)?;
        Ok(value)
    }

    /// Adds `ty` at an offset. Walks all of it, even of large values, to refuse what cannot be passed.
    fn add(
        &mut self,
        api: &Api,
        ty: &Type,
        at: u64,
        depth: u32,
        seen: &mut u32,
    ) -> Result<(), String> {
        *seen += 1;
        if depth > MAX_DEPTH || *seen > MAX_FIELDS {
            return Err("a struct with too many fields, or nested too deeply".into());
        }
        let layout = api.layout(ty);
        if at
            .checked_add(layout.size)
            .is_none_or(|end| end > self.size)
        {
            return Err("a struct with a field outside of it".into());
        }
        self.unaligned |= layout.size > 0 && !at.is_multiple_of(layout.align.max(1));
        match ty {
            Type::Bool | Type::Char | Type::Pointer { .. } | Type::Kept { .. } => {
                self.leaf(at, layout.size, false, false);
            }
            Type::Int(int) => self.leaf(at, layout.size, false, int.signed()),
            Type::F32 | Type::F64 => self.leaf(at, layout.size, true, false),
            Type::Array { elem, len } => {
                let stride = api.layout(elem).size;
                let all = stride > 0 && self.size <= IN_REGISTERS;
                for i in 0..if all { *len } else { (*len).min(1) } {
                    let inside = at.saturating_add(i.saturating_mul(stride));
                    self.add(api, elem, inside, depth + 1, seen)?;
                }
            }
            Type::Named(id) => match &api.def(*id).kind {
                TypeKind::Enum { repr, .. } => self.leaf(at, layout.size, false, repr.signed()),
                // rustc takes the variants of an enum for the fields of a union, behind the tag (rustc_target, `callconv`; rustc_abi, `homogeneous_aggregate`).
                kind
                @ (TypeKind::Struct { .. } | TypeKind::Union { .. } | TypeKind::Sum { .. }) => {
                    if let TypeKind::Sum { tag, .. } = kind {
                        self.leaf(at, tag.size(), false, tag.signed());
                    }
                    for field in kind.fields() {
                        let inside = at.saturating_add(field.offset);
                        self.add(api, &field.ty, inside, depth + 1, seen)?;
                    }
                }
                TypeKind::Opaque { .. } => {
                    return Err(format!(
                        "`{}` by value, whose fields are unknown: make it `#[repr(C)]` or pass a pointer to it",
                        api.def(*id).name
                    ));
                }
            },
            Type::Str | Type::Text { .. } | Type::Slice { .. } => {
                return Err("a struct by value with a string or slice in it: Go's empty ones have no valid pointer for Rust; use a raw pointer and a length".into());
            }
            Type::Owned { .. } | Type::OwnedStr | Type::Fallible { .. } => {
                return Err("a struct by value with a type of rsyso-ffi in it: such types stand alone, as results".into());
            }
            Type::Callback { .. } => return Err("it holds a function pointer".into()),
        }
        Ok(())
    }

    fn leaf(&mut self, at: u64, size: u64, float: bool, signed: bool) {
        self.leaves.push(Leaf {
            at,
            size,
            float,
            signed,
        });
    }
}

/// Up to eight bytes of a value, that travel in one register of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<C> {
    /// Bytes from the start of the frame.
    pub at: u64,
    /// 1 to 8.
    pub size: u64,
    /// The machine's kind of register.
    pub class: C,
    /// Whether a narrow integer is sign-extended when loaded.
    pub signed: bool,
}

/// How one type travels, apart from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<C> {
    /// Zero-sized: not passed.
    Nothing,
    /// In registers, if there are enough; `at` counts from the start of the value.
    Parts(Vec<Part<C>>),
    /// A string or slice: a pointer and a length.
    Fat {
        /// The alignment of what it leads to.
        align: u64,
        /// Pointer and length are parameters of their own.
        apart: bool,
        /// A slice, which has a capacity in Go.
        capacity: bool,
    },
    /// In memory.
    Memory,
    /// The address of code.
    Code {
        /// Where its user data stands, if there is some.
        user: Option<Side>,
    },
    /// The same for a function that the library keeps.
    Kept {
        /// Which of [`Api::kept`].
        id: usize,
        /// Where its user data stands.
        user: Side,
        /// Whether a destroy function follows.
        destroyed: bool,
    },
}

/// Whether a Go function of these parameters and this result can be called, or why not.
pub type Callable = fn(&Api, &[Type], Option<&Type>) -> Result<(), String>;

/// What a machine's convention adds to this.
pub struct Convention<C> {
    /// What a value travels in.
    pub shape: fn(&Value) -> Result<Shape<C>, String>,
    /// Whether a Go function can be called.
    pub callback: Callable,
}

impl<C> Convention<C> {
    /// How a parameter of this type travels.
    pub fn parameter(&self, api: &Api, ty: &Type) -> Result<Shape<C>, String> {
        check_pointee(api, ty)?;
        self.travels(api, ty)
    }

    /// How a value of this type travels.
    pub fn travels(&self, api: &Api, ty: &Type) -> Result<Shape<C>, String> {
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
                (self.callback)(api, params, result.as_deref())
                    .map_err(|e| format!("a callback: {e}"))?;
                Ok(Shape::Code {
                    user: user.map(|data| data.side),
                })
            }
            Type::Kept { id, .. } => match user_data(api, *id) {
                Some((user, destroyed)) => Ok(Shape::Kept {
                    id: *id,
                    user,
                    destroyed,
                }),
                None => (self.shape)(&Value::of(api, ty)?),
            },
            // Three words or more.
            Type::Owned { .. } | Type::OwnedStr | Type::Fallible { value: None } => {
                Ok(Shape::Memory)
            }
            Type::Fallible { value: Some(value) } => {
                self.travels(api, value).map(|_| Shape::Memory)
            }
            _ => match api.layout(ty).align {
                0..=8 => (self.shape)(&Value::of(api, ty)?),
                n => Err(format!(
                    "a type of alignment {n} by value, but Go's frames are aligned to 8 bytes: pass a pointer to it"
                )),
            },
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

/// Where the user data stands that says which kept function is meant, and whether a destroy function follows. Without user data the function's address is one
/// of its own, a word as any.
fn user_data(api: &Api, id: usize) -> Option<(Side, bool)> {
    let kept = api.kept().get(id)?;
    Some((kept.user_data()?.side, kept.destroyed))
}

/// Refuses a frame that is not the function's, or too large.
pub fn check_frame(function: &Function, frame: &Frame) -> Result<(), String> {
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
    Ok(())
}

/// Refuses arguments that take more stack than a wrapper may use.
pub fn check_stack(bytes: u64) -> Result<u64, String> {
    match bytes {
        0..=MAX_STACK_ARGS => Ok(bytes),
        n => Err(format!(
            "its arguments take {n} bytes of stack, more than {MAX_STACK_ARGS}: pass large structs by reference"
        )),
    }
}

/// A Go function as Rust calls it, and its frame.
pub fn callback(
    api: &Api,
    params: &[Type],
    result: Option<&Type>,
) -> Result<(Function, Frame), String> {
    if matches!(result, Some(Type::Str | Type::Slice { .. })) {
        return Err("it returns a string or slice, which Go could not keep alive: let it take a `&mut` to fill".into());
    }
    if params.iter().any(|ty| matches!(ty, Type::Callback { .. })) {
        return Err("it takes a function itself".into());
    }
    let function = goabi::callback(params, result);
    let frame = goabi::frame(api, &function);
    Ok((function, frame))
}

/// Refuses the frame of a Go function that takes more stack than there may be.
pub fn check_callback_frame(frame: &Frame) -> Result<(), String> {
    match frame.size {
        0..=MAX_STACK_ARGS => Ok(()),
        n => Err(format!(
            "it takes and gives {n} bytes, more than {MAX_STACK_ARGS}: pass large structs by reference"
        )),
    }
}
