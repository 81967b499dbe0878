//! An API of sum types and unions.

use rsyso::internals::model::*;

use super::build::*;

/// Functions of enums with fields and of unions.
pub fn sums() -> Sample {
    use PointerKind::{Const, Mut, Ref, RefMut};
    let bytes = Type::Array {
        elem: Box::new(int(Int::U8)),
        len: 4,
    };
    let types = vec![
        sum(
            "Answer",
            Int::U32,
            vec![
                ("Number", vec![field("0", Type::F64, 8)]),
                (
                    "Failed",
                    vec![field("code", int(Int::U16), 4), field("ok", Type::Bool, 6)],
                ),
                ("text", vec![field("0", pointer(Const, int(Int::U8)), 8)]),
                (
                    "Mode",
                    vec![field("0", named(2), 4), field("1", named(2), 5)],
                ),
                ("Nothing", vec![]),
            ],
        ),
        union(
            "Bits",
            8,
            8,
            vec![
                field("real", Type::F64, 0).doc("As a number."),
                field("type", bytes, 0),
                field("at", pointer(Mut, named(0)), 0),
            ],
        ),
        enumeration("Mode", Int::U8, &[("Slow", 1), ("Fast", 2)]),
        structure(
            "Pair",
            24,
            8,
            vec![field("answer", named(0), 0), field("bits", named(1), 16)],
        ),
    ];
    api(
        vec![
            function("ask", &[("answer", named(0))], Some(named(0))),
            function(
                "flip",
                &[("bits", named(1)), ("to", pointer(RefMut, named(1)))],
                Some(named(1)),
            ),
            function(
                "pairs",
                &[("pairs", slice(named(3))), ("one", pointer(Ref, named(3)))],
                Some(named(3)),
            ),
        ],
        types,
    )
}
