//! What kind of type a DIE is, told from its tag, its name and its members as rustc writes them
//! (rustc_codegen_llvm, `debuginfo/metadata`).

use gimli::constants as dw;

use super::dwarf::{At, Debug, Die};
use super::scan::Scan;
use crate::base::hash::Map;
use crate::model::{Int, PointerKind, Type};

/// Wrappers in wrappers, arrays in arrays: more than any real type has.
const NESTING_LIMIT: u32 = 32;

/// A type, one level deep.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// No bytes: `()`, `!`, `PhantomData`.
    Nothing,
    /// A number, `bool` or `char`.
    Scalar(Type),
    /// `&str`.
    Str,
    /// `&[T]`, `&mut [T]`.
    Slice {
        /// `T`.
        elem: At,
        /// `&mut`.
        mutable: bool,
    },
    /// A pointer of one word.
    Pointer {
        /// None when it points to nothing in particular.
        to: Option<At>,
        /// As Rust spells it.
        kind: PointerKind,
        /// A raw pointer, or the `Option`.
        nullable: bool,
    },
    /// `extern "C" fn`, or an `Option` of one.
    Function {
        /// The subroutine type.
        to: At,
        /// The `Option`.
        nullable: bool,
    },
    /// `[T; N]`.
    Array {
        /// `T`.
        elem: At,
        /// `N`.
        len: u64,
    },
    /// A struct with members.
    Struct,
    /// An enum without fields.
    Enum,
    /// A union.
    Union,
    /// An enum with fields.
    Sum,
    /// Has no counterpart in Go.
    Foreign(Foreign),
}

/// Types without a counterpart, by what can be said of them. All hold how to name them.
#[derive(Clone, Debug, PartialEq)]
pub enum Foreign {
    /// A pointer of two words: to a trait object, a `str`, a slice, a `CStr`.
    Wide(String),
    /// `u128`, `i128`.
    Wider(String),
    /// A tuple.
    Tuple(String),
    /// A function pointer that is not `extern "C"`.
    RustFunction(String),
    /// Anything else.
    Other(String),
}

/// One object's debug information with the index of its scopes.
#[derive(Clone, Copy)]
pub struct View<'d, 'a> {
    /// The DIEs.
    pub debug: &'d Debug<'a>,
    /// The index.
    pub scan: &'d Scan,
}

impl<'a> View<'_, 'a> {
    /// What the DIE at a place is.
    pub fn shape(&self, at: At) -> gimli::Result<Shape> {
        self.shape_within(at, 0)
    }

    /// `depth` counts wrappers in wrappers, so that a DIE that refers to itself ends.
    pub(super) fn shape_within(&self, at: At, depth: u32) -> gimli::Result<Shape> {
        if depth > NESTING_LIMIT {
            return Ok(other("a type nested too deep"));
        }
        let die = self.debug.die(at)?;
        let name = self.debug.name(&die)?.unwrap_or_default();
        Ok(match die.tag() {
            dw::DW_TAG_base_type => base_type(&name, &die),
            dw::DW_TAG_pointer_type => self.pointer(&die, &name)?,
            dw::DW_TAG_array_type => self.array(&die)?,
            // `MaybeUninit<()>` is a union.
            dw::DW_TAG_enumeration_type | dw::DW_TAG_union_type
                if die.udata(dw::DW_AT_byte_size) == Some(0) =>
            {
                Shape::Nothing
            }
            dw::DW_TAG_enumeration_type => Shape::Enum,
            dw::DW_TAG_union_type => Shape::Union,
            dw::DW_TAG_structure_type => self.structure(&die, &name, depth + 1)?,
            tag => other(format!("`{name}` ({tag})")),
        })
    }

    /// Bytes of the type at a place; None when the debug information does not say.
    pub fn size(&self, mut at: At) -> gimli::Result<Option<u64>> {
        let mut count = 1u64;
        for _ in 0..NESTING_LIMIT {
            let die = self.debug.die(at)?;
            let size = match die.tag() {
                dw::DW_TAG_pointer_type => Some(8),
                dw::DW_TAG_array_type => match self.array(&die)? {
                    Shape::Array { elem, len } => {
                        let Some(n) = count.checked_mul(len) else {
                            return Ok(None);
                        };
                        (count, at) = (n, elem);
                        continue;
                    }
                    _ => None,
                },
                _ => die.udata(dw::DW_AT_byte_size),
            };
            return Ok(size.and_then(|s| s.checked_mul(count)));
        }
        Ok(None)
    }

    /// All named types of the object.
    pub fn types_by_path(&self) -> gimli::Result<Map<String, At>> {
        let mut found = Map::default();
        for unit in 0..self.debug.units.len() {
            self.debug.walk(unit, |_, die| {
                let named = matches!(
                    die.tag(),
                    dw::DW_TAG_structure_type | dw::DW_TAG_enumeration_type | dw::DW_TAG_union_type
                );
                if named
                    && !die.flag(dw::DW_AT_declaration)
                    && let Some(name) = self.debug.name(die)?
                {
                    found
                        .entry(self.scan.path(die.at, &name).join("::"))
                        .or_insert(die.at);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    fn pointer(&self, die: &Die<'a>, name: &str) -> gimli::Result<Shape> {
        let to = self.debug.ty(die)?;
        if let Some(to) = to
            && self.debug.die(to)?.tag() == dw::DW_TAG_subroutine_type
        {
            return Ok(function_pointer(to, name));
        }
        let kind = if name.starts_with("&mut ") {
            PointerKind::RefMut
        } else if name.starts_with('&') {
            PointerKind::Ref
        } else if name.starts_with("*const ") {
            PointerKind::Const
        } else if name.starts_with("*mut ") {
            PointerKind::Mut
        } else if name.starts_with("alloc::boxed::Box<") {
            PointerKind::Box
        } else {
            return Ok(other(format!("a pointer written `{name}`")));
        };
        Ok(Shape::Pointer {
            to,
            kind,
            nullable: kind.is_raw(),
        })
    }

    fn array(&self, die: &Die<'a>) -> gimli::Result<Shape> {
        let mut lens = Vec::new();
        for child in self.debug.children(die.at)? {
            if child.tag() == dw::DW_TAG_subrange_type {
                let count = child.udata(dw::DW_AT_count);
                lens.push(count.or_else(|| {
                    child
                        .udata(dw::DW_AT_upper_bound)
                        .and_then(|n| n.checked_add(1))
                }));
            }
        }
        match (self.debug.ty(die)?, &lens[..]) {
            (Some(elem), [Some(len)]) => Ok(Shape::Array { elem, len: *len }),
            _ => Ok(other("an array without a length")),
        }
    }

    fn structure(&self, die: &Die<'a>, name: &str, depth: u32) -> gimli::Result<Shape> {
        let path = self.scan.path(die.at, name);
        if path.len() == 1
            && let Some(shape) = self.compiler_made(die, name)?
        {
            return Ok(shape);
        }
        let path = path.join("::");
        let variants = self
            .debug
            .children(die.at)?
            .into_iter()
            .find(|c| c.tag() == dw::DW_TAG_variant_part);
        if let Some(variants) = variants {
            let inner = match is_option(&path) {
                true => self.option(die, &variants, depth)?,
                false => None,
            };
            return Ok(inner.unwrap_or(match die.udata(dw::DW_AT_byte_size) {
                Some(0) => Shape::Nothing,
                _ => Shape::Sum,
            }));
        }
        if path.starts_with("core::ptr::non_null::NonNull<") {
            let pointer = self
                .only_member(die)?
                .map(|at| self.shape_within(at, depth))
                .transpose()?;
            return Ok(match pointer {
                Some(Shape::Pointer { to, .. }) => Shape::Pointer {
                    to,
                    kind: PointerKind::Mut,
                    nullable: false,
                },
                _ => Shape::Foreign(Foreign::Wide(path)),
            });
        }
        Ok(match die.udata(dw::DW_AT_byte_size) {
            Some(0) => Shape::Nothing,
            _ if path == "core::sync::atomic::AtomicBool" => Shape::Scalar(Type::Bool),
            _ => Shape::Struct,
        })
    }

    /// Structs outside any module are the compiler's own: wide pointers, tuples, closures.
    fn compiler_made(&self, die: &Die<'a>, name: &str) -> gimli::Result<Option<Shape>> {
        let mutable = name.starts_with("&mut ");
        let wide = name.starts_with(['&', '*']) || name.starts_with("alloc::boxed::Box<");
        if name == "&str" {
            return Ok(Some(Shape::Str));
        }
        if name.starts_with("&[") || name.starts_with("&mut [") {
            for member in self.debug.children(die.at)? {
                let is_data = member.tag() == dw::DW_TAG_member
                    && self.debug.name(&member)?.as_deref() == Some("data_ptr");
                if is_data
                    && let Some(pointer) = self.debug.ty(&member)?
                    && let Some(elem) = self.debug.ty(&self.debug.die(pointer)?)?
                {
                    return Ok(Some(Shape::Slice { elem, mutable }));
                }
            }
        }
        if wide {
            return Ok(Some(Shape::Foreign(Foreign::Wide(name.to_owned()))));
        }
        if die.udata(dw::DW_AT_byte_size) == Some(0) {
            return Ok(Some(Shape::Nothing));
        }
        if name.starts_with('(') {
            return Ok(Some(Shape::Foreign(Foreign::Tuple(name.to_owned()))));
        }
        Ok(None)
    }

    /// The type inside std's wrappers that are documented to have the layout of their contents, or the type itself.
    pub fn see_through(&self, mut at: At) -> gimli::Result<At> {
        const WRAPPERS: [&str; 8] = [
            "core::cell::Cell<",
            "core::cell::UnsafeCell<",
            "core::cell::SyncUnsafeCell<",
            "core::mem::manually_drop::ManuallyDrop<",
            "core::mem::maybe_dangling::MaybeDangling<",
            "core::mem::maybe_uninit::MaybeUninit<",
            "core::num::wrapping::Wrapping<",
            "core::sync::atomic::Atomic",
        ];
        for _ in 0..NESTING_LIMIT {
            let die = self.debug.die(at)?;
            let path = self
                .scan
                .path(at, &self.debug.name(&die)?.unwrap_or_default())
                .join("::");
            if !WRAPPERS.iter().any(|w| path.starts_with(w))
                || path == "core::sync::atomic::AtomicBool"
            {
                break;
            }
            match self.only_member(&die)? {
                Some(inner) if self.size(inner)? == die.udata(dw::DW_AT_byte_size) => at = inner,
                _ => break,
            }
        }
        Ok(at)
    }

    /// The type of the one member that has bytes.
    pub fn only_member(&self, die: &Die<'a>) -> gimli::Result<Option<At>> {
        let mut found = None;
        for child in self.debug.children(die.at)? {
            if !is_member(&child) {
                continue;
            }
            let Some(ty) = self.debug.ty(&child)? else {
                return Ok(None);
            };
            if self.size(ty)? == Some(0) {
                continue;
            }
            if found.replace(ty).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }
}

/// The enums of std that stand for a pointer or a number where they have a niche.
pub(super) fn is_option(path: &str) -> bool {
    path.starts_with("core::option::Option<") || path.starts_with("core::result::Result<")
}

pub(super) fn is_member(die: &Die<'_>) -> bool {
    die.tag() == dw::DW_TAG_member
}

fn other(what: impl Into<String>) -> Shape {
    Shape::Foreign(Foreign::Other(what.into()))
}

fn function_pointer(to: At, name: &str) -> Shape {
    // "system" is "C" on every target but 32-bit Windows.
    let abis = [
        "extern \"C\" fn",
        "extern \"C-unwind\" fn",
        "extern \"system\" fn",
        "extern \"system-unwind\" fn",
    ];
    if abis.iter().any(|abi| {
        name.strip_prefix("unsafe ")
            .unwrap_or(name)
            .starts_with(abi)
    }) {
        Shape::Function {
            to,
            nullable: false,
        }
    } else {
        Shape::Foreign(Foreign::RustFunction(name.to_owned()))
    }
}

fn base_type(name: &str, die: &Die<'_>) -> Shape {
    let encoding = match die.entry.attr_value(dw::DW_AT_encoding) {
        Some(gimli::AttributeValue::Encoding(e)) => e,
        _ => gimli::DwAte(0),
    };
    let int = |i| Shape::Scalar(Type::Int(i));
    match (name, die.udata(dw::DW_AT_byte_size), encoding) {
        (_, Some(0), _) => Shape::Nothing,
        ("bool", Some(1), dw::DW_ATE_boolean) => Shape::Scalar(Type::Bool),
        ("char", Some(4), dw::DW_ATE_UTF) => Shape::Scalar(Type::Char),
        ("f32", Some(4), dw::DW_ATE_float) => Shape::Scalar(Type::F32),
        ("f64", Some(8), dw::DW_ATE_float) => Shape::Scalar(Type::F64),
        ("u8", Some(1), dw::DW_ATE_unsigned) => int(Int::U8),
        ("u16", Some(2), dw::DW_ATE_unsigned) => int(Int::U16),
        ("u32", Some(4), dw::DW_ATE_unsigned) => int(Int::U32),
        ("u64", Some(8), dw::DW_ATE_unsigned) => int(Int::U64),
        ("usize", Some(8), dw::DW_ATE_unsigned) => int(Int::Usize),
        ("i8", Some(1), dw::DW_ATE_signed) => int(Int::I8),
        ("i16", Some(2), dw::DW_ATE_signed) => int(Int::I16),
        ("i32", Some(4), dw::DW_ATE_signed) => int(Int::I32),
        ("i64", Some(8), dw::DW_ATE_signed) => int(Int::I64),
        ("isize", Some(8), dw::DW_ATE_signed) => int(Int::Isize),
        ("u128" | "i128", ..) => Shape::Foreign(Foreign::Wider(name.to_owned())),
        _ => other(format!("`{name}`")),
    }
}
