//! Function pointers.

use gimli::constants as dw;

use super::dwarf::At;
use super::shape::Shape;
use super::types::{Mapped, Mapper, Stop, Why, refuse};
use crate::model::Type;

impl Mapper<'_, '_> {
    /// One that is a parameter; `depth` counts the types that it is held in.
    pub(super) fn callback(
        &mut self,
        object: usize,
        to: At,
        nullable: bool,
        depth: u32,
    ) -> Mapped<Type> {
        let view = self.view(object)?;
        let part = |stop| match stop {
            Stop::Refused(why) => Stop::Refused(Why {
                reason: format!("is a function pointer, one of whose parts {}", why.reason),
                ..why
            }),
            damaged => damaged,
        };
        let mut params = Vec::new();
        for child in view.debug.children(to)? {
            match child.tag() {
                dw::DW_TAG_formal_parameter => {
                    let ty = view.debug.ty(&child)?.ok_or(gimli::Error::MissingUnitDie)?;
                    params.extend(self.plain_value(object, ty, depth).map_err(part)?);
                }
                dw::DW_TAG_unspecified_parameters => {
                    return refuse("is a variadic function pointer");
                }
                _ => {}
            }
        }
        let result = match view.debug.ty(&view.debug.die(to)?)? {
            Some(ty) => self
                .plain_value(object, ty, depth)
                .map_err(part)?
                .map(Box::new),
            None => None,
        };
        Ok(Type::Callback {
            alias: String::new(),
            params,
            names: Vec::new(),
            result,
            user: None,
            nullable,
        })
    }

    /// A value, but no function pointer: callbacks of callbacks would have no end.
    fn plain_value(&mut self, object: usize, at: At, depth: u32) -> Mapped<Option<Type>> {
        match self.view(object)?.shape(at)? {
            Shape::Function { .. } => refuse("is a function pointer itself"),
            _ => self.value_within(object, at, depth),
        }
    }

    /// One that is a field.
    pub(super) fn function_field(
        &mut self,
        object: usize,
        to: At,
        nullable: bool,
        depth: u32,
    ) -> Mapped<Type> {
        let callback = self.callback(object, to, nullable, depth)?;
        match &callback {
            Type::Callback {
                result: Some(r), ..
            } if matches!(**r, Type::Str | Type::Slice { .. }) => refuse(
                "is a function pointer that gives a string or slice, which Go could not keep alive",
            ),
            _ => Ok(callback),
        }
    }
}
