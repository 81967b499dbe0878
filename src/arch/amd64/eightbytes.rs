//! The classes of the eightbytes of a value (psABI 3.2.3): what it travels in, by the fields that lie in it.

use crate::arch::passing::{self, Value};

/// The kind of register that an eightbyte travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Sse,
}

/// An eightbyte.
pub(super) type Part = passing::Part<Class>;

/// How one type travels: in one or two eightbytes, or in memory, which is a copy on the stack.
pub(super) type Shape = passing::Shape<Class>;

/// What a value travels in.
pub(super) fn shape(value: &Value) -> Result<Shape, String> {
    if value.size == 0 {
        return Ok(Shape::Nothing);
    }
    // psABI: "If an object [...] has unaligned fields, it has class MEMORY."
    if value.size > 16 || value.unaligned {
        return Ok(Shape::Memory);
    }
    // The classes of all fields that lie in an eightbyte are merged, those of a union's too: INTEGER wins over SSE.
    let class = |at: u64| {
        let inside = value.leaves.iter().filter(|leaf| leaf.at / 8 == at / 8);
        inside
            .map(|leaf| match leaf.float {
                true => Class::Sse,
                false => Class::Integer,
            })
            .reduce(|one, other| match (one, other) {
                (Class::Sse, Class::Sse) => Class::Sse,
                _ => Class::Integer,
            })
    };
    let part = |at: u64| {
        let size = (value.size - at).min(8);
        match class(at) {
            Some(class) if class == Class::Integer || size == 4 || size == 8 => Ok(Part {
                at,
                size,
                class,
                signed: value.is_signed(),
            }),
            // No class: an eightbyte of padding only. An SSE one of another size: a packed struct that no compiler makes.
            _ => Err("a struct with a layout that is not understood: pass a pointer to it".into()),
        }
    };
    let parts: Result<_, String> = (0..value.size).step_by(8).map(part).collect();
    parts.map(Shape::Parts)
}
