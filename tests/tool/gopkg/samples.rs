//! APIs of every kind.

use rsyso::internals::model::*;

use super::build::*;
use super::kept_samples::keeps;
use super::sum_samples::sums;

/// All of them, with the names of their packages.
pub fn all() -> [(&'static str, Sample); 7] {
    [
        ("text", text()),
        ("shapes", shapes()),
        ("results", results()),
        ("handles", handles()),
        ("calls", calls()),
        ("keeps", keeps()),
        ("sums", sums()),
    ]
}

/// Functions of scalars, strings and slices, with docs.
pub fn text() -> Sample {
    Sample {
        doc: "Words and numbers, with [links](https://example.org).\n\n# Notes\n\nA second paragraph.".into(),
        ..text_functions()
    }
}

fn text_functions() -> Sample {
    let u8s = || slice(int(Int::U8));
    api(
        vec![
            function("count_words", &[("text", Type::Str)], Some(int(Int::Usize))).doc(
                "Counts the words in `text`, as [`str::split_whitespace`] does\n\n# Examples\n\n```\nlet n = count_words(\"a b\");\nassert_eq!(n, 2);\n```\n\nSee [UAX #29](https://unicode.org/reports/tr29/) for\nwhat a word is *really*.\n\n- one item\n- another, which goes on\n  over two lines\n  - nested\n\n1. first\n2. second",
            ),
            function("wait_for", &[("event", Type::Str), ("ms", int(Int::U32))], Some(Type::Bool)),
            function(
                "parse_url",
                &[("url", Type::Str), ("user_id", int(Int::U32)), ("type", Type::Bool)],
                Some(Type::Bool),
            ),
            function("sum", &[("r#in", slice(Type::F64))], Some(Type::F64)),
            function("trusted", &[("text", Type::Str), ("c", Type::Char)], None),
            function("fill", &[("out", slice_mut(int(Int::U8))), ("value", int(Int::U8))], None),
            function("trim", &[("s", Type::Str)], Some(Type::Str)),
            function("find", &[("hay", u8s()), ("needle", u8s())], Some(u8s())),
            function("upper", &[("c", Type::Char)], Some(Type::Char)),
            function("tick", &[], None),
            function(
                "scalars",
                &[
                    ("a", int(Int::I8)),
                    ("b", int(Int::I16)),
                    ("c", int(Int::U16)),
                    ("d", int(Int::I64)),
                    ("e", int(Int::Isize)),
                    ("f", Type::F32),
                    ("panic", int(Int::U64)),
                    ("string", Type::Str),
                    ("a_b", int(Int::I32)),
                    ("aB", int(Int::I32)),
                    ("_", int(Int::I32)),
                ],
                Some(int(Int::Usize)),
            ),
        ],
        vec![],
    ).blocks("wait_for").trusts("trusted")
}

/// Functions that take functions.
pub fn calls() -> Sample {
    let user = || void(PointerKind::Mut);
    let with =
        |params: Vec<Type>, result: Option<Type>, user: Option<usize>, nullable| Type::Callback {
            alias: String::new(),
            params,
            names: Vec::new(),
            result: result.map(Box::new),
            user: user.map(UserData::behind),
            nullable,
        };
    let visit = with(vec![named(0), user()], Some(Type::Bool), Some(1), false);
    let less = with(vec![named(0), named(0)], Some(Type::Bool), None, false);
    let pick = with(
        vec![],
        Some(pointer(PointerKind::Ref, named(0))),
        None,
        false,
    );
    let log = with(vec![user(), Type::Str], None, Some(0), true);
    api(
        vec![
            function(
                "each",
                &[("points", slice(named(0))), ("visit", visit)],
                None,
            )
            .doc("Visits all points until `visit` says no."),
            function(
                "sort",
                &[
                    ("args", slice_mut(named(0))),
                    ("less", less),
                    ("c", log.clone()),
                ],
                Some(int(Int::Usize)),
            ),
            function("twice", &[("f", callback(vec![]))], None),
            function("choose", &[("pick", pick)], Some(named(0))),
            function("wait", &[("log", log)], Some(Type::Bool)),
        ],
        vec![structure(
            "Point",
            16,
            8,
            vec![field("x", Type::F64, 0), field("y", Type::F64, 8)],
        )],
    )
    .blocks("wait")
}

/// Functions of structs, enums, pointers and opaque types.
pub fn shapes() -> Sample {
    use PointerKind::{Const, Mut, Ref, RefMut};
    let types = vec![
        structure(
            "Point",
            16,
            8,
            vec![
                field("x", Type::F64, 0).doc("To the right."),
                field("y", Type::F64, 8),
            ],
        ),
        structure(
            "Holes",
            40,
            8,
            vec![
                field("tag", int(Int::U8), 0),
                field("count", int(Int::U32), 4),
                field("a_long_name", int(Int::U16), 8).doc("Alone.\n\nWith a second paragraph."),
                field("at", named(0), 16),
                field("mode", named(2), 32),
            ],
        ),
        enumeration(
            "Mode",
            Int::U8,
            &[
                ("Fast", 0),
                ("VERY_SLOW", 7),
                ("r#type", 255),
                ("Last", 255),
            ],
        ),
        opaque("Parser"),
        structure(
            "Node",
            32,
            8,
            vec![
                field("next", pointer(Mut, named(4)), 0),
                field("data", void(Const), 8),
                field("bytes", array(int(Int::U8), 13), 16),
            ],
        ),
        structure("Pair<u32>", 8, 8, vec![field("0", int(Int::U32), 0)]),
        enumeration("Big", Int::Usize, &[("Low", 1), ("High", 1 << 40)]),
        enumeration("Signed", Int::Isize, &[("Minus", -1), ("Plus", 1)]),
        structure("Empty", 0, 1, vec![]),
        structure("Unused", 1, 1, vec![field("callback", callback(vec![]), 0)]),
        sized("Either", 12, 4),
        structure(
            "Tail",
            16,
            8,
            vec![field("a", Type::F64, 0), field("b", int(Int::U32), 8)],
        ),
        structure(
            "Nest",
            64,
            8,
            vec![
                field("tail", named(11), 0),
                field("after", int(Int::U32), 16),
                field("tails", array(named(11), 2), 24),
                field("last", int(Int::U16), 56),
            ],
        ),
    ];
    api(
        vec![
            function(
                "shapes_area",
                &[("p", named(0)), ("h", named(1))],
                Some(Type::F64),
            ),
            function(
                "shapes_mid",
                &[("a", pointer(Ref, named(0)))],
                Some(named(0)),
            ),
            function(
                "shapes_new",
                &[("mode", named(2))],
                Some(pointer(Mut, named(3))),
            ),
            function(
                "shapes_feed",
                &[("p", pointer(RefMut, named(3))), ("s", Type::Str)],
                None,
            ),
            function("shapes_free", &[("p", pointer(Mut, named(3)))], None),
            function("shapes_walk", &[("n", pointer(Ref, named(4)))], None),
            function("shapes_pair", &[("p", named(5))], Some(named(5))),
            function("shapes_set_big", &[("b", named(6)), ("s", named(7))], None),
            function("shapes_void", &[("p", void(Mut))], Some(void(Const))),
            function(
                "shapes_points",
                &[("ps", slice(named(0)))],
                Some(int(Int::I32)),
            ),
            function(
                "shapes_matrix",
                &[("m", pointer(Ref, array(array(Type::F32, 4), 4)))],
                None,
            ),
            function(
                "shapes_nearest",
                &[
                    ("to", other(Ref, named(0))),
                    ("among", other(Mut, named(0))),
                    ("data", other(Mut, Type::Bool)),
                ],
                Some(pointer(Ref, named(0))),
            )
            .doc("The point that is nearest to another, or to the origin."),
            function(
                "shapes_fill",
                &[
                    ("out", pointer(Mut, named(10))),
                    ("all", pair(named(10), true, Int::U32)),
                    ("label", Type::Text { length: Int::I32 }),
                ],
                None,
            ),
            function(
                "shapes_last",
                &[("n", int(Int::U32)), ("tails", named(11))],
                Some(named(11)),
            ),
            function("shapes_walk_in", &[("n", pointer(Ref, named(12)))], None),
            function("shapes_nothing", &[("e", pointer(Ref, named(8)))], None),
            function(
                "shapes_out",
                &[("o", pointer(RefMut, pointer(Ref, named(0))))],
                None,
            ),
        ],
        types,
    )
}

/// Functions that give memory of the library's, and errors.
pub fn results() -> Sample {
    let bytes = || Type::Owned {
        elem: Box::new(int(Int::U8)),
    };
    let fallible = |value: Option<Type>| Type::Fallible {
        value: value.map(Box::new),
    };
    let word = |symbol: &str, ty: Type| function(symbol, &[("text", Type::Str)], Some(ty));
    let point = structure(
        "Point",
        16,
        8,
        vec![field("x", Type::F64, 0), field("y", Type::F64, 8)],
    );
    let matrix = structure(
        "Matrix",
        512,
        8,
        vec![field("rows", array(Type::F64, 64), 0)],
    );
    let points = Type::Owned {
        elem: Box::new(named(0)),
    };
    api(
        vec![
            word("unhex", fallible(Some(bytes()))).doc("Reads hexadecimal digits."),
            word("compress", bytes()),
            word("shout", Type::OwnedStr).doc("In upper case."),
            word("read_points", fallible(Some(points))),
            word("measure", fallible(Some(Type::F64))),
            word("check", fallible(None)),
            // Names that the bodies have other uses for.
            function(
                "text",
                &[("result", named(1)), ("rsyso_text", Type::Bool)],
                Some(fallible(Some(Type::OwnedStr))),
            ),
            function(
                "free",
                &[("result", slice(int(Int::U8)))],
                Some(fallible(Some(named(0)))),
            ),
            word("fetch", fallible(Some(bytes()))),
        ],
        vec![point, matrix],
    )
    .blocks("fetch")
}

/// Handle types, with all that their functions can do.
pub fn handles() -> Sample {
    use PointerKind::{Box as Owner, Const, Mut, Ref, RefMut};
    let fallible = |value: Type| Type::Fallible {
        value: Some(Box::new(value)),
    };
    let parser = |kind| pointer(kind, named(0));
    let node = |kind| pointer(kind, named(1));
    let list = structure(
        "Siblings",
        16,
        8,
        vec![
            field("first", node(Mut), 0),
            field("len", int(Int::Usize), 8),
        ],
    );
    let mut types = vec![opaque("HttpParser"), opaque("Node"), list, opaque("Plain")];
    types[0].doc = "Reads documents. It is for one goroutine at a time.".into();
    api(
        vec![
            function("http_parser_new", &[], Some(parser(Owner)))
                .doc("Makes a parser.\n\n# Panics\n\nNot by itself."),
            function(
                "http_parser_new_with_limit",
                &[("limit", int(Int::Usize))],
                Some(fallible(parser(Owner))),
            ),
            function("http_parser_free", &[("parser", parser(Owner))], None).doc("Ends it."),
            function(
                "http_parser_len",
                &[("parser", parser(Ref))],
                Some(int(Int::Usize)),
            )
            .doc("How much was read."),
            function(
                "http_parser_feed",
                &[("parser", parser(RefMut)), ("data", slice(int(Int::U8)))],
                Some(fallible(Type::Bool)),
            ),
            function(
                "http_parser_text",
                &[("parser", parser(Ref))],
                Some(Type::Str),
            ),
            function(
                "http_parser_rest",
                &[("parser", parser(Ref))],
                Some(slice(int(Int::U8))),
            ),
            function(
                "http_parser_finish",
                &[("parser", parser(Owner))],
                Some(node(Owner)),
            ),
            function(
                "http_parser_root",
                &[("parser", parser(Ref))],
                Some(node(Ref)),
            ),
            function("http_parser_close", &[("parser", parser(RefMut))], None),
            function(
                "http_parser_merge",
                &[
                    ("into", parser(RefMut)),
                    ("from", parser(Owner)),
                    ("deep", Type::Bool),
                ],
                None,
            ),
            function(
                "http_parser_wait",
                &[("parser", parser(RefMut)), ("result", Type::Str)],
                Some(Type::Str),
            ),
            function(
                "http_parser_each",
                &[
                    ("parser", parser(Ref)),
                    (
                        "visit",
                        Type::Callback {
                            alias: String::new(),
                            params: vec![node(Ref), void(Mut)],
                            names: vec!["node".into(), "user".into()],
                            result: Some(Box::new(Type::Bool)),
                            user: Some(UserData::behind(1)),
                            nullable: false,
                        },
                    ),
                ],
                Some(int(Int::Usize)),
            ),
            function(
                "count_all",
                &[("parser", parser(Const)), ("deep", Type::Bool)],
                Some(int(Int::U64)),
            ),
            function("node_new", &[("name", Type::Str)], Some(node(Mut))),
            function("node_free", &[("node", node(Mut))], None),
            function(
                "node_parent",
                &[("node", node(Const)), ("of", node(Const))],
                Some(node(Const)),
            ),
            function(
                "node_put",
                &[
                    ("under", other(Mut, named(1))),
                    ("before", other(Ref, named(1))),
                    ("node", other(Owner, named(1))),
                ],
                None,
            )
            .doc("Puts a node under another, before one of its children."),
            function("node_list", &[("node", node(Const))], Some(named(2))),
            function("plain_new", &[], Some(pointer(Mut, named(3)))),
            function("new_node", &[], Some(named(2))),
        ],
        types,
    )
    .blocks("http_parser_wait")
    .blocks("node_free")
}
