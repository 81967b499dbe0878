//! Headers that are not cbindgen's own, and what is said of those that cannot be read.

use super::*;
use crate::model::{Int, PointerKind, Type, TypeKind};

/// The API of all functions that a header declares.
fn api(text: &str) -> Result<Signatures> {
    let headers = Headers::read(&[("foo.h".into(), text.as_bytes().to_vec())])?;
    let all = headers.declared.functions.keys();
    let all = all.map(|symbol| Undescribed {
        symbol: symbol.clone(),
        foreign: true,
        size: None,
    });
    let all: Vec<_> = all.collect();
    headers.complete(Signatures::default(), &all)
}

#[track_caller]
pub(super) fn good(text: &str) -> Signatures {
    api(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Parameter types and the result of the only function.
#[track_caller]
fn only(text: &str) -> (Vec<Type>, Option<Type>) {
    let api = good(text);
    let [f] = &api.functions[..] else {
        panic!("{:?}", api.functions)
    };
    (
        f.params.iter().map(|p| p.ty.clone()).collect(),
        f.result.clone(),
    )
}

/// Problems without their help.
#[track_caller]
fn said(text: &str) -> Vec<String> {
    let problems = api(text).expect_err(text).problems;
    let short = |p: Problem| {
        let place = p.place.unwrap_or_default();
        let notes: String = p.notes.iter().map(|n| format!("; {n}")).collect();
        assert!(
            p.help.is_some() || p.message.contains("twice") || p.message.contains("#endif"),
            "{}",
            p.message
        );
        format!("{place}: {}{notes}", p.message)
    };
    problems.into_iter().map(short).collect()
}

fn pointer(to: Option<Type>, kind: PointerKind) -> Type {
    Type::Pointer {
        to: to.map(Box::new),
        kind,
        nullable: true,
    }
}

const U8: Type = Type::Int(Int::U8);
const I32: Type = Type::Int(Int::I32);

#[test]
fn types_are_written_inside_out() {
    let (params, result) = only(
        "const char *const *f(const uint8_t (*a)[4], int b[], unsigned char c[2][3], void *d, const void **e);",
    );
    let i8 = Type::Int(Int::I8);
    let array = |elem: Type, len| Type::Array {
        elem: Box::new(elem),
        len,
    };
    assert_eq!(
        result,
        Some(pointer(
            Some(pointer(Some(i8), PointerKind::Const)),
            PointerKind::Const
        ))
    );
    assert_eq!(
        params,
        [
            pointer(Some(array(U8, 4)), PointerKind::Const),
            pointer(Some(I32), PointerKind::Mut),
            pointer(Some(array(U8, 3)), PointerKind::Mut),
            pointer(None, PointerKind::Mut),
            pointer(Some(pointer(None, PointerKind::Const)), PointerKind::Mut),
        ]
    );
}

#[test]
fn function_pointers_are_callbacks() {
    let want = |alias: &str, names: &[&str]| Type::Callback {
        alias: alias.into(),
        params: vec![I32, pointer(None, PointerKind::Mut)],
        names: names.iter().map(|name| name.to_string()).collect(),
        result: Some(Box::new(U8)),
        user: None,
        nullable: true,
    };
    let pointer = "typedef uint8_t (*call_t)(int x, void *user); void f(call_t call);";
    let function = "typedef uint8_t call_t(int, void *user); void f(call_t *call);";
    for (text, alias, names) in [
        ("void f(uint8_t (*call)(int, void *));", "", &[][..]),
        (pointer, "call_t", &["x", "user"]),
        (function, "call_t", &["", "user"]),
        ("void f(uint8_t call(int, void *));", "", &[]),
    ] {
        assert_eq!(only(text), (vec![want(alias, names)], None), "{text}");
    }
}

#[test]
fn decorations_and_conditions_are_understood() {
    let text = r#"
#pragma once
#ifndef FOO_H
#define FOO_H 1
/* #if in a comment */ // #else in one too
#if defined(_WIN32) || defined __CYGWIN__
#  define FOO_API __declspec(dllexport)
#elif __GNUC__ >= 4 && \
    !defined(__clang__)
#  define FOO_API __attribute__((visibility("default"))) extern
#else
#  define FOO_API
#endif
#ifndef FOO_CALL
#define FOO_CALL /* nothing */
#endif
#define FOO_DEPRECATED(why) __attribute__((deprecated(why)))
#define FOO_TEXT "FOO_API"
#define FOO_LEN (2 * FOO_HALF)
#define FOO_HALF 0x08u
#ifdef __cplusplus
extern "C" {
#endif
FOO_API FOO_DEPRECATED("old (really)") int FOO_CALL f(uint8_t (*a)[FOO_LEN]) __attribute__((nonnull(1)));
extern const int foo_version;
static inline int twice(int x) { return x * 2; }
_Static_assert(sizeof(int) == 4, "int");
#ifdef __cplusplus
}
#endif
#endif
"#;
    let array = Type::Array {
        elem: Box::new(U8),
        len: 16,
    };
    assert_eq!(
        only(text),
        (vec![pointer(Some(array), PointerKind::Mut)], Some(I32))
    );
    assert_eq!(only(&text.replace('\n', "\r\n")), only(text));
}

#[test]
fn preprocessed_headers_keep_their_places_and_lose_system_headers() {
    let text = "# 0 \"foo.h\"\n# 1 \"/usr/include/stdint.h\" 1 3 4\ntypedef __weird__ garbage here;\n# 12 \"foo.h\" 2\n\nint f(long double x);\n";
    assert_eq!(
        said(text),
        ["foo.h:13: `f`: parameter `x` is `long double`, which has no counterpart in Go"]
    );
}

#[test]
fn preprocessed_headers_keep_what_macros_of_system_headers_stand_for() {
    // As GCC writes `bool f(const bool *x);`.
    let text = "# 0 \"foo.h\"\n# 1 \"/usr/include/stdbool.h\" 1 3 4\n# 2 \"foo.h\" 2\n\n# 3 \"foo.h\" 3 4\n_Bool\n# 3 \"foo.h\"\n    f(const \n\
                # 3 \"foo.h\" 3 4\n_Bool\n# 3 \"foo.h\"\n    *x);\n";
    assert_eq!(only(text), only("bool f(const bool *x);"));
}

#[test]
fn enums_of_all_kinds() {
    let repr = |text: &str| {
        let api = good(text);
        let TypeKind::Enum { repr, variants } = &api.types[0].kind else {
            panic!("{:?}", api.types)
        };
        let values = variants
            .iter()
            .map(|v| (v.name.as_str().to_owned(), v.value));
        (*repr, values.collect::<Vec<_>>())
    };
    let want = |int, a, b| (int, vec![("A".to_owned(), a), ("B".to_owned(), b)]);
    assert_eq!(
        repr("enum E { A, B }; void f(enum E e);"),
        want(Int::U32, 0, 1)
    );
    assert_eq!(
        repr("typedef enum { A = -1, B } E; void f(E e);"),
        want(Int::I32, -1, 0)
    );
    assert_eq!(
        repr("enum E { A = 1 << 3, B = A | 1 }; typedef uint8_t E; void f(E e);"),
        want(Int::U8, 8, 9)
    );
    assert_eq!(
        repr("enum E : int16_t { A, B }; void f(enum E e);"),
        want(Int::I16, 0, 1)
    );
    assert_eq!(
        repr("typedef enum E { E_A, E_B = 'b' } E; void f(const E *e);"),
        want(Int::U32, 0, 98)
    );
}

#[test]
fn structs_have_the_layout_of_c() {
    let api = good(
        "typedef struct point_t { char a; double b, c[2]; void *d; } Point; void f(struct point_t p, Point *q);",
    );
    assert_eq!(api.types.len(), 1);
    assert_eq!(api.types[0].name, "Point");
    let api = good("struct S { uint8_t a; uint64_t none[0]; }; void f(struct S s);");
    assert!(
        matches!(&api.types[0].kind, TypeKind::Struct { fields, size: 8, align: 8 } if fields.len() == 1)
    );
}

/// Size and alignment of what Go cannot see into: the first parameter points to it.
fn opaque_layout(text: &str) -> Option<(u64, u64)> {
    let api = good(text);
    assert!(api.types[0].kind.is_opaque(), "{text}");
    api.types[0].kind.layout().map(|l| (l.size, l.align))
}

#[test]
fn opaque_types_have_their_size_where_it_is_known() {
    for (declared, want) in [
        (
            "struct S { char kind; union { void (*i)(long, ...); double d; } u; };",
            (16, 8),
        ),
        (
            "struct S { void (*a)(int, ...); union { struct { short b; char c; }; char d[6]; }; };",
            (16, 8),
        ),
        ("union S { char a[13]; void (*b)(int, ...); };", (16, 8)),
        (
            "enum E { A }; struct S { enum E e; void (*call)(int, ...); const char *s; union { int i; } u[3]; };",
            (40, 8),
        ),
        (
            "struct T { char a; void (*b)(long, ...); }; struct S { union { int i; } u; struct T t[2]; char last; };",
            (48, 8),
        ),
    ] {
        let text = format!("{declared} void f(S *s);").replace(
            "f(S *s)",
            if declared.starts_with("union") {
                "f(union S *s)"
            } else {
                "f(struct S *s)"
            },
        );
        assert_eq!(opaque_layout(&text), Some(want), "{text}");
    }
    for declared in [
        "struct S;",
        "struct S { unsigned a : 3; union { int i; } u; };",
        "struct S { union { int i __attribute__((aligned(16))); } u; };",
        "struct S { union { long double d; } u; };",
        "struct S { union { int i; } u; foo_t other; };",
        "struct S { union { int i; } u; int many[]; };",
        "struct S { union { int i; } u; struct S s; };",
    ] {
        assert_eq!(
            opaque_layout(&format!("{declared} void f(struct S *s);")),
            None,
            "{declared}"
        );
    }
    // As often as it is held: not looked at each time.
    let mut deep = String::from("struct S0 { void (*f)(int, ...); };");
    for n in 0..60 {
        deep += &format!("struct S{} {{ struct S{n} a, b; }};", n + 1);
    }
    assert_eq!(
        opaque_layout(&format!("{deep} void f(struct S60 *s);")),
        None
    );
}

#[test]
fn what_go_cannot_have_is_named() {
    for (text, want) in [
        (
            "union U { int a; long double d; }; void f(int a,\n union U b);",
            "foo.h:2: `f`: parameter `b` is `U`, whose field `d` is `long double`, which has no counterpart in Go",
        ),
        (
            "union U; void f(union U u);",
            "foo.h:1: `f`: parameter `u` is `U`, which is declared but not described",
        ),
        (
            "#pragma pack(1)\nunion U { char a; int b; }; void f(union U u);",
            "foo.h:2: `f`: parameter `u` is `U`, which is packed by `#pragma pack`",
        ),
        (
            "struct S { int a : 3; }; struct S f(void);",
            "foo.h:1: `f`: the result is `S`, which has the bit field `a`, which has no counterpart in Go",
        ),
        (
            "struct __attribute__((packed)) S { int a; }; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, which has the attribute `__attribute__((packed))`, which changes how it is laid out or passed",
        ),
        (
            "struct S { int a; _Alignas(16) int b; }; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, which has the attribute `_Alignas(16)`, which changes how it is laid out or passed",
        ),
        (
            "struct S; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, which is declared but not described",
        ),
        (
            "struct S { struct S s; }; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, whose field `s` holds itself (`S`)",
        ),
        (
            "struct S { int (*call)(void (*)(void)); }; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, whose field `call` is a function pointer, one of whose parts is a function pointer itself",
        ),
        (
            "struct S { int a[]; }; void f(struct S s);",
            "foo.h:1: `f`: parameter `s` is `S`, whose field `a` is an array whose length is not a number",
        ),
        (
            "void f(foo_t x);",
            "foo.h:1: `f`: parameter `x` is `foo_t`, which no header given declares",
        ),
        (
            "typedef a b; typedef b a; void f(a x);",
            "foo.h:1: `f`: parameter `x` is `a`, which no header given declares",
        ),
        (
            "int f(const char *format, ...);",
            "foo.h:1: `f`: its parameter list is variadic",
        ),
        (
            "void (*f(int x))(void);",
            "foo.h:1: `f`: the result is a function pointer, which Go cannot call",
        ),
        (
            "FOO(int) f(void);",
            "foo.h:1: `f`: the result is `FOO(int)`, which is not understood",
        ),
        (
            "int f(int); int f(long);",
            "foo.h:1: the function `f` is declared twice, and differently; first in foo.h:1",
        ),
    ] {
        assert_eq!(said(text), [want], "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_located_with_a_way_out() {
    for (text, want) in [
        (
            "int a(void);\nFOO_API int f(void);\n",
            "foo.h:2: `FOO_API int f(void);` cannot be read as a declaration of C; is `FOO_API` a macro? The header does not say what it stands for",
        ),
        (
            "int f(void)\n",
            "foo.h:1: `int f(void)` cannot be read as a declaration of C",
        ),
        (
            "class Foo { int a; };",
            "foo.h:1: `class Foo { int a; };` cannot be read as a declaration of C",
        ),
        (
            "#if defined(FOO_EXTRA)\nint f(void);\n#else\nint f(int a);\n#endif\n",
            "foo.h:1: a condition asks for `FOO_EXTRA`, and whether that is defined is not known",
        ),
        (
            "#if 1 +\n#endif\n",
            "foo.h:1: the condition `1 +` cannot be evaluated",
        ),
        (
            "int f(void);\n#ifdef __cplusplus\n",
            "foo.h:2: a condition without its `#endif`",
        ),
        ("#endif\n", "foo.h:1: `#endif` without its condition"),
        (
            "#if 0\n#else\n#elif 1\n#endif\n",
            "foo.h:3: `#elif` after `#else`",
        ),
        (
            "\n#error \"not here\"\n",
            "foo.h:2: the header stops here: #error \"not here\"",
        ),
        (
            "#pragma pack(none)\n",
            "foo.h:1: `#pragma pack(none)` cannot be read",
        ),
    ] {
        assert_eq!(said(text), [want], "{text}");
    }
    let not_text = Headers::read(&[("foo.h".into(), b"int a;\n\xff".to_vec())]).unwrap_err();
    assert_eq!(not_text.problems[0].place.as_deref(), Some("foo.h:2"));
}

#[test]
fn comments_of_all_styles_are_docs() {
    let doc = |text: &str| good(text).functions[0].doc.clone();
    for text in [
        "/** One.\n  *\n  *  Two. */\nint f(void);",
        "/**\n * One.\n *\n * Two.\n */\nint f(void);",
        "/*! One.\n\nTwo. */ int f(void);",
        "/// One.\n///\n/// Two.\nint f(void);",
    ] {
        let want = if text.contains("  Two") || text.contains("\nTwo") {
            2
        } else {
            3
        };
        assert_eq!(doc(text).lines().count(), 3, "{text}: {want}");
        assert!(
            doc(text).starts_with("One.") || doc(text).starts_with(" One."),
            "{text}"
        );
        assert!(doc(text).ends_with("Two."), "{text}");
    }
    for text in [
        "/* no doc */\nint f(void);",
        "/** far */\n\nint f(void);",
        "int x; /** of x */\nint f(void);",
        "/*** box ***/\nint f(void);",
        "/**/\nint f(void);",
        "//// no doc\nint f(void);",
    ] {
        assert_eq!(doc(text), "", "{text}");
    }
}

/// Nesting without end is refused, not followed.
#[test]
fn deep_headers_end() {
    for text in [
        format!("int {}f{}(void);", "(".repeat(20_000), ")".repeat(20_000)),
        format!("int {}f(void);", "*".repeat(20_000)),
        format!("int f(int a{});", "[1]".repeat(20_000)),
        format!(
            "int f({}int{});",
            "int (*a)(".repeat(2_000),
            ")".repeat(2_000)
        ),
        "struct { struct {".repeat(10_000),
        "#if 1\n".repeat(20_000),
        "/*".repeat(20_000),
        format!(
            "enum E {{ A = {}1 }}; void f(enum E e);",
            "(".repeat(20_000)
        ),
    ] {
        assert!(api(&text).is_err(), "{text:.30}");
    }
}

/// Time grows with the size, not with its square. It is the processor's: a busy machine does not count.
#[test]
fn large_headers_take_time_by_their_size() {
    let one = |n: u32| {
        format!(
            "# {n} \"foo.h\"\n/** Number {n}. */\ntypedef struct S{n} {{ int a; }} S{n};\nint f{n}(struct S{n} *s);\n"
        )
    };
    let time = |count: u32| {
        let text: String = (0..count).map(one).collect();
        let begin = processor_time();
        let api = good(&text);
        let time = processor_time() - begin;
        let count = count as usize;
        assert_eq!((api.functions.len(), api.types.len()), (count, count));
        assert_eq!(api.types[7].doc.lines().count(), 1);
        time
    };
    const TIMES: u32 = 10;
    let small = (0..3).map(|_| time(2_000)).min().expect("three");
    let large = time(2_000 * TIMES);
    // Ten times as much, and some for larger tables and colder caches; a hundred times would be the square.
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    assert!(ratio < f64::from(TIMES * 4), "{small:?}, {large:?}");
}

/// How long this thread has run (proc(5), `/proc/PID/schedstat`).
fn processor_time() -> std::time::Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    std::time::Duration::from_nanos(nanoseconds.expect("a number"))
}
