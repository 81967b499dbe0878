//! What a value travels in, by the fields that lie in it (AAPCS64 6.8.2, "Parameter passing rules", stages B and C).

use crate::arch::passing::{self, Value};

/// The most members of a struct that travels in vector registers (AAPCS64 5.9.5, "Homogeneous aggregates").
const MAX_MEMBERS: u64 = 4;

/// The kind of register that a part of a value travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    General,
    Vector,
}

/// What travels in one register.
pub(super) type Part = passing::Part<Class>;

/// How one type travels: in registers, all of one class, or as the address of a copy in memory.
pub(super) type Shape = passing::Shape<Class>;

/// What a value travels in.
pub(super) fn shape(value: &Value) -> Result<Shape, String> {
    if value.size == 0 {
        return Ok(Shape::Nothing);
    }
    if value.leaves.is_empty() {
        return Err("a struct with a layout that is not understood: pass a pointer to it".into());
    }
    if let Some(member) = homogeneous(value) {
        let part = |at: u64| Part {
            at,
            size: member,
            class: Class::Vector,
            signed: false,
        };
        let members = (0..value.size).step_by(member as usize);
        return Ok(Shape::Parts(members.map(part).collect()));
    }
    if value.size > 16 {
        return Ok(Shape::Memory);
    }
    let part = |at: u64| Part {
        at,
        size: (value.size - at).min(8),
        class: Class::General,
        signed: value.is_signed(),
    };
    Ok(Shape::Parts((0..value.size).step_by(8).map(part).collect()))
}

/// The size of a member, if the value is a homogeneous aggregate: up to four floating-point numbers of one size, without padding.
fn homogeneous(value: &Value) -> Option<u64> {
    let member = value.leaves.first()?.size;
    let alike = |leaf: &passing::Leaf| leaf.float && leaf.size == member;
    let there = |at| value.leaves.iter().any(|leaf| leaf.at == at);
    let whole = member > 0
        && value.size.is_multiple_of(member)
        && value.size / member <= MAX_MEMBERS
        && value.leaves.iter().all(alike)
        && (0..value.size).step_by(member as usize).all(there);
    whole.then_some(member)
}
