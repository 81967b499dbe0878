//! An API of Go functions that the library keeps.

use rsyso::internals::model::*;

use super::build::*;

/// A library that keeps functions, and what becomes of its other functions.
pub fn keeps() -> Sample {
    let user = || void(PointerKind::Mut);
    let with = |params: Vec<Type>, result: Option<Type>, user, nullable| Type::Callback {
        alias: String::new(),
        params,
        names: Vec::new(),
        result: result.map(Box::new),
        user: Some(UserData::behind(user)),
        nullable,
    };
    let pooled = |params, result: Option<Type>, nullable| Type::Callback {
        alias: String::new(),
        params,
        names: Vec::new(),
        result: result.map(Box::new),
        user: None,
        nullable,
    };
    let called = |mut ty: Type, name: &str| {
        if let Type::Callback { alias, .. } = &mut ty {
            *alias = name.to_owned();
        }
        ty
    };
    let fold = || {
        called(
            pooled(vec![Type::F64, Type::F64], Some(Type::F64), true),
            "fold_fn",
        )
    };
    let line = with(vec![Type::Str, user()], Some(named(1)), 1, false);
    let end = with(vec![user()], None, 0, true);
    let visit = with(vec![named(0), user()], Some(Type::Bool), 1, false);
    api(
        vec![
            function("listen", &[("line", line.clone()), ("end", end)], None)
                .doc("Has `line` called with each line."),
            function("count", &[("text", Type::Str)], Some(int(Int::Usize))),
            function(
                "middle",
                &[("a", named(0)), ("b", named(0))],
                Some(named(0)),
            ),
            function("each", &[("visit", visit)], None),
            function("wait", &[("ms", int(Int::U32))], Some(Type::Bool)),
            // As C has it: the destroy function stands behind the user data.
            function(
                "watch",
                &[
                    ("line", line.clone()),
                    ("line_free", callback(vec![user()])),
                ],
                None,
            ),
            function("reduce", &[("first", fold()), ("then", fold())], None),
            function(
                "walk",
                &[("with", pointer(PointerKind::Ref, named(2)))],
                Some(int(Int::U32)),
            ),
        ],
        vec![
            structure(
                "Point",
                16,
                8,
                vec![field("x", Type::F64, 0), field("y", Type::F64, 8)],
            ),
            enumeration("Next", Int::U8, &[("Continue", 0), ("Stop", 1)]),
            structure(
                "Visitor",
                40,
                8,
                vec![
                    field("state", user(), 0),
                    field(
                        "visit",
                        pooled(vec![user(), named(0)], Some(named(1)), false),
                        8,
                    )
                    .doc("Called for each point."),
                    field("ends", array(pooled(vec![user()], None, true), 2), 16),
                    field("fold", fold(), 32),
                ],
            ),
        ],
    )
    .blocks("wait")
    .keeps("listen")
    .keeps("reduce")
    .destroys("watch")
}
