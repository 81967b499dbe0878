//! What cannot be ported is told all at once, with its place and its reason, and nothing is left behind.

use std::path::Path;

use super::{all, port};
use crate::common::scratch;

/// A package of one file.
fn package(dir: &Path, preamble: &str, body: &str) {
    std::fs::write(dir.join("go.mod"), "module rsyso.test/bad\n\ngo 1.21\n").unwrap();
    let text = format!("package bad\n\n/*\n{preamble}\n*/\nimport \"C\"\n\n{body}\n");
    std::fs::write(dir.join("bad.go"), text).unwrap();
}

/// Ports it, which must fail, and gives what was told.
#[track_caller]
fn refused(preamble: &str, body: &str, status: i32) -> String {
    let dir = scratch();
    package(dir.path(), preamble, body);
    let before = all(dir.path());
    let ran = port(dir.path(), &["-q"]);
    assert_eq!(ran.failure(), status, "{}", ran.stderr);
    assert!(all(dir.path()) == before, "something is left behind");
    ran.stderr
}

#[test]
fn all_at_once_with_places() {
    let told = refused(
        "#cgo LDFLAGS: -lmissing\n#include <stdio.h>\n#include <complex.h>\n\
         struct bits { int a : 3; int b; };\n\
         static int of_bits(struct bits b) { return b.b; }\n\
         static long double wide(void) { return 1; }\n\
         static double complex turned(double complex z) { return z; }\n\
         void goCallback(int);",
        "func F() {\n\
         \tC.printf(nil)\n\
         \tC.no_such_function(1)\n\
         \tC.of_bits(C.struct_bits{})\n\
         \tC.wide()\n\
         \tC.turned(0)\n\
         \tvar _ C.no_such_type\n\
         }\n\n\
         //export goText\n\
         func goText(lines []string) {}\n\n\
         //export goMany\n\
         func goMany(n ...C.int) {}\n\n\
         type T int\n\n\
         //export goMethod\n\
         func (T) goMethod() {}",
        2,
    );
    let line = |n: usize| format!("bad.go:{n}");
    for (what, place) in [
        (
            "C.printf cannot be ported: it takes a variable number of arguments",
            line(16),
        ),
        (
            "C.no_such_function cannot be ported: C does not know the name",
            line(17),
        ),
        (
            "C.of_bits cannot be ported: parameter 1: `struct bits`, which has bit fields, by value",
            line(18),
        ),
        ("C.wide cannot be ported: result: ", line(19)),
        (
            "C.turned cannot be ported: parameter 1: a `complex double` by value",
            line(20),
        ),
        (
            "C.no_such_type cannot be ported: C does not know the name",
            line(21),
        ),
        (
            "`//export goText` cannot be ported: C has no type for Go's `[]string` here",
            line(24),
        ),
        (
            "`//export goMany` cannot be ported: C has no type",
            line(27),
        ),
        (
            "`//export goMethod` cannot be ported: it is a method",
            line(32),
        ),
        ("libmissing.a was not found", String::new()),
    ] {
        let at = told
            .find(what)
            .unwrap_or_else(|| panic!("{what} is not in\n{told}"));
        let problem = told[at..].split("error:").next().unwrap();
        assert!(problem.contains(&place), "{what}: {place}: {problem}");
    }
}

#[test]
fn what_the_compiler_and_the_linker_refuse() {
    for (preamble, body, what, status) in [
        (
            "#include \"no_such.h\"",
            "func F() { C.f() }",
            "the C code in front of `import \"C\"` does not compile",
            1,
        ),
        (
            "int missing(void);",
            "func F() { C.missing() }",
            "undefined symbol: missing",
            2,
        ),
    ] {
        let told = refused(preamble, body, status);
        assert!(told.contains(what), "{what}: {told}");
    }
}

#[test]
fn a_folder_without_a_binding() {
    let dir = scratch();
    std::fs::write(dir.path().join("plain.go"), "package plain\n").unwrap();
    let ran = port(dir.path(), &[]);
    assert_eq!(ran.failure(), 1);
    assert!(
        ran.stderr.contains("no Go file here imports \"C\""),
        "{}",
        ran.stderr
    );
}
