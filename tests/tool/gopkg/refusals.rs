//! What cannot be a Go package, and how that is told.

use std::fs;
use std::path::PathBuf;

use rsyso::internals::arch::amd64::Amd64;
use rsyso::internals::base::diag::Kind;
use rsyso::internals::go;
use rsyso::internals::model::*;

use super::build::*;
use super::samples::*;

fn refused(api: &Sample) -> rsyso::internals::base::diag::Error {
    generate(api, &Amd64, &PathBuf::from("."), "sample", None).expect_err("refused")
}

#[test]
fn all_that_is_unsupported_is_named_with_its_place() {
    let point = || structure("P", 8, 8, vec![field("s", Type::Str, 0)]);
    for (ty, types, want) in [
        (
            callback(vec![slice(Type::Str)]),
            vec![],
            "parameter `x` is a function, one of whose parts holds a string",
        ),
        (
            callback(vec![callback(vec![])]),
            vec![],
            "parameter `x` is a function, one of whose parts is a function",
        ),
        (Type::OwnedStr, vec![], "take a `&str`"),
        (
            pointer(PointerKind::Ref, Type::OwnedStr),
            vec![],
            "holds an `OwnedString` of rsyso-ffi, which can only be the result",
        ),
        (
            Type::Fallible { value: None },
            vec![],
            "take the value itself",
        ),
        (
            named(0),
            vec![structure(
                "S",
                24,
                8,
                vec![field(
                    "a",
                    Type::Owned {
                        elem: Box::new(Type::Bool),
                    },
                    0,
                )],
            )],
            "(field `a` of `sample::S`)",
        ),
        (
            array(Type::F32, 2),
            vec![],
            "parameter `x` is an array by value",
        ),
        (slice(Type::Str), vec![], "parameter `x` holds a string"),
        (
            named(0),
            vec![opaque("O")],
            "opaque type `sample::O` by value",
        ),
        (
            slice(named(0)),
            vec![opaque("O")],
            "opaque type `sample::O` by value",
        ),
        (
            slice(named(0)),
            vec![structure("E", 0, 1, vec![])],
            "a slice of a type without a size",
        ),
        (
            named(0),
            vec![structure("S", 16, 16, vec![])],
            "alignment of 16",
        ),
        (
            named(0),
            vec![structure("S", 5, 1, vec![field("a", int(Int::U32), 1)])],
            "packed",
        ),
        (
            named(0),
            vec![structure(
                "S",
                8,
                8,
                vec![field("a", int(Int::U64), 0), field("b", int(Int::U32), 4)],
            )],
            "overlap",
        ),
        (
            named(0),
            vec![structure("S", 4, 4, vec![field("a", int(Int::U32), 4)])],
            "outside",
        ),
        (
            named(0),
            vec![structure("S", 3, 0, vec![])],
            "make no sense",
        ),
        (
            named(0),
            vec![structure("S", 8, 8, vec![field("a", named(0), 0)])],
            "nested too deeply",
        ),
        (
            pointer(PointerKind::Ref, array(int(Int::U8), u64::MAX)),
            vec![],
            "2 GiB",
        ),
        (
            pointer(PointerKind::Mut, named(0)),
            vec![structure(
                "S",
                8,
                8,
                vec![field("cb", callback(vec![slice(Type::Str)]), 0)],
            )],
            "(field `cb` of `sample::S`)",
        ),
        (
            pointer(PointerKind::Ref, named(0)),
            vec![point()],
            "(field `s` of `sample::P`)",
        ),
        (
            named(0),
            vec![enumeration("E", Int::U8, &[("A", 256)])],
            "variant `A` does not fit",
        ),
    ] {
        let error = refused(&api(
            vec![function("bad", &[("ok", Type::Bool), ("x", ty)], None)],
            types,
        ));
        let text = error.to_string();
        assert!(text.contains(want), "{want}: {text}");
        assert!(
            text.contains("`bad`") && text.contains("src/lib.rs:12") && text.contains("--export"),
            "{text}"
        );
        assert_eq!(error.kind, Kind::Unsupported);
    }
    let both = api(
        vec![
            function(
                "one",
                &[("a", array(Type::F32, 2)), ("b", slice(Type::Str))],
                None,
            ),
            function("two", &[], Some(callback(vec![]))),
        ],
        vec![],
    );
    let error = refused(&both);
    assert_eq!(error.problems.len(), 3);
    assert!(error.problems[2].message.contains("its result"), "{error}");
}

#[test]
fn names_that_clash_are_named_both() {
    let mode = || enumeration("Mode", Int::U8, &[("Fast", 0)]);
    let by_ref = |id| pointer(PointerKind::Ref, named(id));
    for (api, want) in [
        (
            api(
                vec![function("a_b", &[], None), function("aB", &[], None)],
                vec![],
            ),
            ["`aB`", "`a_b`"],
        ),
        (
            api(
                vec![function("mode_fast", &[("m", named(0))], None)],
                vec![mode()],
            ),
            ["the function `mode_fast`", "the variant `Fast`"],
        ),
        (
            api(
                vec![function("token", &[("t", by_ref(0))], None)],
                vec![opaque("Token")],
            ),
            ["the function `token`", "the type `sample::Token`"],
        ),
        (
            api(
                vec![function("f", &[("s", by_ref(0))], None)],
                vec![structure(
                    "S",
                    2,
                    1,
                    vec![field("a_b", Type::Bool, 0), field("aB", Type::Bool, 1)],
                )],
            ),
            ["the field `a_b`", "the field `aB`"],
        ),
        // What rsyso itself declares.
        (
            api(vec![function("panic", &[], None)], vec![]),
            [
                "the function `panic`",
                "the type of the values of Go panics",
            ],
        ),
        (
            api(
                vec![function("f", &[("p", by_ref(0))], None)],
                vec![opaque("Panic")],
            ),
            [
                "the type `sample::Panic`",
                "the type of the values of Go panics",
            ],
        ),
    ] {
        let error = refused(&api);
        let text = error.to_string();
        assert!(want.iter().all(|w| text.contains(w)), "{text}");
        assert_eq!(error.kind, Kind::Fault);
    }
}

#[test]
fn a_second_architecture_widens_the_constraints_or_is_refused() {
    let tmp = tempfile::tempdir().expect("a directory");
    let dir = tmp.path();
    let keep = |files: Vec<go::GoFile>, arch: &str| {
        let mut all: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|f| (f.name, f.text.into_bytes()))
            .collect();
        all.push((format!("text_linux_{arch}.syso"), b"image".to_vec()));
        go::write(&place(dir, "text"), &all, &|b| b == b"image").expect("written");
    };
    let present = || go::present(&place(dir, "text")).expect("readable");
    assert_eq!(present(), None);
    keep(
        generate(&text(), &Fake("amd64"), dir, "text", None).expect("first"),
        "amd64",
    );
    let second = generate(&text(), &Fake("arm64"), dir, "text", present()).expect("second");
    assert!(
        second[0]
            .text
            .contains("\n//go:build linux && (amd64 || arm64) && !msan\n")
    );
    assert!(
        second[1]
            .text
            .contains("\n//go:build !(linux && (amd64 || arm64)) || msan\n")
    );
    assert!(
        second[0]
            .text
            .contains("\n//   - linux/amd64: libtext.a, SHA-256 abab")
    );
    assert!(second[1].text.contains("linux/amd64 and linux/arm64 only"));
    assert!(
        second[2]
            .text
            .contains("\n//go:build linux && arm64 && !msan\n")
    );
    keep(second.clone(), "arm64");
    // The first once more: nothing changes.
    let again = generate(&text(), &Fake("amd64"), dir, "text", present()).expect("again");
    assert_eq!(again[..2], second[..2]);

    let mut other = text();
    other.functions[0].params[0].name = "words".into();
    let error = generate(&other, &Fake("amd64"), dir, "text", present()).expect_err("differs");
    let said = error.to_string();
    assert!(
        said.contains("text.go:")
            && said.contains("linux/arm64 has: func CountWords(text string) uint"),
        "{said}"
    );
    assert!(
        said.contains("linux/amd64 has: func CountWords(words string) uint"),
        "{said}"
    );
    // Once the image of the other is gone, its API binds no more.
    fs::remove_file(dir.join("text_linux_arm64.syso")).expect("removed");
    let alone = generate(&other, &Fake("amd64"), dir, "text", present()).expect("alone");
    assert!(
        alone[0]
            .text
            .contains("\n//go:build linux && amd64 && !msan\n")
    );
}
