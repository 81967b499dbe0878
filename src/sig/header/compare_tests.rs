//! What counts as the same in a library and in its header. The library's side is written as a header, too.

use super::tests::good;
use super::*;

/// What is said of a header, held against another that says what the library has.
fn said(library: &str, header: &str) -> Vec<String> {
    let headers = Headers::read(&[("foo.h".into(), header.as_bytes().to_vec())]).unwrap();
    let told = headers.complete(good(library), &[]).err();
    let problems = told.into_iter().flat_map(|e| e.problems);
    problems.map(|p| p.message).collect()
}

#[test]
fn bytes_in_memory_have_no_sign() {
    let library =
        "struct Name { uint8_t text[16]; uint8_t *more; }; void f(uint8_t *a, struct Name *b);";
    assert_eq!(said(library, &library.replace("uint8_t", "char")), [""; 0]);
    let other = said(library, &library.replace("uint8_t", "int16_t"));
    assert_eq!(other.len(), 3, "{other:?}");
    let by_value = said("void f(uint8_t a);", "void f(char a);");
    assert_eq!(
        by_value,
        ["`f` differs: its parameter `a` is `u8` in the library and `i8` in the header"]
    );
}

#[test]
fn a_header_may_leave_fields_of_unions_out() {
    let library = "struct P { int32_t p; }; struct Q { float q; };
        union V { int32_t i32; uint32_t u32; double f64; struct P *ref_; struct Q *other; }; void f(union V a, struct P *p);";
    let fields = "int32_t i32; uint32_t u32; double f64; struct P *ref_; struct Q *other;";
    let with = |other: &str| said(library, &library.replace(fields, other));
    for same in [
        "int32_t i32; double f64; struct P *ref;",
        "double f64; int32_t i32;",
        "double number; struct Q *renamed;",
    ] {
        assert_eq!(with(same), [""; 0], "{same}");
    }
    for other in [
        "int32_t i32; float f32; double f64;", // no such field
        "double f64; uint32_t i32;",
        "double f64; struct Q *ref;",
        "int32_t i32;", // another size
    ] {
        assert!(!with(other).is_empty(), "{other}");
    }
}
