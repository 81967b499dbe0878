//! The classes of the eightbytes of a value (psABI 3.2.3): what it travels in, by the fields that lie in it.

use crate::model::{Api, Type, TypeKind};

/// The deepest nesting of structs that is followed. Deeper ones come from damaged input.
const MAX_DEPTH: u32 = 64;
/// The most fields that are looked at in one value, for the same reason.
const MAX_FIELDS: u32 = 1 << 16;

/// The kind of register that an eightbyte travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Sse,
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
    /// One or two eightbytes; `at` counts from the start of the value.
    Parts(Vec<Part>),
    Fat {
        align: u64,
        /// Pointer and length are parameters of their own.
        apart: bool,
        /// A slice, which has a capacity in Go.
        capacity: bool,
    },
    Memory,
    /// The address of code, and the user data behind it.
    Code {
        user: bool,
    },
    /// The same for a function that the library keeps.
    Kept {
        id: usize,
        /// Whether a destroy function follows.
        destroyed: bool,
    },
}

/// The eightbytes of a value that is being classified.
pub(super) struct Eightbytes {
    size: u64,
    /// The classes so far; meaningless when `memory` is set.
    classes: [Option<Class>; 2],
    /// Size and signedness when the value is a single integer that fills it.
    signed: bool,
    memory: bool,
    /// Fields looked at so far.
    seen: u32,
}

impl Eightbytes {
    pub(super) fn new(size: u64) -> Self {
        Eightbytes {
            size,
            classes: [None; 2],
            signed: false,
            memory: size > 16,
            seen: 0,
        }
    }

    /// Classifies `ty` at an offset from the start of the value. Walks all of it, even of large values, to refuse what cannot be passed.
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
        // psABI: "If an object [...] has unaligned fields, it has class MEMORY."
        self.memory |= layout.size > 0 && !at.is_multiple_of(layout.align.max(1));
        match ty {
            Type::Bool | Type::Char | Type::Pointer { .. } => {
                self.leaf(at, layout.size, Class::Integer, false)
            }
            Type::Int(int) => self.leaf(at, layout.size, Class::Integer, int.signed()),
            Type::F32 | Type::F64 => self.leaf(at, layout.size, Class::Sse, false),
            Type::Array { elem, len } => {
                let stride = api.layout(elem).size;
                // All elements are alike: one look is enough for the kinds, and classes matter for small ones alone.
                let count = if self.memory { (*len).min(1) } else { *len };
                for i in 0..if stride == 0 { count.min(1) } else { count } {
                    self.add(
                        api,
                        elem,
                        at.saturating_add(i.saturating_mul(stride)),
                        depth + 1,
                    )?;
                }
            }
            Type::Named(id) => match &api.def(*id).kind {
                TypeKind::Enum { repr, .. } => {
                    self.leaf(at, layout.size, Class::Integer, repr.signed())
                }
                // psABI: the classes of all fields that lie in an eightbyte are merged, those of a union's too. rustc takes the variants of an enum for
                // the fields of a union (rustc_target, `callconv/x86_64.rs`).
                kind
                @ (TypeKind::Struct { .. } | TypeKind::Union { .. } | TypeKind::Sum { .. }) => {
                    if let TypeKind::Sum { tag, .. } = kind {
                        self.leaf(at, tag.size(), Class::Integer, tag.signed());
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
            Type::Kept { .. } => self.leaf(at, 8, Class::Integer, false),
            Type::Callback { .. } => return Err("it holds a function pointer".into()),
        }
        Ok(())
    }

    /// Merges a scalar into its eightbyte: INTEGER wins over SSE.
    fn leaf(&mut self, at: u64, size: u64, class: Class, signed: bool) {
        self.signed = signed && size == self.size;
        if self.memory {
            return;
        }
        if let Some(slot) = usize::try_from(at / 8)
            .ok()
            .and_then(|i| self.classes.get_mut(i))
        {
            *slot = match *slot {
                Some(Class::Integer) => Some(Class::Integer),
                _ => Some(class),
            };
        }
    }

    pub(super) fn shape(self) -> Result<Shape, String> {
        if self.size == 0 {
            return Ok(Shape::Nothing);
        }
        if self.memory {
            return Ok(Shape::Memory);
        }
        let mut parts = Vec::new();
        for (at, class) in (0..self.size).step_by(8).zip(self.classes) {
            let size = (self.size - at).min(8);
            match class {
                Some(class) if class == Class::Integer || size == 4 || size == 8 => {
                    parts.push(Part {
                        at,
                        size,
                        class,
                        signed: self.signed,
                    })
                }
                // No class: an eightbyte of padding only. An SSE one of another size: a packed struct that no compiler makes.
                _ => {
                    return Err(
                        "a struct with a layout that is not understood: pass a pointer to it"
                            .into(),
                    );
                }
            }
        }
        Ok(Shape::Parts(parts))
    }
}
