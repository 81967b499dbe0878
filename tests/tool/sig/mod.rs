//! Signatures from real debug information: the crates of this folder, built by rustc in several ways, give one and the same API.
//!
//! `RSYSO_BLESS=1 cargo test --test tool sig::` writes the expected texts anew.

mod crates;
mod render;
mod statics;

use crates::{Built, build};
use render::render;
use rsyso::internals::base::diag::Kind;
use rsyso::internals::sig::header::Headers;
use rsyso::internals::sig::{Object, Parsed, Wanted, read};

const ALL: fn(&str) -> bool = |_| true;

#[track_caller]
fn expect(file: &str, got: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tool/sig/expected")
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
    assert_eq!(built.read(ALL).unwrap_err().problems.len(), 7);
}

#[test]
fn builds_without_types_are_told_from_functions_without_parameters() {
    for level in [
        "none",
        "line-directives-only",
        "line-tables-only",
        "limited",
    ] {
        let built = tiny(
            level,
            "src/levels.rs",
            &["-Cdebuginfo=none", &format!("-Cdebuginfo={level}")],
        );
        let error = refused(&built, Kind::Unsupported);
        assert!(
            error.starts_with("`l_some` has no debug")
                || error.starts_with("`l_none`, `l_some` have no debug"),
            "{level}: {error}"
        );
        assert!(
            error.contains("set `debug = \"full\"` under [profile.release]"),
            "{level}: {error}"
        );
        built.hide_sources();
        let error = refused(&built, Kind::Unsupported);
        assert!(
            error.starts_with("`l_none`, `l_some` have no debug"),
            "{level}: {error}"
        );
    }
    let full = tiny("full", "src/levels.rs", &["-Cdebuginfo=full"]);
    full.hide_sources();
    assert_eq!(full.read(ALL).unwrap().functions().len(), 2);
}

#[test]
fn a_crate_of_bare_functions_needs_its_source() {
    let built = tiny("bare", "src/bare.rs", &["-Cdebuginfo=limited"]);
    assert_eq!(built.read(ALL).unwrap().functions().len(), 2);
    built.hide_sources();
    assert!(refused(&built, Kind::Unsupported).starts_with("`t_tick`, `t_tock` have no debug"));
}

#[test]
fn split_debug_information_is_refused() {
    let built = tiny(
        "split",
        "src/levels.rs",
        &["-Cdebuginfo=full", "-Csplit-debuginfo=unpacked"],
    );
    let error = refused(&built, Kind::Unsupported);
    assert!(error.contains("split-debuginfo = \"off\""), "{error}");
}

#[test]
fn a_source_that_is_not_that_of_the_build_is_refused() {
    let built = tiny("changed", "src/levels.rs", &["-Cdebuginfo=full"]);
    let path = built.sources.join("levels.rs");
    let source = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, source.replace("b: &u8", "b: &u8, c: u8")).unwrap();
    let error = refused(&built, Kind::Unsupported);
    assert!(
        error.starts_with("`l_some` has 3 parameters in its source and 2 in"),
        "{error}"
    );
}

#[test]
fn one_name_for_two_types_is_refused() {
    let built = tiny("twice", "src/twice.rs", &["-Cdebuginfo=full"]);
    let error = refused(&built, Kind::Unsupported);
    assert!(error.starts_with("two types are named"), "{error}");
}

/// Damaged objects end in an error or in a reading, never in a panic and never in a hang.
fn flip(built: &Built, times: usize) {
    built.hide_sources();
    let (objects, exports) = built.exports(|name| name != "p_dep");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let debug = debug_ranges(objects[0].data);
    let mut outcomes = [0, 0];
    for _ in 0..times {
        let mut data = objects[0].data.to_vec();
        for _ in 0..=random.below(3) {
            // Mostly in what is read here: debug sections; else anywhere.
            let range = if random.below(8) == 0 {
                0..data.len()
            } else {
                debug[random.below(debug.len())].clone()
            };
            let at = range.start + random.below(range.len());
            data[at] = random.next() as u8;
        }
        let result = read(
            &[Object {
                name: "flipped.o".into(),
                data: &data,
                rust: true,
            }],
            &Wanted::exports(&exports),
            &Headers::default(),
            &Parsed::default(),
            &[],
        );
        outcomes[usize::from(result.is_ok())] += 1;
    }
    // Both ways must have been taken, or the flips do not reach what is read.
    assert!(outcomes.iter().all(|&n| n > times / 20), "{outcomes:?}");
}

#[test]
fn flipped_bytes_in_dwarf_4_never_panic() {
    flip(
        &probe(
            "flip4",
            &["-Copt-level=2", "-Ccodegen-units=1", "-Cdwarf-version=4"],
        ),
        400,
    );
    flip(
        &tiny(
            "flip4tiny",
            "src/levels.rs",
            &["-Cdebuginfo=full", "-Cdwarf-version=4"],
        ),
        800,
    );
}

#[test]
fn flipped_bytes_in_dwarf_5_never_panic() {
    flip(
        &probe(
            "flip5",
            &["-Copt-level=2", "-Ccodegen-units=1", "-Cdwarf-version=5"],
        ),
        400,
    );
    flip(
        &tiny(
            "flip5tiny",
            "src/levels.rs",
            &["-Cdebuginfo=full", "-Cdwarf-version=5"],
        ),
        800,
    );
}

/// Truncated objects, likewise.
#[test]
fn truncated_objects_never_panic() {
    let built = tiny("truncated", "src/levels.rs", &["-Cdebuginfo=full"]);
    let (objects, exports) = built.exports(ALL);
    for len in 0..objects[0].data.len() {
        let object = Object {
            name: "short.o".into(),
            data: &objects[0].data[..len],
            rust: true,
        };
        let _ = read(
            &[object],
            &Wanted::exports(&exports),
            &Headers::default(),
            &Parsed::default(),
            &[],
        );
    }
}

/// Where the debug sections and their relocations lie in an object.
fn debug_ranges(data: &[u8]) -> Vec<std::ops::Range<usize>> {
    use object::{Object as _, ObjectSection as _};
    let file = object::File::parse(data).unwrap();
    let debug = |s: &object::Section<'_, '_>| {
        let name = s.name().unwrap();
        [
            "info",
            "abbrev",
            "str",
            "line",
            "addr",
            "rnglists",
            "ranges",
            "str_offsets",
        ]
        .iter()
        .any(|n| name.strip_prefix(".rela").unwrap_or(name) == format!(".debug_{n}"))
    };
    let range = |s: object::Section<'_, '_>| {
        s.file_range()
            .map(|(at, len)| at as usize..(at + len) as usize)
    };
    file.sections()
        .filter(debug)
        .filter_map(range)
        .filter(|r| !r.is_empty())
        .collect()
}

/// A linear congruential generator (Knuth's MMIX constants): the same flips in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
