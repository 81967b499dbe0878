//! Enums whose layout Rust promises although they have no tag of their own, and types that no value is of.

use gimli::constants as dw;

use super::dwarf::{At, Die};
use super::shape::{Shape, View, is_member};
use crate::model::Type;

impl<'a> View<'_, 'a> {
    /// What an `Option` or a `Result` with a niche stands for: a pointer that may be null, or a number that may be 0 (std, `option` and `result`,
    /// "Representation"). The other variant of a `Result` holds nothing.
    pub(super) fn option(
        &self,
        die: &Die<'a>,
        variants: &Die<'a>,
        depth: u32,
    ) -> gimli::Result<Option<Shape>> {
        let mut found = None;
        for variant in self.debug.children(variants.at)? {
            for member in self.debug.children(variant.at)? {
                let Some(payload) = self.debug.ty(&member)? else {
                    return Ok(None);
                };
                for field in self.debug.children(payload)? {
                    let Some(inner) = self.debug.ty(&field)?.filter(|_| is_member(&field)) else {
                        continue;
                    };
                    if self.is_unit(inner)? {
                        continue;
                    }
                    if found.replace(inner).is_some() {
                        return Ok(None);
                    }
                }
            }
        }
        match found {
            Some(inner) if self.size(inner)? == die.udata(dw::DW_AT_byte_size) => {
                self.with_niche(inner, depth)
            }
            _ => Ok(None),
        }
    }

    /// Whether a type is `()`, or a struct without fields that nothing aligns.
    fn is_unit(&self, at: At) -> gimli::Result<bool> {
        let die = self.debug.die(at)?;
        let empty = die.udata(dw::DW_AT_byte_size) == Some(0)
            && die.udata(dw::DW_AT_alignment).unwrap_or(1) == 1;
        Ok(empty
            && match die.tag() {
                dw::DW_TAG_base_type => self.debug.name(&die)?.as_deref() == Some("()"),
                dw::DW_TAG_structure_type => self.debug.children(at)?.is_empty(),
                _ => false,
            })
    }

    /// Whether no value of a type can be: `!`, and enums without variants, which have no bytes.
    pub fn is_never(&self, at: At) -> gimli::Result<bool> {
        let die = self.debug.die(at)?;
        Ok(match die.tag() {
            dw::DW_TAG_base_type => self.debug.name(&die)?.as_deref() == Some("!"),
            dw::DW_TAG_structure_type => {
                let mut parts = self.debug.children(at)?.into_iter();
                match parts.find(|p| p.tag() == dw::DW_TAG_variant_part) {
                    Some(variants) => self.debug.children(variants.at)?.is_empty(),
                    None => false,
                }
            }
            _ => false,
        })
    }

    fn with_niche(&self, inner: At, depth: u32) -> gimli::Result<Option<Shape>> {
        let die = self.debug.die(inner)?;
        if let Some(scalar) = self.non_zero(&die, depth)? {
            return Ok(Some(scalar));
        }
        let has_niche = match die.tag() {
            dw::DW_TAG_pointer_type => true,
            _ => self
                .scan
                .path(inner, &self.debug.name(&die)?.unwrap_or_default())
                .join("::")
                .starts_with("core::ptr::non_null::NonNull<"),
        };
        if !has_niche {
            return Ok(None);
        }
        let mut shape = self.shape_within(inner, depth)?;
        if let Shape::Function { nullable, .. } | Shape::Pointer { nullable, .. } = &mut shape {
            *nullable = true;
        }
        Ok(Some(shape))
    }

    /// The integer inside `NonZero<T>`.
    fn non_zero(&self, die: &Die<'a>, depth: u32) -> gimli::Result<Option<Shape>> {
        let name = self.debug.name(die)?.unwrap_or_default();
        if !self
            .scan
            .path(die.at, &name)
            .join("::")
            .starts_with("core::num::nonzero::NonZero<")
        {
            return Ok(None);
        }
        for child in self.debug.children(die.at)? {
            if child.tag() == dw::DW_TAG_template_type_parameter
                && let Some(ty) = self.debug.ty(&child)?
                && let Shape::Scalar(ty @ Type::Int(_)) = self.shape_within(ty, depth)?
            {
                return Ok(Some(Shape::Scalar(ty)));
            }
        }
        Ok(None)
    }
}
