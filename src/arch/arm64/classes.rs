//! What a value travels in, by the fields that lie in it (AAPCS64 6.8.2, "Parameter passing rules", stages B and C).

use crate::model::{Api, Type, TypeKind};

/// The deepest nesting of structs that is followed. Deeper ones come from damaged input.
const MAX_DEPTH: u32 = 64;
/// The most fields that are looked at in one value, for the same reason.
const MAX_FIELDS: u32 = 1 << 16;
/// The most members of a struct that travels in vector registers (AAPCS64 5.9.5, "Homogeneous aggregates").
const MAX_MEMBERS: u64 = 4;

/// The kind of register that a part of a value travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    General,
    Vector,
}

/// Up to eight bytes of a value, that travel in one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Bytes from the start of the frame.
    pub at: u64,
    /// 1 to 8.
    pub size: u64,
    pub class: Class,
    /// Whether a narrow integer is sign-extended when loaded.
    pub signed: bool,
}

/// How one type travels, apart from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Zero-sized: not passed.
    Nothing,
    /// A scalar, or a struct in registers, all of one class; `at` counts from the start of the value.
    Parts(Vec<Part>),
    Fat {
        align: u64,
        /// Pointer and length are parameters of their own.
        apart: bool,
        /// A slice, which has a capacity in Go.
        capacity: bool,
    },
    /// A copy in memory, whose address travels.
    Memory,
    /// The address of code, and the user data behind it.
    Code { user: bool },
    /// The same for a function that the library keeps.
    Kept {
        id: usize,
        /// Whether a destroy function follows.
        destroyed: bool,
    },
}

/// A value that is being classified.
pub(super) struct Value {
    size: u64,
    /// The size of the floating-point numbers that it is made of, as long as it is made of such alone.
    float: Option<u64>,
    /// Whether a leaf was seen.
    any: bool,
    /// Which of the first members there are, by bit, if all members are such numbers: homogeneous values have no padding.
    members: u64,
    signed: bool,
    /// Fields looked at so far.
    seen: u32,
}

impl Value {
    pub(super) fn new(size: u64) -> Self {
        Value {
            size,
            float: None,
            any: false,
            members: 0,
            signed: false,
            seen: 0,
        }
    }

    /// Looks at `ty` at an offset from the start of the value. Walks all of it, even of large values, to refuse what cannot be passed.
    pub(super) fn add(&mut self, api: &Api, ty: &Type, at: u64, depth: u32) -> Result<(), String> {
        self.seen += 1;
        if depth > MAX_DEPTH || self.seen > MAX_FIELDS {
            return Err("a struct with too many fields, or nested too deeply".into());
        }
        let layout = api.layout(ty);
        if at
            .checked_add(layout.size)
            .is_none_or(|end| end > self.size)
        {
            return Err("a struct with a field outside of it".into());
        }
        match ty {
            Type::Bool | Type::Char | Type::Pointer { .. } => {
                self.leaf(at, layout.size, false, false);
            }
            Type::Int(int) => self.leaf(at, layout.size, false, int.signed()),
            Type::F32 | Type::F64 => self.leaf(at, layout.size, true, false),
            Type::Array { elem, len } => {
                let stride = api.layout(elem).size;
                // All elements are alike: one look is enough for the kinds, and places matter for small values alone.
                let small = stride > 0 && self.size <= MAX_MEMBERS * 8;
                let count = if small { *len } else { (*len).min(1) };
                for i in 0..count {
                    let inside = at.saturating_add(i.saturating_mul(stride));
                    self.add(api, elem, inside, depth + 1)?;
                }
            }
            Type::Named(id) => match &api.def(*id).kind {
                TypeKind::Enum { repr, .. } => self.leaf(at, layout.size, false, repr.signed()),
                // rustc takes the variants of an enum for the fields of a union, behind the tag (rustc_abi, `homogeneous_aggregate`).
                kind
                @ (TypeKind::Struct { .. } | TypeKind::Union { .. } | TypeKind::Sum { .. }) => {
                    if let TypeKind::Sum { tag, .. } = kind {
                        self.leaf(at, tag.size(), false, tag.signed());
                    }
                    for field in kind.fields() {
                        let inside = at.saturating_add(field.offset);
                        self.add(api, &field.ty, inside, depth + 1)?;
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
            Type::Kept { .. } => self.leaf(at, 8, false, false),
            Type::Callback { .. } => return Err("it holds a function pointer".into()),
        }
        Ok(())
    }

    fn leaf(&mut self, at: u64, size: u64, float: bool, signed: bool) {
        self.signed = signed && size == self.size;
        let size_of = float.then_some(size);
        self.float = match self.any {
            false => size_of,
            true => self.float.filter(|_| self.float == size_of),
        };
        self.any = true;
        if size > 0 && at.is_multiple_of(size) {
            self.members |= 1u64.checked_shl((at / size).min(64) as u32).unwrap_or(0);
        }
    }

    pub(super) fn shape(self) -> Result<Shape, String> {
        if self.size == 0 {
            return Ok(Shape::Nothing);
        }
        if !self.any {
            return Err(
                "a struct with a layout that is not understood: pass a pointer to it".into(),
            );
        }
        if let Some(member) = self.float
            && self.size.is_multiple_of(member)
            && self.size / member <= MAX_MEMBERS
            && self.members == (1 << (self.size / member)) - 1
        {
            let part = |n: u64| Part {
                at: n * member,
                size: member,
                class: Class::Vector,
                signed: false,
            };
            return Ok(Shape::Parts((0..self.size / member).map(part).collect()));
        }
        if self.size > 16 {
            return Ok(Shape::Memory);
        }
        let part = |at: u64| Part {
            at,
            size: (self.size - at).min(8),
            class: Class::General,
            signed: self.signed,
        };
        Ok(Shape::Parts((0..self.size).step_by(8).map(part).collect()))
    }
}
