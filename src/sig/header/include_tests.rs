//! Included files, given macros, packed parts, and the names of the system's types.

use std::fs;

use super::*;
use crate::model::{Int, Type};

/// Reads `main.h`, which lies with other files in a folder; the paths of `files` begin there.
fn open(files: &[(&str, &str)], change: impl FnOnce(&mut Options, &Path)) -> Result<Headers> {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("one")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let mut options = Options {
        files: vec![dir.path().join("main.h")],
        ..Options::default()
    };
    change(&mut options, dir.path());
    Headers::open(&options)
}

/// The parameter types of the function `f`.
fn parameters(headers: &Headers) -> Result<Vec<Type>> {
    let f = Undescribed {
        symbol: "f".into(),
        foreign: true,
        size: None,
    };
    let api = headers.complete(Signatures::default(), &[f])?;
    let [f] = &api.functions[..] else {
        panic!("{:?}", api.functions)
    };
    Ok(f.params.iter().map(|p| p.ty.clone()).collect())
}

#[track_caller]
fn message(found: Result<impl std::fmt::Debug>) -> String {
    found.expect_err("it is refused").to_string()
}

#[test]
fn quoted_includes_are_read_beside_the_header_and_where_told() {
    let files = [
        (
            "main.h",
            "#pragma once\n#include <stdint.h>\n#include \"sub/a.h\"\n#include <far/b.h>\nvoid f(a_t a, b_t b);\n",
        ),
        // The guard, a file beside this one, and back to the first.
        (
            "sub/a.h",
            "#ifndef A\n#define A\n#include \"c.h\"\n#include \"../main.h\"\ntypedef c_t a_t;\n#endif\n",
        ),
        ("sub/c.h", "#define C_T int8_t\ntypedef C_T c_t;\n"),
        ("inc/far/b.h", "typedef uint16_t b_t;\n"),
    ];
    let headers = open(&files, |o, dir| {
        o.include_dirs = vec![dir.join("inc")];
    });
    let want = [Type::Int(Int::I8), Type::Int(Int::U16)];
    assert_eq!(parameters(&headers.unwrap()), Ok(want.to_vec()));
}

#[test]
fn a_file_that_is_nowhere_is_told_where_it_is_missed() {
    let main = "#include \"conf.h\"\nvoid f(int a);\nvoid g(conf_t a);\n";
    let headers = open(&[("main.h", main)], |_, _| {}).unwrap();
    assert_eq!(parameters(&headers), Ok(vec![Type::Int(Int::I32)]));
    let main = main.replace("conf_t", "int").replace("int a", "conf_t a");
    let headers = open(&[("main.h", &main)], |_, _| {}).unwrap();
    let told = message(parameters(&headers));
    assert!(
        told.contains(
            "main.h:1 includes \"conf.h\", which is not beside it: give its folder with `-I`"
        ),
        "{told}"
    );
}

#[test]
fn places_are_those_of_the_included_file() {
    let files = [
        ("main.h", "#include \"a.h\"\nvoid f(void);\n"),
        ("a.h", "int a;\n\nint f(;\n"),
    ];
    let told = message(open(&files, |_, _| {}));
    assert!(told.contains("--> a.h:3"), "{told}");
    let files = [
        ("main.h", "\n#include \"a.h\"\n"),
        ("a.h", "#include \"main.h\"\n"),
    ];
    assert!(message(open(&files, |_, _| {})).contains("is included without end"));
}

/// Fields in a file of their own would be lost without a word.
#[test]
fn an_include_amid_a_declaration_is_refused() {
    for main in [
        "struct a {\n#include \"a.h\"\n};",
        "enum e {\n#include <e.h>\n};",
        "int\n#include \"a.h\"\n",
        "void g(int a,\n#include \"a.h\"\n);",
    ] {
        let files = [("main.h", main), ("a.h", "int x;\n")];
        let told = message(open(&files, |_, _| {}));
        assert!(
            told.contains("an `#include` in the middle of a declaration\n  --> main.h:2"),
            "{told}"
        );
    }
    let main = "#define BEGIN_C\nBEGIN_C\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n/* { */ // {\n#include \"a.h\"\nvoid f(x_t a);\n";
    let files = [("main.h", main), ("a.h", "typedef float x_t;\n")];
    assert_eq!(
        parameters(&open(&files, |_, _| {}).unwrap()),
        Ok(vec![Type::F32])
    );
}

#[test]
fn macros_are_given_as_to_a_compiler() {
    let main = "#if LEVEL > 2 && defined(NAMED)\nvoid f(int a);\n#elif defined(OTHER)\nvoid f(float a);\n#else\nvoid f(double a);\n#endif\n";
    let read = |defines: &[&str], undefines: &[&str]| {
        let headers = open(&[("main.h", main)], |o, _| {
            o.defines = defines.iter().map(|d| d.to_string()).collect();
            o.undefines = undefines.iter().map(|d| d.to_string()).collect();
        })?;
        parameters(&headers)
    };
    assert_eq!(
        read(&["LEVEL=3", "NAMED"], &[]),
        Ok(vec![Type::Int(Int::I32)])
    );
    assert_eq!(
        read(&["LEVEL=2", "NAMED", "OTHER"], &[]),
        Ok(vec![Type::F32])
    );
    assert_eq!(read(&["LEVEL=2", "NAMED"], &["OTHER"]), Ok(vec![Type::F64]));
    let told = message(read(&["LEVEL=2", "NAMED"], &[]));
    assert!(
        told.contains("asks for `OTHER`")
            && told.contains("`-D OTHER`")
            && told.contains("`-U OTHER`"),
        "{told}"
    );
}

/// A part that declares functions and types for those who ask for it is left out, as a compiler does; one that changes what else is declared is not.
#[test]
fn unknown_conditions_are_refused_where_they_matter() {
    let headers = |text: &str| open(&[("main.h", text)], |_, _| {});
    for text in [
        "void f(int a);\n#ifdef EXTRA\nvoid g(int a);\nstruct s { int a; };\n#endif\n",
        "#if defined(EXTRA) && LEVEL > 3\n#ifdef __cplusplus\n#endif\nvoid g(void);\n#endif\nvoid f(int a);\n",
        "#ifndef NO_F\nvoid f(int a);\n#endif\n",
        "#ifndef API\n#if defined(_WIN32)\n#define API __declspec(dllimport)\n#else\n#define API\n#endif\n#endif\nAPI void f(int a);\n",
        "#if defined(_WIN32) && !defined(EXTRA)\nvoid f(float a);\n#else\nvoid f(int a);\n#endif\n",
        "#if defined(EXTRA) || !defined(EXTRA)\nvoid f(int a);\n#else\nvoid f(float a);\n#endif\n",
        "#if UINTPTR_MAX == UINT64_MAX\nvoid f(int a);\n#else\nvoid f(float a);\n#endif\n",
    ] {
        assert_eq!(
            parameters(&headers(text).unwrap()),
            Ok(vec![Type::Int(Int::I32)]),
            "{text}"
        );
    }
    for text in [
        "struct s {\n#ifdef EXTRA\nint a;\n#endif\nint b; };\n",
        "#ifdef EXTRA\ntypedef int s;\n#else\ntypedef float s;\n#endif\n",
        "#ifdef EXTRA\n#define LEN 4\n#endif\nstruct s { int a[LEN]; };\n",
        "#ifdef EXTRA\ntypedef int s;\n#endif\n#ifndef EXTRA\ntypedef float s;\n#endif\n",
        "#if defined(EXTRA) || defined(OTHER)\n#define A\n#endif\n",
        "#if 0\n#elif defined(EXTRA)\nvoid f(int a);\n#endif\n",
        "void f(int a\n#ifdef EXTRA\n, int b\n#endif\n);\n",
    ] {
        let told = message(headers(text));
        assert!(told.contains("asks for `EXTRA`"), "{told}");
    }
}

#[test]
fn packed_parts_concern_their_structs_alone() {
    let text = "#pragma pack(push, 1)\nstruct a { char c; int i; };\n#pragma pack(pop)\nstruct b { char c; int i; };\nvoid f(struct b b);\n";
    let headers = open(&[("main.h", text)], |_, _| {}).unwrap();
    assert!(parameters(&headers).is_ok());
    let headers = open(
        &[("main.h", &text.replace("struct b b)", "struct a a)"))],
        |_, _| {},
    );
    let told = message(parameters(&headers.unwrap()));
    assert!(
        told.contains("is `a`, which is packed by `#pragma pack`"),
        "{told}"
    );
}

#[test]
fn names_of_the_system() {
    let one = |text: &str| {
        let headers = open(&[("main.h", text)], |_, _| {}).unwrap();
        parameters(&headers).unwrap().remove(0)
    };
    assert_eq!(one("void f(socklen_t a);"), Type::Int(Int::U32));
    assert_eq!(one("void f(off_t a);"), Type::Int(Int::I64));
    // Nobody reserves `uint`.
    assert_eq!(one("typedef float uint; void f(uint a);"), Type::F32);
    let pointer = one("void f(const struct sockaddr *a);");
    assert!(
        matches!(pointer, Type::Pointer { to: Some(_), .. }),
        "{pointer:?}"
    );
}

#[test]
fn a_typedef_may_be_said_again() {
    let text = "typedef struct A { int a; } A;\ntypedef A A;\ntypedef struct A A;\nvoid f(A a);\n";
    let headers = open(&[("main.h", text)], |_, _| {}).unwrap();
    assert!(matches!(
        parameters(&headers).as_deref(),
        Ok([Type::Named(_)])
    ));
}
