//! The contents of named types: enums without fields, and structs that lie as C would lay them out.

use gimli::constants as dw;

use super::c_char;
use super::dwarf::{At, Die};
use super::shape::{Shape, View};
use super::syntax::{Item, ItemKind, Repr};
use super::types::{Mapped, Mapper, State, Stop, Why, is_std, refuse};
use crate::model::{Field, Int, Layout, Type, TypeKind, Variant};

impl<'d, 'a> Mapper<'d, 'a> {
    /// The doc comment of an opaque type. One that asks for C's layout and cannot have it in Go says why.
    pub(super) fn opaque_doc(&mut self, object: usize, at: At, why: &Why) -> Mapped<String> {
        let view = self.view(object)?;
        let Some(item) = self.item(&view, &view.debug.die(at)?, None)? else {
            return Ok(String::new());
        };
        let ItemKind::Type {
            repr: Some(Repr::C | Repr::Transparent),
            parts,
            ..
        } = &item.kind
        else {
            return Ok(item.doc);
        };
        // `struct Foreign { _private: [u8; 0] }` is meant to be opaque.
        if view.size(at)? == Some(0) || parts.is_empty() {
            return Ok(item.doc);
        }
        let note = format!("Go cannot see into it: it {}.", why.reason);
        Ok(if item.doc.is_empty() {
            note
        } else {
            format!("{}\n\n{note}", item.doc)
        })
    }

    /// The source item of a type.
    pub(super) fn item(
        &mut self,
        view: &View<'d, 'a>,
        die: &Die<'a>,
        parts: Option<&[String]>,
    ) -> Mapped<Option<Item>> {
        let name = view.debug.name(die)?.unwrap_or_default();
        let bare = name.split('<').next().unwrap_or_default();
        Ok(self.sources.ty(&view.scan.path(die.at, bare), parts))
    }

    pub(super) fn contents(
        &mut self,
        object: usize,
        at: At,
        depth: u32,
    ) -> Mapped<(TypeKind, String)> {
        let view = self.view(object)?;
        let die = view.debug.die(at)?;
        let name = view.debug.name(&die)?.unwrap_or_default();
        if die.flag(dw::DW_AT_declaration) {
            return refuse(format!("is `{name}`, which is declared but not described"));
        }
        let kind = view.shape(at)?;
        if let Shape::Named(what) = kind {
            let why = Why::new(format!(
                "is `{name}`, {} {what}",
                if what.starts_with('e') { "an" } else { "a" }
            ));
            return Err(Stop::Refused(why.help(
                "pass it behind a pointer, or as a field-less enum or a `#[repr(C)]` struct",
            )));
        }
        if matches!(kind, Shape::Nothing) {
            return refuse(format!("is `{name}`, which has no bytes"));
        }
        let path = view.scan.path(at, &name);
        if path.join("::").starts_with("core::num::nonzero::NonZero<") {
            let why = Why::new(format!(
                "is `{name}`, and Go cannot promise that it is not 0"
            ));
            return Err(Stop::Refused(
                why.help("take it in an `Option`, or as a plain integer"),
            ));
        }
        if is_std(&path) {
            let why = Why::new(format!(
                "is `{name}`, whose layout the standard library does not promise"
            ));
            return Err(Stop::Refused(why.help("pass it behind a pointer")));
        }
        match kind {
            Shape::Enum => self.enumeration(&view, &die),
            _ => self.structure(object, &view, &die, &name, depth),
        }
    }

    fn enumeration(&mut self, view: &View<'d, 'a>, die: &Die<'a>) -> Mapped<(TypeKind, String)> {
        let name = view.debug.name(die)?.unwrap_or_default();
        let repr = match view.debug.ty(die)?.map(|ty| view.shape(ty)).transpose()? {
            Some(Shape::Scalar(Type::Int(repr))) => repr,
            _ => return refuse(format!("is the enum `{name}` over no integer type")),
        };
        let mut variants = Vec::new();
        for child in view.debug.children(die.at)? {
            if child.tag() == dw::DW_TAG_enumerator {
                let value = discriminant(&child, repr)
                    .ok_or(gimli::Error::UnsupportedAttributeForm(gimli::DwForm(0)))?;
                variants.push(Variant {
                    name: view.debug.name(&child)?.unwrap_or_default(),
                    value,
                    doc: String::new(),
                });
            }
        }
        let names: Vec<_> = variants.iter().map(|v| v.name.clone()).collect();
        let item = self.item(view, die, Some(&names))?;
        for (variant, (_, doc)) in variants.iter_mut().zip(parts(&item)) {
            variant.doc.clone_from(doc);
        }
        Ok((
            TypeKind::Enum { repr, variants },
            item.map_or(String::new(), |i| i.doc),
        ))
    }

    fn structure(
        &mut self,
        object: usize,
        view: &View<'d, 'a>,
        die: &Die<'a>,
        name: &str,
        depth: u32,
    ) -> Mapped<(TypeKind, String)> {
        let mut members = Vec::new();
        for child in view.debug.children(die.at)? {
            if child.tag() == dw::DW_TAG_member {
                let name = view.debug.name(&child)?.unwrap_or_default();
                // rustc writes the fields of a tuple struct as __0, __1, ...
                let tuple = name
                    .strip_prefix("__")
                    .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
                let name = tuple.map_or(name.clone(), str::to_owned);
                let ty = view.debug.ty(&child)?.ok_or(gimli::Error::MissingUnitDie)?;
                members.push((name, ty, child.udata(dw::DW_AT_data_member_location)));
            }
        }
        let names: Vec<_> = members.iter().map(|m| m.0.clone()).collect();
        let item = self.item(view, die, Some(&names))?;
        check_repr(&item, name)?;
        let docs: Vec<_> = parts(&item).map(|p| p.1.clone()).collect();
        let mut docs = docs.into_iter();
        let mut fields = Vec::new();
        for (n, (field, ty, offset)) in members.into_iter().enumerate() {
            let doc = docs.next().unwrap_or_default();
            let mut ty = match self.held(object, ty, depth + 1) {
                Ok(Some(ty)) => ty,
                Ok(None) => continue,
                Err(Stop::Refused(why)) => {
                    let reason = format!("is `{name}`, whose field `{field}` {}", why.reason);
                    return Err(Stop::Refused(Why { reason, ..why }));
                }
                Err(e) => return Err(e),
            };
            c_char::apply_to_field(&mut ty, &item, n);
            let offset = offset.ok_or(gimli::Error::UnsupportedOffset)?;
            fields.push(Field {
                name: field,
                ty,
                offset,
                doc,
            });
        }
        let Layout { size, align } = self.as_in_c(die, name, &fields)?;
        Ok((
            TypeKind::Struct {
                fields,
                size,
                align,
            },
            item.map_or(String::new(), |i| i.doc),
        ))
    }

    /// The layout of a struct, which must be the one that C gives it.
    fn as_in_c(&self, die: &Die<'a>, name: &str, fields: &[Field]) -> Mapped<Layout> {
        let size = die
            .udata(dw::DW_AT_byte_size)
            .ok_or(gimli::Error::MissingUnitDie)?;
        let stated = die.udata(dw::DW_AT_alignment);
        let aligns = fields.iter().filter_map(|f| self.layout(&f.ty));
        let natural = aligns.map(|l| l.align).max().unwrap_or(1);
        if stated.is_some_and(|stated| stated > natural) {
            return Err(aligned(name));
        }
        let layout = self.c_layout(fields).filter(|c| c.size == size);
        let layout = layout.filter(|c| stated.is_none_or(|s| s == c.align));
        layout.ok_or_else(|| {
            let why = Why::new(format!("is `{name}`, whose fields do not lie as in C"));
            Stop::Refused(why.help(
                "add `#[repr(C)]` to it, without `packed` or `align`, or pass it behind a pointer",
            ))
        })
    }

    /// The layout that C gives the fields; None when one of them lies elsewhere.
    fn c_layout(&self, fields: &[Field]) -> Option<Layout> {
        let (mut end, mut align) = (0u64, 1u64);
        for field in fields {
            let l = self.layout(&field.ty)?;
            if end.checked_next_multiple_of(l.align)? != field.offset {
                return None;
            }
            end = field.offset.checked_add(l.size)?;
            align = align.max(l.align);
        }
        Some(Layout {
            size: end.checked_next_multiple_of(align)?,
            align,
        })
    }

    /// Bytes of a parameter or result on the Rust side.
    pub(super) fn bytes(&self, ty: &Type) -> Option<u64> {
        match ty {
            Type::Str | Type::Text { .. } | Type::Slice { .. } => Some(16),
            _ => self.layout(ty).map(|l| l.size),
        }
    }

    /// As [`crate::model::Signatures::layout`], while the types are still being collected. Checked: array lengths come from the input.
    pub(super) fn layout(&self, ty: &Type) -> Option<Layout> {
        let scalar = |n| Some(Layout { size: n, align: n });
        match ty {
            Type::Bool => scalar(1),
            Type::Char | Type::F32 => scalar(4),
            Type::F64 | Type::Pointer { .. } => scalar(8),
            Type::Callback { .. } | Type::Kept { .. } => scalar(8),
            Type::Int(int) => scalar(int.size()),
            Type::Str | Type::Text { .. } | Type::Slice { .. } => None,
            // Made of structs when all signatures are read ([`super::owned`]).
            Type::Owned { .. } | Type::OwnedStr | Type::Fallible { .. } => None,
            Type::Array { elem, len } => {
                let elem = self.layout(elem)?;
                Some(Layout {
                    size: elem.size.checked_mul(*len)?,
                    ..elem
                })
            }
            Type::Named(id) => match &self.defs.get(id.0 as usize)?.state {
                State::Done(TypeKind::Struct { size, align, .. }) => Some(Layout {
                    size: *size,
                    align: *align,
                }),
                State::Done(TypeKind::Enum { repr, .. }) => scalar(repr.size()),
                _ => None,
            },
        }
    }
}

fn parts(item: &Option<Item>) -> impl Iterator<Item = &(String, String)> {
    let parts = match item {
        Some(Item {
            kind: ItemKind::Type { parts, .. },
            ..
        }) => &parts[..],
        _ => &[],
    };
    parts.iter()
}

/// What the source says of a struct's layout, when it is at hand. When it is not, the layout alone decides.
fn check_repr(item: &Option<Item>, name: &str) -> Mapped<()> {
    let Some(Item {
        kind: ItemKind::Type {
            repr: Some(repr), ..
        },
        ..
    }) = item
    else {
        return Ok(());
    };
    let (what, help) = match repr {
        Repr::C | Repr::Transparent => return Ok(()),
        Repr::Rust => (
            "is not `#[repr(C)]`",
            "add `#[repr(C)]` to it, or pass it behind a pointer",
        ),
        Repr::Packed => ("is packed", "drop `packed`, or pass it behind a pointer"),
        Repr::Align => return Err(aligned(name)),
    };
    Err(Stop::Refused(
        Why::new(format!("is `{name}`, which {what}")).help(help),
    ))
}

/// The refusal of a struct that is aligned by more than its fields.
fn aligned(name: &str) -> Stop {
    let why = Why::new(format!(
        "is `{name}`, which has an alignment of its own, which Go cannot give"
    ));
    Stop::Refused(
        why.help("drop `align`, or the empty field that aligns it, or pass it behind a pointer"),
    )
}

/// DW_AT_const_value of an enumerator. Fixed-size forms leave the sign to the type.
pub(super) fn discriminant(die: &Die<'_>, repr: Int) -> Option<i128> {
    let value = die.entry.attr(dw::DW_AT_const_value)?;
    if repr.signed() {
        value.sdata_value().map(i128::from)
    } else {
        // gimli reads DW_FORM_sdata as signed only, and rustc writes unsigned values so when they fit.
        value.udata_value().map(i128::from).or_else(|| {
            value
                .sdata_value()
                .and_then(|v| u64::try_from(v).ok())
                .map(i128::from)
        })
    }
}
