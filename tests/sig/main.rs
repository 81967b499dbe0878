//! Signatures from real debug information: the crates of this folder, built by rustc in several ways, give one and the same API.
//!
//! `RSYSO_BLESS=1 cargo test --test sig` writes the expected texts anew.

mod crates;
mod render;

use crates::{Built, build};
use render::render;
use rsyso::diag::Kind;

const ALL: fn(&str) -> bool = |_| true;

#[track_caller]
fn expect(file: &str, got: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sig/expected")
        .join(file);
    if std::env::var_os("RSYSO_BLESS").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap();
    for (n, (want, got)) in want.lines().zip(got.lines()).enumerate() {
        assert_eq!(got, want, "{file}, line {}", n + 1);
    }
    assert_eq!(got.lines().count(), want.lines().count(), "{file}: lines");
}

fn probe(variant: &str, flags: &[&str]) -> Built {
    build(
        variant,
        "probe",
        "src/probe/lib.rs",
        &[flags, &["-Cdebuginfo=full"]].concat(),
    )
}

fn rendered(built: &Built) -> String {
    let api = built.read(ALL).unwrap_or_else(|e| panic!("{e}"));
    render(&api, &built.sources.to_string_lossy())
}

fn tiny(variant: &str, root: &str, flags: &[&str]) -> Built {
    build(
        variant,
        "tiny",
        root,
        &[&["-Copt-level=3", "-Ccodegen-units=1"], flags].concat(),
    )
}

/// The problems of a library that must not be accepted.
#[track_caller]
fn refused(built: &Built, kind: Kind) -> String {
    let error = built.read(ALL).unwrap_err();
    assert_eq!(error.kind, kind);
    error
        .to_string()
        .replace(&*built.sources.to_string_lossy(), "")
}

#[test]
fn optimised_dwarf_4_with_and_without_sources() {
    let built = probe(
        "v4o3",
        &["-Copt-level=3", "-Ccodegen-units=1", "-Cdwarf-version=4"],
    );
    expect("probe.txt", &rendered(&built));
    // Without the sources the docs go, and a struct whose layout is C's counts as `repr(C)`.
    built.hide_sources();
    expect("probe-without-sources.txt", &rendered(&built));
}

#[test]
fn unoptimised_dwarf_5_in_many_units() {
    let flags = [
        "-Copt-level=0",
        "-Ccodegen-units=16",
        "-Cdwarf-version=5",
        "-Cdebug-assertions",
    ];
    expect("probe.txt", &rendered(&probe("v5o0", &flags)));
}

#[test]
fn optimised_dwarf_5_in_many_units() {
    let flags = [
        "-Copt-level=s",
        "-Ccodegen-units=16",
        "-Cdwarf-version=5",
        "-Cpanic=abort",
    ];
    expect("probe.txt", &rendered(&probe("v5os", &flags)));
}

#[test]
fn link_time_optimised() {
    let built = probe("lto", &["-Copt-level=3", "-Ccodegen-units=1", "-Clto=fat"]);
    expect("probe.txt", &rendered(&built));
}

#[test]
fn refusals_name_function_parameter_line_and_way_out() {
    let built = build(
        "bad",
        "bad",
        "src/bad.rs",
        &["-Copt-level=3", "-Ccodegen-units=1", "-Cdebuginfo=full"],
    );
    expect("bad.txt", &refused(&built, Kind::Unsupported));
}

#[test]
fn merged_functions_are_read_from_the_source_or_refused() {
    let built = tiny("merged", "src/merged.rs", &["-Cdebuginfo=full"]);
    let api = built
        .read(|name| name != "m_third")
        .unwrap_or_else(|e| panic!("{e}"));
    expect(
        "merged.txt",
        &render(&api, &built.sources.to_string_lossy()),
    );
    expect("merged-error.txt", &refused(&built, Kind::Unsupported));
    // The way out that the error names.
    let flags = [
        "-Cdebuginfo=full",
        "-Cllvm-args=-mergefunc-use-aliases=false",
        "-Cllvm-args=-mergefunc-preserve-debug-info",
    ];
    let kept = tiny("merged-kept", "src/merged.rs", &flags);
    kept.hide_sources();
    expect("merged-kept.txt", &rendered(&kept));
    // Nothing is guessed without the source.
    built.hide_sources();
    assert_eq!(built.read(ALL).unwrap_err().problems.len(), 2);
}
