//! Unions and tagged unions.

use super::tests::good;
use crate::model::{Field, Int, Signatures, Type, TypeKind};

/// Names and offsets.
fn lie(fields: &[Field]) -> Vec<(&str, u64)> {
    fields.iter().map(|f| (f.name.as_str(), f.offset)).collect()
}

/// The type of this name.
#[track_caller]
fn kind<'a>(api: &'a Signatures, name: &str) -> &'a TypeKind {
    let mut types = api.types.iter();
    let def = types.find(|t| t.name == name);
    &def.unwrap_or_else(|| panic!("no {name} among {:?}", api.types))
        .kind
}

/// The tag of a tagged union, its variants with the places of their fields, its size and alignment.
type Sum<'a> = (Int, Vec<(&'a str, i128, Vec<(&'a str, u64)>)>, u64, u64);

#[track_caller]
fn sum<'a>(api: &'a Signatures, name: &str) -> Sum<'a> {
    let TypeKind::Sum {
        tag,
        variants,
        size,
        align,
    } = kind(api, name)
    else {
        panic!("{name} is {:?}", kind(api, name));
    };
    let variants = variants
        .iter()
        .map(|v| (v.name.as_str(), v.value, lie(&v.fields)));
    (*tag, variants.collect(), *size, *align)
}

#[test]
fn unions_are_their_fields() {
    let api = good(
        "typedef union bits { double real;\n/** As bytes. */\nuint8_t bytes[12]; void *at; } Bits; Bits f(Bits a, Bits *b);",
    );
    let TypeKind::Union {
        fields,
        size: 16,
        align: 8,
    } = kind(&api, "Bits")
    else {
        panic!("{:?}", api.types);
    };
    assert_eq!(lie(fields), [("real", 0), ("bytes", 0), ("at", 0)]);
    assert_eq!(fields[1].doc, "As bytes.");
    assert_eq!(
        api.functions[0].result,
        Some(api.functions[0].params[0].ty.clone())
    );
}

#[test]
fn types_without_a_tag_are_named_after_their_fields() {
    let api = good(
        "struct S { char kind; union { long i; double d; } of; struct { int x; } *far[2]; }; void f(struct S s);",
    );
    let TypeKind::Struct { fields, size, .. } = kind(&api, "S") else {
        panic!("{:?}", api.types);
    };
    assert_eq!(
        (lie(fields), *size),
        (vec![("kind", 0), ("of", 8), ("far", 16)], 32)
    );
    assert!(matches!(
        kind(&api, "S_of"),
        TypeKind::Union { size: 8, .. }
    ));
    assert!(matches!(
        kind(&api, "S_far"),
        TypeKind::Struct { size: 4, .. }
    ));
}

#[test]
fn fields_of_unnamed_structs_and_unions_are_fields() {
    let api =
        good("struct S { char a; struct { short b; char c; }; long d; }; void f(struct S s);");
    let TypeKind::Struct {
        fields, size: 16, ..
    } = kind(&api, "S")
    else {
        panic!("{:?}", api.types);
    };
    assert_eq!(lie(fields), [("a", 0), ("b", 2), ("c", 4), ("d", 8)]);
    let api = good(
        "union U { long a; union { int b; char c; }; struct { char d; int e; }; }; void f(union U u);",
    );
    let TypeKind::Union {
        fields, size: 8, ..
    } = kind(&api, "U")
    else {
        panic!("{:?}", api.types);
    };
    assert_eq!(
        lie(fields),
        [("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 4)]
    );
    // A struct's union stands for itself.
    let api = good(
        "struct S { int a; union { struct { short b; char c; }; char d[6]; }; }; void f(struct S s);",
    );
    let TypeKind::Struct {
        fields, size: 12, ..
    } = kind(&api, "S")
    else {
        panic!("{:?}", api.types);
    };
    assert_eq!(lie(fields), [("a", 0), ("anon", 4)]);
    let TypeKind::Union {
        fields,
        size: 6,
        align: 2,
    } = kind(&api, "S_anon")
    else {
        panic!("{:?}", api.types);
    };
    assert_eq!(lie(fields), [("b", 0), ("c", 2), ("d", 0)]);
}

#[test]
fn tagged_unions_as_cbindgen_writes_them() {
    // `repr(C)`.
    let api = good(
        "typedef enum Shape_Tag {
/** Round. */
Circle, Rect, Point } Shape_Tag;
         typedef struct Rect_Body { float w; double h; } Rect_Body;
         typedef struct Shape { Shape_Tag tag; union { struct { float circle; }; Rect_Body rect; }; } Shape;
         Shape f(Shape s);",
    );
    let rect = vec![("w", 8), ("h", 16)];
    let want = vec![
        ("Circle", 0, vec![("0", 8)]),
        ("Rect", 1, rect),
        ("Point", 2, vec![]),
    ];
    assert_eq!(sum(&api, "Shape"), (Int::U32, want, 24, 8));
    let TypeKind::Sum { variants, .. } = kind(&api, "Shape") else {
        unreachable!();
    };
    assert_eq!(variants[0].doc, "Round.");
    // `repr(u8)`: the tag is in each variant.
    let api = good(
        "enum Small_Tag { FLAG = 3, Modes_Of = 200 }; typedef uint8_t Small_Tag;
         typedef struct { Small_Tag tag; bool _0; uint16_t _1; } Flag_Body;
         typedef union Small { Small_Tag tag; Flag_Body flag; struct { Small_Tag modes_of_tag; uint32_t modes_of; }; } Small;
         void f(Small s);",
    );
    let flag = vec![("0", 1), ("1", 2)];
    let want = vec![("FLAG", 3, flag), ("Modes_Of", 200, vec![("0", 4)])];
    assert_eq!(sum(&api, "Small"), (Int::U8, want, 8, 4));
    // Of a type with parameters, with the names of variants after the type.
    for [variant, title] in [
        ["Maybe_Bytes_Just_Bytes", "Maybe_Bytes"],
        ["JustOfBytes", "MaybeOfBytes"],
    ] {
        let other = variant.replace("Just", "Nothing");
        let api = good(&format!(
            "struct Bytes {{ const char *at; size_t len; }};
             enum {title}_Tag {{ {other}, {variant} }}; typedef size_t {title}_Tag;
             typedef struct {title} {{ {title}_Tag tag; union {{ struct {{ struct Bytes just; }}; }}; }} {title};
             void f({title} *m);"
        ));
        let want = vec![("Nothing", 0, vec![]), ("Just", 1, vec![("0", 8)])];
        assert_eq!(sum(&api, title), (Int::Usize, want, 24, 8));
        let TypeKind::Sum { variants, .. } = kind(&api, title) else {
            unreachable!();
        };
        assert!(matches!(variants[1].fields[0].ty, Type::Named(_)));
    }
}

#[test]
fn other_unions_beside_an_enum_are_unions() {
    for declared in [
        // Which number stands for which field?
        "struct S { enum E tag; union { struct { int first; }; struct { int other; }; }; };",
        "struct S { enum E tag; union { struct { int first; }; struct { int first_; }; }; };",
        "struct S { enum E kind; union { struct { int first; }; }; };",
        "struct S { enum E tag; union { int first; double last; } of; };",
        "struct S { enum E tag; union { int first; double last; }; };",
        "struct S { enum E tag; union { struct { int first; }; }; int more; };",
        "struct S { uint8_t tag; union { struct { int first; }; }; };",
    ] {
        let api = good(&format!(
            "enum E {{ First, Last }}; {declared} void f(struct S s);"
        ));
        assert!(
            matches!(kind(&api, "S"), TypeKind::Struct { .. }),
            "{declared}"
        );
        let mut types = api.types.iter();
        assert!(
            types.any(|t| matches!(t.kind, TypeKind::Union { .. })),
            "{declared}"
        );
    }
}
