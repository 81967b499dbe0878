//! The contents of named types: enums without fields, and structs that lie as C would lay them out.

use gimli::{DwAt, constants as dw};

use super::attributes::Repr;
use super::dwarf::{At, Die};
use super::shape::{Shape, View, is_option};
use super::syntax::{Item, ItemKind};
use super::types::{Mapped, Mapper, State, Stop, Why, is_std, refuse};
use super::{c_char, callback_names};
use crate::model::{Field, Int, Layout, Type, TypeKind, Variant};

/// Go aligns no type more strictly than a word.
const MAX_ALIGN: u64 = 8;

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
        if is_option(&path.join("::")) {
            let why = Why::new(format!(
                "is `{name}`, which has a form in C only where it holds a pointer of one word, a function or a `NonZero` number, and else nothing"
            ));
            return Err(Stop::Refused(why.help(
                "make it a `#[repr(C)]` enum of your own, or pass it behind a pointer",
            )));
        }
        if is_std(&path) {
            let why = Why::new(format!(
                "is `{name}`, whose layout the standard library does not promise"
            ));
            return Err(Stop::Refused(why.help("pass it behind a pointer")));
        }
        match kind {
            Shape::Enum => self.enumeration(&view, &die),
            Shape::Union => self.union(object, &view, &die, &name, depth),
            Shape::Sum => self.sum(object, &view, &die, &name, depth),
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
                let value = discriminant(&child, dw::DW_AT_const_value, repr)
                    .ok_or(gimli::Error::UnsupportedAttributeForm(gimli::DwForm(0)))?;
                variants.push(Variant {
                    name: view.debug.name(&child)?.unwrap_or_default(),
                    value,
                    ..Variant::default()
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
        let (fields, doc) = self.record(object, view, die, name, depth)?;
        let natural = self.c_layout((0, 1), &fields);
        let Layout { size, align } = as_stated(die, name, natural)?;
        Ok((
            TypeKind::Struct {
                fields,
                size,
                align,
            },
            doc,
        ))
    }

    /// The fields of a struct or a union of C's, and its doc comment.
    pub(super) fn record(
        &mut self,
        object: usize,
        view: &View<'d, 'a>,
        die: &Die<'a>,
        name: &str,
        depth: u32,
    ) -> Mapped<(Vec<Field>, String)> {
        let members = members(view, die.at)?;
        let names: Vec<_> = members.iter().map(|m| m.name.clone()).collect();
        let item = self.item(view, die, Some(&names))?;
        check_repr(&item, die, name)?;
        let of = |field: &str| format!("is `{name}`, whose field `{field}`");
        let krate = view.scan.path(die.at, name).into_iter().next();
        let source = (krate.unwrap_or_default(), item);
        let fields = self.fields_of(object, members, &source, &of, depth)?;
        let (_, item) = source;
        Ok((fields, item.map_or(String::new(), |i| i.doc)))
    }

    /// The fields that have bytes. `source` is the crate, and the item of it that has them; `of` begins the sentence that says what is wrong with one.
    pub(super) fn fields_of(
        &mut self,
        object: usize,
        members: Vec<Member>,
        source: &(String, Option<Item>),
        of: &dyn Fn(&str) -> String,
        depth: u32,
    ) -> Mapped<Vec<Field>> {
        let item = &source.1;
        let docs: Vec<_> = parts(item).map(|p| p.1.clone()).collect();
        let mut docs = docs.into_iter();
        let mut fields = Vec::new();
        for (n, member) in members.into_iter().enumerate() {
            let doc = docs.next().unwrap_or_default();
            let mut ty = match self.held(object, member.ty, depth + 1) {
                Ok(Some(ty)) => ty,
                Ok(None) => continue,
                Err(Stop::Refused(why)) => {
                    let reason = format!("{} {}", of(&member.name), why.reason);
                    return Err(Stop::Refused(Why { reason, ..why }));
                }
                Err(e) => return Err(e),
            };
            c_char::apply_to_field(&mut ty, item, n);
            callback_names::apply_to_field(&mut ty, self.sources(), source, n);
            fields.push(Field {
                name: member.name,
                ty,
                offset: member.offset.ok_or(gimli::Error::UnsupportedOffset)?,
                doc,
            });
        }
        Ok(fields)
    }

    /// The layout of what C puts one after the other: behind so many bytes that are aligned so, these fields. None when one of them lies elsewhere.
    pub(super) fn c_layout(
        &self,
        (mut end, mut align): (u64, u64),
        fields: &[Field],
    ) -> Option<Layout> {
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
                State::Done(kind) if !kind.is_opaque() => kind.layout(),
                _ => None,
            },
        }
    }
}

/// A member of a type, as its DIE tells it.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) ty: At,
    pub(super) offset: Option<u64>,
}

/// The members of a type, those without bytes included.
pub(super) fn members<'a>(view: &View<'_, 'a>, at: At) -> gimli::Result<Vec<Member>> {
    let mut members = Vec::new();
    for child in view.debug.children(at)? {
        if child.tag() == dw::DW_TAG_member {
            let name = view.debug.name(&child)?.unwrap_or_default();
            // rustc writes the fields of a tuple struct as __0, __1, ...
            let tuple = name
                .strip_prefix("__")
                .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
            members.push(Member {
                name: tuple.map_or(name.clone(), str::to_owned),
                ty: view.debug.ty(&child)?.ok_or(gimli::Error::MissingUnitDie)?,
                offset: child.udata(dw::DW_AT_data_member_location),
            });
        }
    }
    Ok(members)
}

/// The layout of a type that should be this, as the debug information states it. An alignment of its own must be one that Go can give.
pub(super) fn as_stated(die: &Die<'_>, name: &str, natural: Option<Layout>) -> Mapped<Layout> {
    let size = die
        .udata(dw::DW_AT_byte_size)
        .ok_or(gimli::Error::MissingUnitDie)?;
    let stated = die.udata(dw::DW_AT_alignment);
    let layout = natural.and_then(|natural| {
        let align = stated.unwrap_or(natural.align);
        let full = natural.size.checked_next_multiple_of(align)?;
        (align >= natural.align && full == size).then_some(Layout { size, align })
    });
    match layout {
        Some(layout) if layout.align > MAX_ALIGN => Err(aligned(name)),
        Some(layout) => Ok(layout),
        None => {
            let why = Why::new(format!("is `{name}`, whose fields do not lie as in C"));
            Err(Stop::Refused(why.help(
                "add `#[repr(C)]` to it, without `packed` and without an empty field that aligns another, or pass it behind a pointer",
            )))
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
pub(super) fn check_repr(item: &Option<Item>, die: &Die<'_>, name: &str) -> Mapped<()> {
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
        Repr::Align => match die.udata(dw::DW_AT_alignment) {
            Some(_) => return Ok(()),
            None => return Err(aligned(name)),
        },
        Repr::Rust => (
            "is not `#[repr(C)]`",
            "add `#[repr(C)]` to it, or pass it behind a pointer",
        ),
        Repr::Packed => ("is packed", "drop `packed`, or pass it behind a pointer"),
    };
    Err(Stop::Refused(
        Why::new(format!("is `{name}`, which {what}")).help(help),
    ))
}

/// The refusal of a type that is aligned by more than a word.
fn aligned(name: &str) -> Stop {
    let why = Why::new(format!(
        "is `{name}`, which has an alignment that Go cannot give: {MAX_ALIGN} bytes are the most"
    ));
    Stop::Refused(
        why.help("lower `align`, or that of the field that needs it, or pass it behind a pointer"),
    )
}

/// DW_AT_const_value of an enumerator, DW_AT_discr_value of a variant. Fixed-size forms leave the sign to the type.
pub(super) fn discriminant(die: &Die<'_>, attr: DwAt, repr: Int) -> Option<i128> {
    let value = die.entry.attr(attr)?;
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
