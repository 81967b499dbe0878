//! `rsyso build`: from a crate's folder to a Go package, and errors that a newcomer can act on.

mod errors;
mod inside;
mod reproducible;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::scaffold::{put, script, shell};

const MANIFEST: &str = "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
const LIBRARY: &str = "#![allow(improper_ctypes_definitions)]
/// Counts words.
#[unsafe(no_mangle)]
pub extern \"C\" fn hello_words(text: &str) -> usize {
    text.split_whitespace().count()
}
";
const GO_TEST: &str = "package hello
import \"testing\"
func TestWords(t *testing.T) { if n := Words(\"from Rust to Go\"); n != 4 { t.Fatal(n) } }
";

/// A crate in a folder of its own, outside of this repository.
fn krate(files: &[(&str, &str)]) -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    put(
        tmp.path(),
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", LIBRARY)],
    );
    put(tmp.path(), files);
    tmp
}

fn build(dir: &Path, options: &str) -> Ran {
    shell(dir, &format!("rsyso build {options}"))
}

/// The generated files of a folder.
fn generated(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.contains("_linux_") || n.ends_with("_unsupported.go"))
        .collect();
    names.sort();
    names
}

const PACKAGE: [&str; 3] = [
    "hello_linux_amd64.s",
    "hello_linux_amd64.syso",
    "hello_unsupported.go",
];

#[test]
fn a_plain_crate_becomes_a_package_and_stays_as_it_is() {
    let tmp = krate(&[]);
    let ran = build(tmp.path(), "").success();
    assert_eq!(ran.stdout, "");
    for line in [
        "    Building hello v0.1.0 for ",
        "  Converting libhello.a",
        "    Finished package hello (1 function, ",
    ] {
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
    }
    let mut last = ran
        .stderr
        .lines()
        .filter(|l| l.contains("Finished package"));
    assert!(
        last.next_back().unwrap().ends_with(" in hello"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("note: there is no go.mod"),
        "{}",
        ran.stderr
    );
    assert_eq!(generated(&tmp.path().join("hello")), PACKAGE);
    assert_eq!(
        std::fs::read_to_string(tmp.path().join("Cargo.toml")).unwrap(),
        MANIFEST
    );
    // The package works, and a second run finds its own files.
    put(
        tmp.path(),
        &[
            ("go.mod", "module example.com/m\n\ngo 1.21\n"),
            ("hello/hello_test.go", GO_TEST),
        ],
    );
    let ran = build(tmp.path(), "-q -o hello").success();
    assert_eq!(ran.stderr, "");
    go::succeed(
        &mut go::command(Release::Newest, tmp.path(), false),
        &["test", "./..."],
    );
}

/// What a profile says of debug information would leave no signatures; the rest of it counts.
#[test]
fn profiles_and_crate_types_are_the_users_and_signatures_are_read_all_the_same() {
    let manifest = format!(
        "{MANIFEST}[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\
         [profile.release]\nstrip = true\ndebug = false\nlto = true\npanic = \"abort\"\n\
         [profile.my-small]\ninherits = \"release\"\nopt-level = \"z\"\nsplit-debuginfo = \"packed\"\npanic = \"unwind\"\n"
    );
    let library = "#[unsafe(no_mangle)] pub extern \"C\" fn hello_checked() -> bool { cfg!(debug_assertions) }
#[unsafe(no_mangle)] pub extern \"C\" fn hello_unwinds() -> bool { cfg!(panic = \"unwind\") }\n";
    let tmp = krate(&[("Cargo.toml", &manifest), ("src/lib.rs", library)]);
    for (options, checked, unwinds) in [
        ("", false, false),
        ("--profile my-small", false, true),
        ("--profile dev", true, true),
    ] {
        build(tmp.path(), &format!("-q {options} -o go")).success();
        let test = format!(
            "package hello\nimport \"testing\"\nfunc TestProfile(t *testing.T) {{ if Checked() != {checked} || Unwinds() != {unwinds} {{ t.Fatal(Checked(), Unwinds()) }} }}\n"
        );
        put(
            tmp.path(),
            &[
                ("go/go.mod", "module example.com/hello\n\ngo 1.21\n"),
                ("go/hello_test.go", &test),
            ],
        );
        let mut test = go::command(Release::Newest, &tmp.path().join("go"), false);
        go::succeed(&mut test, &["test"]);
    }
    assert!(!tmp.path().join("target/release/libhello.so").exists());
}

#[test]
fn members_of_workspaces_and_features() {
    let tmp = tempfile::tempdir().unwrap();
    let features = "[features]\ndefault = [\"words\"]\nwords = []\nlines = []\nextra = []\n";
    let library =
        "#[cfg(feature = \"words\")] #[unsafe(no_mangle)] pub extern \"C\" fn hello_words() {}
#[cfg(feature = \"lines\")] #[unsafe(no_mangle)] pub extern \"C\" fn hello_lines() -> u8 { 1 }
#[cfg(feature = \"extra\")] #[unsafe(no_mangle)] pub extern \"C\" fn hello_extra() -> u8 { 2 }
#[unsafe(no_mangle)] pub extern \"C\" fn hello_always() -> u8 { 3 }\n";
    put(
        tmp.path(),
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n",
            ),
            ("crates/hello/Cargo.toml", &format!("{MANIFEST}{features}")),
            ("crates/hello/src/lib.rs", library),
            ("crates/tool/Cargo.toml", &MANIFEST.replace("hello", "tool")),
            ("crates/tool/src/main.rs", "fn main() {}\n"),
            ("go.mod", "module example.com/m\n\ngo 1.21\n"),
        ],
    );
    for (options, functions) in [
        ("", &["Always", "Words"][..]),
        ("--no-default-features", &["Always"]),
        (
            "--features lines,extra",
            &["Always", "Extra", "Lines", "Words"],
        ),
        ("-F lines --no-default-features", &["Always", "Lines"]),
        ("--all-features", &["Always", "Extra", "Lines", "Words"]),
    ] {
        let ran = build(tmp.path(), &format!("-q --json -p hello {options}")).success();
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let target = &json["targets"][0];
        let found: Vec<&str> = target["functions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap())
            .map(|f| f["func ".len()..].split('(').next().unwrap())
            .collect();
        assert_eq!(found, functions, "{options}");
        assert_eq!(json["out_dir"], "crates/hello/hello");
        assert_eq!(target["import_path"], "example.com/m/crates/hello/hello");
    }
    // In the folder of a member, or below, no name is needed.
    build(&tmp.path().join("crates/hello/src"), "-q").success();
    for (dir, options, words) in [
        (".", "", "this is a workspace, not a crate"),
        (".", "-p no-such", "the workspace has no crate `no-such`"),
        ("crates/tool", "", "`tool` has no library"),
    ] {
        let ran = build(&tmp.path().join(dir), options);
        assert_eq!(ran.failure(), 1);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = build(tmp.path(), "");
    assert!(
        ran.stderr.contains("crates with a library: hello\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_package_goes_where_go_code_is() {
    let tmp = krate(&[]);
    let goes = |options: &str| {
        let ran = build(tmp.path(), &format!("-q --json {options}")).success();
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let dir = PathBuf::from(json["out_dir"].as_str().unwrap());
        for file in json["targets"][0]["files"].as_array().unwrap() {
            std::fs::remove_file(tmp.path().join(file.as_str().unwrap())).unwrap();
        }
        (
            dir.display().to_string(),
            json["package"].as_str().unwrap().to_owned(),
        )
    };
    let at = |dir: &str, package: &str| (dir.to_owned(), package.to_owned());
    assert_eq!(goes(""), at("hello", "hello"));
    assert_eq!(goes("--package words"), at("words", "words"));
    assert_eq!(goes("-o some/where"), at("some/where", "hello"));
    put(
        tmp.path(),
        &[("go.mod", "module example.com/m\n\ngo 1.21\n")],
    );
    assert_eq!(goes(""), at(".", "hello"));
    assert_eq!(goes("-o some/where"), at("some/where", "hello"));
    put(
        tmp.path(),
        &[("main.go", "package main\n\nfunc main() {}\n")],
    );
    assert_eq!(goes(""), at("hello", "hello"));
    std::fs::remove_file(tmp.path().join("main.go")).unwrap();
    put(tmp.path(), &[("more.go", "package greet\n")]);
    assert_eq!(goes(""), at(".", "greet"));
}

/// `go generate` runs the command in the folder of the file, with $GOPACKAGE set.
#[test]
fn go_generate_runs_build_and_convert() {
    let tmp = krate(&[
        ("go.mod", "module example.com/m\n\ngo 1.21\n"),
        (
            "greet/greet.go",
            "// Package greet greets.\npackage greet\n\n//go:generate rsyso build -q ..\n",
        ),
        (
            "greet/greet_test.go",
            &GO_TEST.replace("package hello", "package greet"),
        ),
        (
            "other/other.go",
            "package other\n\n//go:generate rsyso convert -q ../archive/libhello.a\n",
        ),
        (
            "other/other_test.go",
            &GO_TEST.replace("package hello", "package other"),
        ),
    ]);
    let ran = shell(tmp.path(), "go generate ./greet").success();
    assert_eq!(ran.stderr, "");
    assert_eq!(generated(&tmp.path().join("greet")), PACKAGE);
    assert!(!tmp.path().join("hello").exists());
    // The archive that was built, debug information included, serves `convert` as well.
    let copy = "mkdir archive && cp target/*/release/libhello.a archive && go generate ./other && go vet ./... && go test ./...";
    shell(tmp.path(), copy).success();
    let text = std::fs::read_to_string(tmp.path().join("other/hello.go")).unwrap();
    assert!(text.contains("\npackage other\n"));
}

#[test]
fn json_is_one_object_and_names_everything() {
    let tmp = krate(&[("go.mod", "module example.com/hello\n\ngo 1.21\n")]);
    // A target that is named twice is built once.
    let ran = build(tmp.path(), "--json").success();
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let triple = json["targets"][0]["target"].as_str().unwrap().to_owned();
    let ran = build(
        tmp.path(),
        &format!("--json --target {triple} --target {triple}"),
    )
    .success();
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["crate"], "hello");
    assert_eq!(json["version"], "0.1.0");
    assert_eq!(json["profile"], "release");
    assert_eq!(json["package"], "hello");
    let targets = json["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 1);
    assert!(Path::new(targets[0]["archive"].as_str().unwrap()).is_file());
    assert_eq!(targets[0]["functions"][0], "func Words(text string) uint");
    assert_eq!(targets[0]["import_path"], "example.com/hello");
    assert!(ran.stderr.contains("Finished package hello"));
}

/// In a work tree of git that does not know `.syso` files, one line says so.
#[test]
fn git_is_to_know_what_a_syso_is() {
    let tmp = krate(&[("go.mod", "module example.com/hello\n\ngo 1.21\n")]);
    let note = |options: &str| {
        let ran = build(tmp.path(), options).success();
        let notes = ran.stderr.lines().filter(|l| l.starts_with("note:"));
        notes.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(note(""), Vec::<String>::new());
    shell(tmp.path(), "git init --quiet").success();
    let notes = note("");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("`*.syso binary -filter`"), "{notes:?}");
    assert_eq!(note("-q"), Vec::<String>::new());
    assert!(!tmp.path().join(".gitattributes").exists());
    put(
        tmp.path(),
        &[(
            ".gitattributes",
            "*.syso filter=lfs diff=lfs merge=lfs -text\n",
        )],
    );
    assert!(note("")[0].contains("LFS"));
    put(tmp.path(), &[(".gitattributes", "*.syso binary -filter\n")]);
    assert_eq!(note(""), Vec::<String>::new());
}

/// LLVM makes one function of those that do the same, and a macro hides from rsyso what the source says of them.
#[test]
fn exports_that_do_the_same_keep_their_signatures() {
    let library = "macro_rules! next {
    ($($name:ident: $int:ty;)*) => {
        $(#[unsafe(no_mangle)] pub extern \"C\" fn $name(x: $int) -> $int { x.wrapping_add(1) })*
    };
}
next! { hello_unsigned: u32; hello_signed: i32; }
";
    let tmp = krate(&[("src/lib.rs", library)]);
    let package = tmp.path().join("hello/hello.go");
    let flags =
        "-Cllvm-args=-mergefunc-use-aliases=false -Cllvm-args=-mergefunc-preserve-debug-info";
    for rustflags in ["", flags] {
        shell(
            tmp.path(),
            &format!("RUSTFLAGS='{rustflags}' rsyso build -q"),
        )
        .success();
        let text = std::fs::read_to_string(&package).unwrap();
        for line in [
            "func Unsigned(x uint32) uint32",
            "func Signed(x int32) int32",
        ] {
            assert!(text.contains(line), "{text}");
        }
        std::fs::remove_dir_all(package.parent().unwrap()).unwrap();
    }
}

/// Go functions in a crate that needs nothing of std: no object of std takes part, and a Go panic finds its way without one.
#[test]
fn a_crate_of_callbacks_alone() {
    let library = "#[unsafe(no_mangle)]
pub extern \"C-unwind\" fn hello_each(n: u32, visit: extern \"C-unwind\" fn(u32)) {
    let mut i = 0;
    while i != n { visit(i); i += 1; }
}
";
    let test = "package hello
import \"testing\"
func TestEach(t *testing.T) {
	sum := uint32(0)
	Each(5, func(i uint32) { sum += i })
	if sum != 10 { t.Fatal(sum) }
	for i := 0; i < 3; i++ {
		func() {
			defer func() { if r := recover(); r != \"enough\" { t.Fatal(r) } }()
			Each(5, func(i uint32) { if i == 2 { panic(\"enough\") } })
			t.Fatal(\"came back\")
		}()
	}
	Each(2, func(i uint32) { sum += i })
	if sum != 11 { t.Fatal(sum) }
}
";
    let tmp = krate(&[
        ("src/lib.rs", library),
        ("go.mod", "module example.com/m\n\ngo 1.21\n"),
        ("hello_test.go", test),
    ]);
    build(tmp.path(), "-q").success();
    go::succeed(
        &mut go::command(Release::Newest, tmp.path(), false),
        &["test", "."],
    );
    let archive = "target/x86_64-unknown-linux-gnu/release/libhello.a";
    let ran = shell(tmp.path(), &format!("rsyso inspect {archive}")).success();
    assert!(ran.stdout.contains("hello_each"), "{}", ran.stdout);
}

/// A function of the library that has the name of a C function gets std's calls, too: a warning names it.
#[test]
fn what_takes_the_place_of_a_c_function_is_told() {
    let library = "#[unsafe(no_mangle)] pub extern \"C\" fn hello_home() -> bool { std::env::var_os(\"HOME\").is_some() }
#[unsafe(no_mangle)] pub extern \"C\" fn getenv(_name: *const u8) -> *const u8 { core::ptr::null() }
";
    let tmp = krate(&[("src/lib.rs", library)]);
    let ran = build(tmp.path(), "-q").success();
    for part in [
        "warning: `getenv` is the library's own, and std calls a C function",
        "called by std::",
    ] {
        assert!(ran.stderr.contains(part), "no {part:?} in\n{}", ran.stderr);
    }
    let ran = build(tmp.path(), "-q --export '!getenv' --export hello_home").success();
    assert!(ran.stderr.contains("`getenv`"), "{}", ran.stderr);
}
