//! Enums with fields, and unions: as C has them, or not at all.
//!
//! The layout of an enum with fields is promised in two forms (RFC 2195; The Rust Reference, "Type layout"). `repr(C)`, also with an integer: the tag, then a
//! union of a struct for each variant. `repr(u8)` and the like: a union of structs, each of which begins with the tag.

use std::collections::BTreeSet;

use gimli::constants as dw;

use super::dwarf::{At, Die};
use super::layout::{as_stated, check_repr, discriminant, members};
use super::shape::{Shape, View};
use super::syntax::{Item, ItemKind};
use super::types::{Mapped, Mapper, State, Stop, Why, refuse};
use crate::model::{Field, Int, Layout, Type, TypeKind, Variant};

/// What to do about an enum that C cannot have.
const REPR: &str = "add `#[repr(C)]` or `#[repr(u8)]` to it, or pass it behind a pointer";

/// A variant as the debug information tells it.
struct Described {
    name: String,
    value: i128,
    /// A struct that begins where the enum does.
    payload: At,
}

impl<'d, 'a> Mapper<'d, 'a> {
    /// A union.
    pub(super) fn union(
        &mut self,
        object: usize,
        view: &View<'d, 'a>,
        die: &Die<'a>,
        name: &str,
        depth: u32,
    ) -> Mapped<(TypeKind, String)> {
        let (fields, doc) = self.record(object, view, die, name, depth)?;
        self.no_references(name, fields.iter())?;
        let Layout { size, align } = as_stated(die, name, self.union_layout(&fields))?;
        Ok((
            TypeKind::Union {
                fields,
                size,
                align,
            },
            doc,
        ))
    }

    /// None when a field does not begin at the first byte.
    fn union_layout(&self, fields: &[Field]) -> Option<Layout> {
        let (mut end, mut align) = (0, 1);
        for field in fields {
            let layout = self.layout(&field.ty).filter(|_| field.offset == 0)?;
            (end, align) = (layout.size.max(end), layout.align.max(align));
        }
        let size = u64::checked_next_multiple_of(end, align)?;
        Some(Layout { size, align })
    }

    /// An enum with fields.
    pub(super) fn sum(
        &mut self,
        object: usize,
        view: &View<'d, 'a>,
        die: &Die<'a>,
        name: &str,
        depth: u32,
    ) -> Mapped<(TypeKind, String)> {
        let (tag, described) = described(view, die, name)?;
        let names: Vec<_> = described.iter().map(|v| v.name.clone()).collect();
        let item = self.item(view, die, Some(&names))?;
        check_repr(&item, die, name).map_err(|stop| match stop {
            Stop::Refused(why) => Stop::Refused(why.help(REPR)),
            stop => stop,
        })?;
        let mut docs = docs(&item).into_iter();
        let mut variants = Vec::new();
        for variant in described {
            let members = members(view, variant.payload)?;
            for member in &members {
                if view.is_never(member.ty)? {
                    return refuse(format!(
                        "is `{name}`, whose variant `{}` no value can be of",
                        variant.name
                    ));
                }
            }
            let of = |field: &str| {
                let variant = &variant.name;
                format!("is `{name}`, whose field `{field}` of `{variant}`")
            };
            let fields = self.fields_of(object, members, &Default::default(), &of, depth)?;
            variants.push(Variant {
                fields,
                name: variant.name,
                in_c: String::new(),
                value: variant.value,
                doc: docs.next().unwrap_or_default(),
            });
        }
        self.no_references(name, variants.iter().flat_map(|v| &v.fields))?;
        let size = die.udata(dw::DW_AT_byte_size);
        let forms = [
            self.tag_outside(tag, &variants),
            self.tag_inside(tag, &variants),
        ];
        let form = forms.into_iter().flatten().find(|l| Some(l.size) == size);
        let Layout { size, align } = as_stated(die, name, form).map_err(|stop| match stop {
            Stop::Refused(why) => Stop::Refused(why.help(REPR)),
            stop => stop,
        })?;
        Ok((
            TypeKind::Sum {
                tag,
                variants,
                size,
                align,
            },
            item.map_or(String::new(), |i| i.doc),
        ))
    }

    /// Go's collector must know of each word whether it is a pointer. So none is seen where other things lie, too, and safe Rust counts on references.
    fn no_references<'f>(&self, name: &str, fields: impl Iterator<Item = &'f Field>) -> Mapped<()> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Type> = fields.map(|f| &f.ty).collect();
        while let Some(ty) = open.pop() {
            match ty {
                Type::Pointer { kind, .. } if kind.is_reference() => {
                    let why = Why::new(format!(
                        "is `{name}`, with a reference in it that Go's collector would not see"
                    ));
                    return Err(Stop::Refused(
                        why.help("use a raw pointer there, or pass it behind a pointer"),
                    ));
                }
                Type::Array { elem, .. } => open.push(elem),
                Type::Named(id) if seen.insert(*id) => {
                    if let State::Done(kind) = &self.def(*id)?.state {
                        open.extend(kind.fields().map(|f| &f.ty));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `repr(C)`: the tag, and a union behind it. None when a field lies elsewhere.
    fn tag_outside(&self, tag: Int, variants: &[Variant]) -> Option<Layout> {
        let fields = variants.iter().flat_map(|v| &v.fields);
        let mut aligns = fields.map(|f| Some(self.layout(&f.ty)?.align));
        let align = aligns.try_fold(1, |max, align| Some(align?.max(max)))?;
        let from = tag.size().checked_next_multiple_of(align)?;
        let mut end = from;
        for variant in variants {
            end = end.max(self.c_layout((from, align), &variant.fields)?.size);
        }
        let align = align.max(tag.size());
        let size = end.checked_next_multiple_of(align)?;
        Some(Layout { size, align })
    }

    /// `repr(u8)`: a union of structs that begin with the tag. None when a field lies elsewhere.
    fn tag_inside(&self, tag: Int, variants: &[Variant]) -> Option<Layout> {
        let (mut end, mut align) = (tag.size(), tag.size());
        for variant in variants {
            let layout = self.c_layout((tag.size(), tag.size()), &variant.fields)?;
            (end, align) = (layout.size.max(end), layout.align.max(align));
        }
        let size = end.checked_next_multiple_of(align)?;
        Some(Layout { size, align })
    }
}

/// The docs of the variants.
fn docs(item: &Option<Item>) -> Vec<String> {
    match item.as_ref().map(|item| &item.kind) {
        Some(ItemKind::Type { parts, .. }) => parts.iter().map(|p| p.1.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The type of the tag, and the variants. Both must stand in the debug information: else a field's invalid values tell a variant (a niche).
fn described<'a>(view: &View<'_, 'a>, die: &Die<'a>, name: &str) -> Mapped<(Int, Vec<Described>)> {
    let niche = || {
        let why = Why::new(format!(
            "is `{name}`, an enum without a tag of its own, whose layout Rust does not promise"
        ));
        Stop::Refused(why.help(REPR))
    };
    let mut parts = view.debug.children(die.at)?.into_iter();
    let part = parts.find(|p| p.tag() == dw::DW_TAG_variant_part);
    let part = part.ok_or_else(niche)?;
    let tag = view
        .debug
        .refers(&part, dw::DW_AT_discr)?
        .ok_or_else(niche)?;
    let tag = view.debug.die(tag)?;
    let int = match view.debug.ty(&tag)?.map(|ty| view.shape(ty)).transpose()? {
        Some(Shape::Scalar(Type::Int(int))) => int,
        _ => return Err(niche()),
    };
    if tag.udata(dw::DW_AT_data_member_location) != Some(0) {
        return Err(niche());
    }
    let mut variants = Vec::new();
    for variant in view.debug.children(part.at)? {
        if variant.tag() != dw::DW_TAG_variant {
            continue;
        }
        let value = discriminant(&variant, dw::DW_AT_discr_value, int).ok_or_else(niche)?;
        let members = view.debug.children(variant.at)?;
        let [member] = members.as_slice() else {
            return Err(niche());
        };
        variants.push(Described {
            name: view.debug.name(member)?.unwrap_or_default(),
            value,
            payload: view.debug.ty(member)?.ok_or_else(niche)?,
        });
    }
    Ok((int, variants))
}
