//! What Go may do with a type that it cannot see into: make a value of it, or only hand its address around.
//!
//! A value that Go makes is all zeros, and its size must be the true one, or Rust writes over its neighbours. So Go makes values of types that
//! are there for others to lay out (`repr(C)`), and to which all zeros is a value: an integer, a raw pointer, an `Option` of a reference, a union
//! (The Rust Reference, "Behavior considered undefined", invalid values). Of every other type the library alone makes values.

use gimli::constants as dw;

use super::attributes::Repr;
use super::dwarf::{At, Die};
use super::layout::discriminant;
use super::shape::{Shape, View};
use super::syntax::ItemKind;
use super::types::{Mapped, Mapper, Zeros, is_std};
use crate::model::{Int, Layout, TypeKind};

/// Types in types; rustc's own limit is of this order. More means damaged debug information.
const NESTING_LIMIT: u32 = 64;

/// Go aligns no type more strictly than a word.
const MAX_ALIGN: u64 = 8;

/// A larger type does not compile on Go's 32-bit platforms.
const MAX_SIZE: u64 = i32::MAX as u64;

/// The kind of an opaque type of this layout, if Go can have it at all.
pub(super) fn kind(layout: Option<Layout>, made: bool) -> TypeKind {
    let sound = |l: &Layout| {
        l.align.is_power_of_two()
            && l.align <= MAX_ALIGN
            && l.size.is_multiple_of(l.align)
            && (1..=MAX_SIZE).contains(&l.size)
    };
    let layout = layout.filter(sound);
    TypeKind::Opaque {
        layout,
        made: made && layout.is_some(),
    }
}

impl<'d, 'a> Mapper<'d, 'a> {
    /// What an opaque type is to Go.
    pub(super) fn opaque(&mut self, object: usize, at: At) -> Mapped<TypeKind> {
        let view = self.view(object)?;
        let zeros = self.zeros(object, at, 0)?;
        if zeros == Zeros::Invalid {
            return Ok(TypeKind::UNKNOWN);
        }
        let die = view.debug.die(at)?;
        let stated = (
            die.udata(dw::DW_AT_byte_size),
            die.udata(dw::DW_AT_alignment),
        );
        let layout = match stated {
            (Some(size), Some(align)) => Some(Layout { size, align }),
            _ => None,
        };
        Ok(kind(layout, zeros == Zeros::Valid))
    }

    fn zeros(&mut self, object: usize, at: At, depth: u32) -> Mapped<Zeros> {
        let at = self.view(object)?.see_through(at)?;
        // While a type is looked at, it holds itself, which none does.
        match self.zeros.insert((object, at), Zeros::Invalid) {
            Some(known) => {
                self.zeros.insert((object, at), known);
                Ok(known)
            }
            None if depth > NESTING_LIMIT => Ok(Zeros::Invalid),
            None => {
                let found = self.look_for_zeros(object, at, depth)?;
                self.zeros.insert((object, at), found);
                Ok(found)
            }
        }
    }

    fn look_for_zeros(&mut self, object: usize, at: At, depth: u32) -> Mapped<Zeros> {
        let view = self.view(object)?;
        let valid = |is: bool| Ok(if is { Zeros::Valid } else { Zeros::Invalid });
        let die = view.debug.die(at)?;
        match view.shape(at)? {
            Shape::Nothing | Shape::Scalar(_) => valid(true),
            Shape::Pointer { nullable, .. } | Shape::Function { nullable, .. } => valid(nullable),
            Shape::Array { len: 0, .. } => valid(true),
            Shape::Array { elem, .. } => self.zeros(object, elem, depth + 1),
            Shape::Enum => {
                let values = view.debug.children(at)?;
                valid(
                    values
                        .iter()
                        .any(|v| discriminant(v, dw::DW_AT_const_value, Int::I64) == Some(0)),
                )
            }
            Shape::Struct => {
                let fields = view.debug.children(at)?;
                self.fields(object, &die, &fields, depth)
            }
            Shape::Union => self.laid_out(&view, &die),
            Shape::Sum => match first_variant(&view, &die)? {
                Some(variant) => {
                    let fields = view.debug.children(variant)?;
                    self.fields(object, &die, &fields, depth)
                }
                None => valid(false),
            },
            Shape::Str | Shape::Slice { .. } | Shape::Foreign(_) => valid(false),
        }
    }

    /// Zeros in all fields of a type.
    fn fields(
        &mut self,
        object: usize,
        of: &Die<'a>,
        fields: &[Die<'a>],
        depth: u32,
    ) -> Mapped<Zeros> {
        let view = self.view(object)?;
        let mut zeros = self.laid_out(&view, of)?;
        for field in fields.iter().filter(|f| f.tag() == dw::DW_TAG_member) {
            if zeros == Zeros::Invalid {
                break;
            }
            let ty = view.debug.ty(field)?.ok_or(gimli::Error::MissingUnitDie)?;
            zeros = zeros.min(self.zeros(object, ty, depth + 1)?);
        }
        Ok(zeros)
    }

    /// Whether a type is for others to lay out.
    fn laid_out(&mut self, view: &View<'d, 'a>, die: &Die<'a>) -> Mapped<Zeros> {
        let name = view.debug.name(die)?.unwrap_or_default();
        if die.flag(dw::DW_AT_declaration) || is_std(&view.scan.path(die.at, &name)) {
            return Ok(Zeros::Invalid);
        }
        let item = self.item(view, die, None)?;
        Ok(match item.map(|item| item.kind) {
            Some(ItemKind::Type {
                repr: Some(Repr::Rust),
                ..
            }) => Zeros::Invalid,
            Some(ItemKind::Type { repr: Some(_), .. }) => Zeros::Valid,
            _ => Zeros::Unsure,
        })
    }
}

/// The fields of the variant whose tag is 0, of an enum with fields.
fn first_variant<'a>(view: &View<'_, 'a>, die: &Die<'a>) -> Mapped<Option<At>> {
    for part in view.debug.children(die.at)? {
        if part.tag() != dw::DW_TAG_variant_part {
            continue;
        }
        for variant in view.debug.children(part.at)? {
            if variant.udata(dw::DW_AT_discr_value) != Some(0) {
                continue;
            }
            let members = view.debug.children(variant.at)?;
            let member = members.iter().find(|m| m.tag() == dw::DW_TAG_member);
            return Ok(member.map(|m| view.debug.ty(m)).transpose()?.flatten());
        }
    }
    Ok(None)
}
