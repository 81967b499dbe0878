//! What is inside: `rsyso build` records the crates, `rsyso verify` lists them, and `--notice` writes their licences.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::common::go::{self, Mode, Release};
use crate::common::process::run;
use crate::common::scaffold::{put, shell};
use crate::common::{root, rsyso};
use rsyso::internals::crates::Crates;

const MANIFEST: &str = "[package]
name = \"hello\"
version = \"0.1.0\"
edition = \"2024\"
license = \"MIT\"
build = \"build.rs\"

[dependencies]
cfg-if = \"1\"
inner = { path = \"inner\" }
macros = { path = \"macros\" }
left-out = { path = \"left-out\", optional = true }

[target.'cfg(windows)'.dependencies]
elsewhere = { path = \"elsewhere\" }

[build-dependencies]
building = { path = \"building\" }

[dev-dependencies]
testing = { path = \"testing\" }
";

const LIBRARY: &str = "/// One more.
#[unsafe(no_mangle)]
pub extern \"C\" fn hello_next(n: u32) -> u32 { cfg_if::cfg_if! { if #[cfg(unix)] { inner::next(n) } else { 0 } } }
";

const PROGRAM: &str = "package main
import (\"fmt\"; \"example.com/m/hello\")
func main() { fmt.Println(hello.Next(41)) }
";

/// A crate with dependencies of every kind.
fn krate(dir: &Path) {
    put(
        dir,
        &[
            ("Cargo.toml", MANIFEST),
            ("build.rs", "fn main() { building::nothing() }"),
            ("src/lib.rs", LIBRARY),
            ("inner/LICENSE", "The licence of inner.\n"),
            ("go.mod", "module example.com/m\n\ngo 1.21\n"),
            ("prog/main.go", PROGRAM),
        ],
    );
    for name in [
        "inner",
        "macros",
        "left-out",
        "elsewhere",
        "building",
        "testing",
    ] {
        let kind = if name == "macros" {
            "[lib]\nproc-macro = true\n"
        } else {
            ""
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.2.0\"\nedition = \"2024\"\nlicense = \"MIT/Apache-2.0\"\n{kind}"
        );
        let source = match name {
            "inner" => "#[inline(never)] pub fn next(n: u32) -> u32 { n + 1 }",
            "macros" => "",
            _ => "pub fn nothing() {}",
        };
        let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", source)];
        put(&dir.join(name), &files);
    }
}

fn verified(file: &Path, options: &[&str]) -> Value {
    let mut verify = rsyso();
    verify.arg("verify").arg(file).args(options);
    let ran = run(&mut verify, Duration::from_secs(60)).success();
    serde_json::from_str(&ran.stdout).expect("one JSON object")
}

/// Names, of those crates that are not the runtime's.
fn names(crates: &Value) -> Vec<&str> {
    let all = crates.as_array().expect("a list").iter();
    let names = all.map(|krate| krate["name"].as_str().expect("a name"));
    names.take_while(|name| *name != "rsyso-rt").collect()
}

#[test]
fn crates_are_recorded_and_listed_in_every_mode() {
    let tmp = tempfile::tempdir().unwrap();
    krate(tmp.path());
    shell(tmp.path(), "rsyso build --offline --notice -o hello").success();
    let package = tmp.path().join("hello");
    let syso = package.join("hello_linux_amd64.syso");

    let json = verified(&syso, &["--json"]);
    let crates = &json["objects"][0]["crates"];
    assert_eq!(names(crates), ["cfg-if", "hello", "inner"]);
    let of = |name: &str| {
        let all = crates.as_array().unwrap();
        all.iter().find(|krate| krate["name"] == name).unwrap()
    };
    assert_eq!(of("hello")["root"], true);
    assert_eq!(of("hello")["source"], "local");
    assert_eq!(of("inner")["version"], "0.2.0");
    assert_eq!(of("inner")["license"], "MIT/Apache-2.0");
    assert_eq!(of("cfg-if")["source"], "crates.io");
    assert_eq!(of("dlmalloc")["source"], "crates.io");

    // Scanners look into a section of this name (cargo-auditable, PARSING.md).
    let bytes = std::fs::read(&syso).unwrap();
    let object = goblin::elf::Elf::parse(&bytes).unwrap();
    let mut sections = object.section_headers.iter();
    let section = sections.find(|s| object.shdr_strtab.get_at(s.sh_name) == Some(".dep-v0"));
    let range = section.expect("the section").file_range().unwrap();
    let list = Crates::unpacked(&bytes[range]).expect("a list");
    assert_eq!(serde_json::to_value(&list.packages).unwrap(), *crates);

    // Go's linkers take the section and leave it out; the image tells all the same.
    let modes = [Mode::Static, Mode::Pie, Mode::External];
    let releases = [Release::Oldest, Release::Newest];
    for (release, mode) in releases.into_iter().flat_map(|r| modes.map(|m| (r, m))) {
        let program = tmp.path().join("program");
        let mut build = go::command(release, tmp.path(), mode.cgo());
        build.args(["build", "-o"]).arg(&program).args(mode.flags());
        go::succeed(&mut build, &["./prog"]);
        let mut told = std::process::Command::new(&program);
        assert_eq!(
            run(&mut told, Duration::from_secs(60)).success().stdout,
            "42\n"
        );
        let json = verified(&program, &["--json"]);
        assert_eq!(json["programs"][0]["images"][0]["crates"], *crates);
    }

    let document = verified(&tmp.path().join("program"), &["--sbom", "cyclonedx"]);
    assert_eq!(document["bomFormat"], "CycloneDX");
    let mut components = document["components"].as_array().unwrap().iter();
    assert!(components.any(|c| {
        c["purl"]
            .as_str()
            .is_some_and(|p| p.starts_with("pkg:cargo/cfg-if@1."))
    }));

    let notice = std::fs::read_to_string(package.join("NOTICE_hello.txt")).unwrap();
    assert!(
        notice
            .lines()
            .next()
            .unwrap()
            .contains("Code generated by rsyso")
    );
    for text in [
        "The licence of inner.",
        "inner 0.2.0: MIT/Apache-2.0",
        "rsyso-rt 0.1.0: MIT OR Apache-2.0",
        "Rust's standard library",
        "Permission is hereby granted",
    ] {
        assert!(notice.contains(text), "{text}\n{notice}");
    }
    for name in ["macros", "left-out", "elsewhere", "building", "testing"] {
        assert!(!notice.contains(name), "{name} is not inside");
    }
}

/// A list that lacks crates would be worse than none.
#[test]
fn a_converted_library_does_not_tell() {
    let tmp = crate::common::scratch();
    crate::common::convert(&crate::common::archive("plusone"), tmp.path(), &[]);
    let syso = tmp.path().join("plusone_linux_amd64.syso");
    assert_eq!(
        verified(&syso, &["--json"])["objects"][0]["crates"],
        Value::Null
    );
    let mut verify = rsyso();
    verify.args(["verify", "--sbom", "cyclonedx"]).arg(&syso);
    let ran = run(verify.current_dir(root()), Duration::from_secs(60));
    assert_eq!((ran.failure(), ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("`plusone` does not tell its crates"),
        "{}",
        ran.stderr
    );
}
