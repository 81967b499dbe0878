//! The tool as a library, as build scripts use it.

use crate::common::{archive, root, scratch};

/// What is not shown can change.
#[test]
fn one_module_is_public_and_hidden() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let public = lines.windows(2).filter(|l| l[1].starts_with("pub mod "));
    let public: Vec<&[&str]> = public.collect();
    assert_eq!(public, [["#[doc(hidden)]", "pub mod internals {"]]);
}

#[test]
fn a_conversion_in_a_few_words() {
    let out = scratch();
    let library = archive("text");
    let made = rsyso::Convert::new(&library)
        .out_dir(out.path())
        .package("words")
        .export("text_*")
        .run()
        .expect("converts");
    assert_eq!(made.package, "words");
    assert!(!made.functions.is_empty());
    for file in &made.files {
        assert!(file.starts_with(out.path()) && file.is_file(), "{file:?}");
    }
    let go = std::fs::read_to_string(out.path().join("text.go")).unwrap();
    let first = go.lines().next().unwrap();
    assert!(first.contains("rsyso convert libtext.a"), "{first}");
}

#[test]
fn what_is_wrong_is_an_error_of_one_kind() {
    let out = scratch();
    let error = rsyso::Convert::new("no/such/libfoo.a")
        .out_dir(out.path())
        .run()
        .expect_err("there is no such file");
    assert_eq!(error.kind, rsyso::Kind::Fault);
    assert!(error.to_string().contains("no/such/libfoo.a"), "{error}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}
