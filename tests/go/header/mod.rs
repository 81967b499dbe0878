//! C headers: they give the Go API that debug information gives, a header of another version is refused, and damaged ones never panic.
//!
//! `contract.h` is what cbindgen writes for `contract.rs`; `cbindgen.toml` holds the command.

mod c_names;
mod constants;
mod function_pointers;
mod results;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{convert, root, rsyso, scratch};
use object::{Object as _, ObjectSymbol as _};
use rsyso::internals::model::Api;
use rsyso::internals::sig::header::Headers;
use rsyso::internals::sig::{Export, Object, Parsed, Wanted, read, rules};

const MINUTES: Duration = Duration::from_secs(300);
const HEADER: &str = include_str!("contract.h");

fn source(name: &str) -> PathBuf {
    root().join("tests/go/header").join(name)
}

/// The library, with debug information and without, and its one object.
struct Library {
    full: PathBuf,
    stripped: PathBuf,
    object: Vec<u8>,
    stripped_object: Vec<u8>,
}

fn library() -> &'static Library {
    static BUILT: OnceLock<Library> = OnceLock::new();
    BUILT.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
        let (full, stripped) = (dir.join("full"), dir.join("stripped"));
        std::fs::create_dir_all(&full).unwrap();
        std::fs::create_dir_all(&stripped).unwrap();
        let rustc = |emit: &[&str], out: &Path| {
            let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()));
            rustc.args([
                "--edition=2024",
                "-Cdebuginfo=full",
                "-Copt-level=1",
                "-Ccodegen-units=1",
            ]);
            rustc
                .args(emit)
                .arg("-o")
                .arg(out)
                .arg(source("contract.rs"));
            run(&mut rustc, MINUTES).success();
        };
        let strip = |from: &Path, to: &Path| {
            let mut strip = Command::new("strip");
            strip.arg("--strip-debug").arg("-o").arg(to).arg(from);
            run(&mut strip, MINUTES).success();
        };
        let archive = |dir: &Path| dir.join("libcontract.a");
        let object = |dir: &Path| dir.join("contract.o");
        rustc(&["--crate-type=staticlib"], &archive(&full));
        rustc(&["--crate-type=lib", "--emit=obj"], &object(&full));
        strip(&archive(&full), &archive(&stripped));
        strip(&object(&full), &object(&stripped));
        Library {
            object: std::fs::read(object(&full)).unwrap(),
            stripped_object: std::fs::read(object(&stripped)).unwrap(),
            full: archive(&full),
            stripped: archive(&stripped),
        }
    })
}

/// The signatures that an object and headers give.
fn signatures(object: &[u8], headers: &[&str]) -> rsyso::Result<Api> {
    meant(object, headers, false)
}

/// As [`signatures`]; `pairs`: pointers and their lengths are one.
fn meant(object: &[u8], headers: &[&str], pairs: bool) -> rsyso::Result<Api> {
    let file = object::File::parse(object).unwrap();
    let symbols = file
        .symbols()
        .filter(|s| s.is_definition() && s.is_global());
    let exports = symbols.filter_map(|s| {
        let symbol = s.name().unwrap().to_owned();
        symbol.starts_with("contract_").then(|| Export {
            symbol,
            object: 0,
            section: s.section_index().unwrap().0,
            offset: s.address(),
            is_static: false,
        })
    });
    let exports: Vec<_> = exports.collect();
    assert_eq!(
        exports.len(),
        HEADER.matches("contract_").count() - 1,
        "one is in a comment"
    );
    let files = headers
        .iter()
        .map(|h| ("contract.h".to_owned(), h.as_bytes().to_vec()));
    let headers = Headers::read(&files.collect::<Vec<_>>())?;
    let object = Object {
        name: "contract.o".to_owned(),
        data: object,
        rust: true,
    };
    let read = read(
        &[object],
        &Wanted::exports(&exports),
        &headers,
        &Parsed::default(),
        &[],
    )?;
    let asked = rules::Asked {
        pairs,
        ..rules::Asked::default()
    };
    let conventions = rules::conventions(&read, true, &asked)?;
    Ok(Api::new(read, &conventions))
}

/// The Go file without the crate's own doc comment in the package's, which no header has.
fn without_crate_doc(text: &str) -> String {
    let (before, rest) = text
        .split_once("nor Rust.\n//\n")
        .expect("a package comment");
    let (_, after) = rest.split_once("// The code is for").expect("its end");
    format!("{before}{after}")
}

/// What constants of a header are headed by: no debug information has them.
const CONSTANTS: &str = "Constants of the library's C header.";

/// The Go file without the constants of a header.
fn without_constants(text: &str) -> String {
    match text.split_once(&format!("// {CONSTANTS}\n")) {
        Some((before, rest)) => {
            let (_, after) = rest.split_once("\n)\n\n").expect("their end");
            format!("{before}{after}")
        }
        None => text.to_owned(),
    }
}

/// What others can use of the package of a library, how it is documented but for what nil means, and which layouts its file counts on.
fn api(library: &Path, options: &[&str], text: &str) -> Vec<String> {
    let mut inspect = rsyso();
    inspect.args(["inspect", "--json"]).arg(library);
    let told = run(inspect.args(options), MINUTES).success().stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let declared = told["api"].as_array().expect("a list").iter().map(|d| {
        let word = |key: &str| d[key].as_str().expect("a text").to_owned();
        let doc = word("doc").replace(" A nil a is None in Rust.", "");
        format!("{doc}\n{}", word("text")).replace("Rust struct Pair<u8>", "Rust struct Pair_u8")
    });
    let declared = declared.filter(|d| !d.starts_with(CONSTANTS));
    let declared: Vec<String> = declared.collect();
    assert!(declared.len() > 20, "{declared:?}");
    let (_, layouts) = text
        .split_once("// The layouts")
        .expect("checks of layouts");
    let (layouts, _) = layouts.split_once("\n)\n").expect("their end");
    declared.into_iter().chain([layouts.to_owned()]).collect()
}

#[test]
fn the_same_go_api_from_debug_information_and_from_the_header() {
    let dir = scratch();
    let package = |name: &str, library: &Path, options: &[&str]| {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        convert(
            library,
            &dir,
            &[&["-q", "--import-path", "rsyso.test/contract"], options].concat(),
        );
        std::fs::read_to_string(dir.join("contract.go")).unwrap()
    };
    let header = source("contract.h");
    let header = ["--header", header.to_str().unwrap()];
    let debug = package("debug", &library().full, &[]);
    let both = package("both", &library().full, &header);
    // What a reference lends, a header cannot tell.
    let lent = ["--consumes", "!contract_store_add"];
    let with_header = [&header[..], &lent].concat();
    let stripped = package("stripped", &library().stripped, &with_header);
    // What tells where the API comes from is the command, the hash of the input, and the crate's doc comment.
    let file = |text: &str| {
        let lines = text.lines().skip(1).filter(|l| !l.contains("SHA-256"));
        without_crate_doc(&lines.map(|l| l.to_owned() + "\n").collect::<String>())
    };
    assert!(both.contains(CONSTANTS) && stripped.contains(CONSTANTS));
    assert_eq!(without_constants(&file(&both)), file(&debug));
    assert_eq!(
        api(&library().stripped, &with_header, &stripped),
        api(&library().full, &[], &debug)
    );
    // A pointer of a header may be kept by the callee, and may be null; a Rust reference may not, and Go may be told.
    assert!(debug.contains("//go:noescape") && !stripped.contains("func rsysoCallMove"));
    assert!(debug.contains("contract: Move needs a *Point for by, not nil"));
    assert!(debug.contains(" A nil a is None in Rust."));
    assert!(!stripped.contains("//go:noescape\nfunc StoreAdd"));
    for line in [
        "func (s *Store) Add(items []uint64)",
        "func Counts(bytes []byte, values []uint64, name string, shorts []int16) uint64",
        "func Each(n uint32, visit func(index uint32) bool, done func(*Shape)) uint32",
        "func Fill(a, b, c, d, e uint64, out []byte, last uint64) uint64",
        "func Enums(mode Mode, level Level, shift Shift, signed Signed) Mode",
        "\tModeVeryFast Mode = 6",
        "type Level uint8",
        "// Add keeps numbers.",
        "\t// To the right.",
    ] {
        assert!(stripped.contains(line), "{line}\n{stripped}");
    }
    let apart = package(
        "apart",
        &library().stripped,
        &[&header[..], &["--no-pairs"]].concat(),
    );
    assert!(
        apart.contains("func (s *Store) Add(items *uint64, itemsLen uint)"),
        "{apart}"
    );
    assert!(
        apart.starts_with("// Code generated by rsyso convert")
            && apart
                .lines()
                .next()
                .unwrap()
                .contains("--header contract.h --no-pairs")
    );
}

#[test]
fn go_calls_what_the_header_describes() {
    let dir = scratch();
    let header = source("contract.h");
    std::fs::write(
        dir.path().join("go.mod"),
        "module rsyso.test/contract\n\ngo 1.21\n",
    )
    .unwrap();
    std::fs::copy(
        source("contract_test.go"),
        dir.path().join("contract_test.go"),
    )
    .unwrap();
    convert(
        &library().stripped,
        dir.path(),
        &["-q", "--header", header.to_str().unwrap()],
    );
    for release in [Release::Oldest, Release::Newest] {
        go::succeed(
            &mut go::command(release, dir.path(), false),
            &["vet", "./..."],
        );
        go::succeed(
            &mut go::command(release, dir.path(), false),
            &["test", "-count=1", "./..."],
        );
    }
}

#[test]
fn without_debug_information_the_error_names_the_header_as_a_way_out() {
    let dir = scratch();
    let mut command = rsyso();
    command
        .arg("convert")
        .arg(&library().stripped)
        .arg("-o")
        .arg(dir.path());
    let ran = run(&mut command, MINUTES);
    assert_eq!(ran.failure(), 2);
    assert!(
        ran.stderr.contains("no debug information") && ran.stderr.contains("--header foo.h"),
        "{}",
        ran.stderr
    );
    // A header that does not declare them all.
    let partial = HEADER.replace("contract_nothing", "contract_other");
    let error = signatures(&library().stripped_object, &[&partial])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`contract_nothing` has no debug information"),
        "{error}"
    );
    assert!(
        error.contains("contract.h does not declare them either"),
        "{error}"
    );
}

/// Changes that a header of another version may have, and what is said.
#[test]
fn a_header_that_differs_is_refused() {
    let line = |text: &str| 1 + HEADER[..HEADER.find(text).unwrap()].matches('\n').count();
    for (from, to, message, at) in [
        (
            "double y;",
            "float y;",
            "`contract_move` differs: its parameter `point` is `Point` in the library and a type of that name with other contents in the header",
            "struct Point contract_move",
        ),
        (
            "long contract_c_integers(int a",
            "long contract_c_integers(short a",
            "`contract_c_integers` differs: its parameter `a` is `i32` in the library and `i16` in the header",
            "long contract_c",
        ),
        (
            "bool contract_is_even(Handle n)",
            "bool contract_is_even(Handle n, int m)",
            "`contract_is_even` has 1 parameters in the library and 2 in the header",
            "bool contract_is",
        ),
        (
            "void contract_nothing(void)",
            "int contract_nothing(void)",
            "`contract_nothing` differs: its result is nothing in the library and `i32` in the header",
            "void contract_nothing",
        ),
        (
            "float a, double b, bool c",
            "float a, double c, bool b",
            "`contract_floats` differs: its parameter `b` stands in another place in the header",
            "double contract_floats",
        ),
        (
            "Fast = 5",
            "Fast = 4",
            "`contract_enums` differs: its parameter `mode` is `Mode` in the library and a type of that name with other contents in the header",
            "enum Mode contract_enums",
        ),
        (
            "int16_t grid[3][2]",
            "int16_t grid[2][3]",
            "`contract_grow` differs: its parameter `shape` is `Shape`",
            "struct Shape contract_grow",
        ),
        (
            "uint32_t *b,",
            "uint64_t *b,",
            "`contract_pointers` differs: its parameter `b` is `*u32` in the library and `*u64` in the header",
            "uint32_t *b",
        ),
    ] {
        let other = HEADER.replacen(from, to, 1);
        assert_ne!(other, HEADER, "{from}");
        let error = signatures(&library().object, &[&other]).unwrap_err();
        assert_eq!(error.kind, rsyso::Kind::Fault, "{from}");
        let said = error.to_string();
        assert!(said.contains(message), "{to}\n{said}");
        assert!(
            said.contains(&format!("contract.h:{}", line(at))),
            "{to}: line {}\n{said}",
            line(at)
        );
        assert!(said.contains("contract.rs:"), "{to}\n{said}");
    }
    // What says less, or the same in other words, is no difference.
    for (from, to) in [
        ("uint32_t *b,", "void *b,"),
        ("double y;", "double up;"),
        ("Level level, enum Shift", "uint8_t level, enum Shift"),
        ("uint64_t d,", "unsigned long long d,"),
        ("uintptr_t size", "size_t size"),
        ("const struct Point *by", "struct Point *by"),
    ] {
        let api = signatures(&library().object, &[&HEADER.replacen(from, to, 1)]);
        let api = api.unwrap_or_else(|e| panic!("{to}\n{e}"));
        let alone = signatures(&library().object, &[]).unwrap();
        assert_eq!(api.functions(), alone.functions(), "{to}");
        assert_eq!(c_names::types(&api), c_names::types(&alone), "{to}");
    }
}

/// Two headers are one, in any order; types of one stand in the other.
#[test]
fn several_headers() {
    let at = HEADER.find("/**\n * Makes a store").unwrap();
    let end = HEADER[at..].find("#ifdef").unwrap() + at;
    let (types, functions) = (HEADER[..at].to_owned() + &HEADER[end..], &HEADER[at..end]);
    let object = &library().stripped_object;
    let whole = signatures(object, &[HEADER]).unwrap();
    let names = |api: &Api| {
        api.functions()
            .iter()
            .map(|f| (f.symbol.clone(), f.params.clone(), f.doc.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&signatures(object, &[functions, &types]).unwrap()),
        names(&whole)
    );
    assert_eq!(
        names(&signatures(object, &[HEADER, HEADER]).unwrap()),
        names(&whole)
    );
}

/// Debug information for a part, the header for the rest.
#[test]
fn references_are_never_part_of_a_pair() {
    let api = meant(&library().object, &[], true).unwrap();
    let slices = api.functions().iter().flat_map(|f| &f.params).filter(|p| {
        use rsyso::internals::model::Type::{Slice, Text};
        matches!(p.ty, Slice { .. } | Text { .. })
    });
    let names: Vec<_> = slices.map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["bytes", "values", "name", "shorts", "out", "items"]);
}

/// Thousands of damaged headers, against the library with debug information and without: an API or an error, never a panic.
#[test]
fn damaged_headers_never_panic() {
    let seeds = match std::env::var("RSYSO_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 0..=2000u64,
    };
    let words: Vec<&str> = HEADER
        .split_inclusive(|c: char| !c.is_alphanumeric())
        .collect();
    let extra = [
        "(",
        ")",
        "{",
        "}",
        "*",
        ";",
        "/*",
        "*/",
        "#if",
        "#endif\n",
        "\"",
        "\\\n",
        "[18446744073709551615]",
        "[-1]",
        "typedef ",
        "struct ",
        "union ",
        "\n#define A A\n",
        " : 3",
        "\0",
        "ä",
        "void ",
        "const ",
    ];
    let mut outcomes = [0u32; 2];
    for seed in seeds.clone() {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut damaged: Vec<&str> = words.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..damaged.len());
            match random.u8(..5) {
                0 => drop(damaged.remove(at)),
                1 => damaged.insert(at, extra[random.usize(..extra.len())]),
                2 => damaged[at] = words[random.usize(..words.len())],
                3 => damaged.insert(at, words[random.usize(..words.len())]),
                _ if random.u8(..8) == 0 => damaged.truncate(at),
                _ => {
                    let other = random.usize(..damaged.len());
                    damaged.swap(at, other);
                }
            }
        }
        let damaged = damaged.concat();
        let object = if seed % 8 == 0 {
            &library().object
        } else {
            &library().stripped_object
        };
        let result = std::panic::catch_unwind(|| signatures(object, &[&damaged]));
        let result = result.unwrap_or_else(|_| panic!("seed {seed}\n{damaged}"));
        if let Err(error) = &result {
            assert!(
                !error.problems.is_empty() && error.problems.iter().all(|p| p.place.is_some()),
                "seed {seed}: {error}"
            );
        }
        outcomes[usize::from(result.is_ok())] += 1;
    }
    // Both ways must have been taken, or the damage does not reach what is read.
    assert!(
        seeds.count() < 100 || outcomes.iter().all(|n| *n > 100),
        "{outcomes:?}"
    );
}
