//! Function pointers in structs, kept ones and those that a `typedef` names: the same from debug information and from a header.

use super::*;

/// The library, with debug information and without.
fn libraries() -> (PathBuf, PathBuf) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header-pointers");
    let (full, stripped) = (dir.join("full"), dir.join("stripped"));
    for dir in [&full, &stripped] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let archive = |dir: &Path| dir.join("libpointers.a");
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()));
    rustc.args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=1"]);
    rustc.args(["-Cdebuginfo=full", "-o"]).arg(archive(&full));
    run(rustc.arg(source("pointers.rs")), MINUTES).success();
    let mut strip = Command::new("strip");
    strip.arg("--strip-debug").arg("-o").arg(archive(&stripped));
    run(strip.arg(archive(&full)), MINUTES).success();
    (archive(&full), archive(&stripped))
}

#[test]
fn function_pointers_are_the_same_from_both() {
    let (full, stripped) = libraries();
    let dir = scratch();
    let header = source("pointers.h");
    let header = ["--header", header.to_str().unwrap()];
    let package = |name: &str, library: &Path, options: &[&str]| {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        let own = ["-q", "--import-path", "rsyso.test/pointers"];
        let keeps = ["--keeps", "pointers_on*"];
        convert(library, &dir, &[&own[..], &keeps, options].concat());
        let text = std::fs::read_to_string(dir.join("pointers.go")).unwrap();
        let lines = text.lines().skip(1).filter(|l| !l.contains("SHA-256"));
        super::without_crate_doc(&lines.map(|l| l.to_owned() + "\n").collect::<String>())
    };
    let debug = package("debug", &full, &[]);
    assert_eq!(package("both", &full, &header), debug);
    let header_only = package("stripped", &stripped, &header);
    for line in [
        "func Run(table Vtable) uint64 {",
        "\tNext *Next",
        "\tDrop *VtableDropFunc",
        "\tFolds [2]*Fold",
        "func NewFold(f func(a, b uint64) uint64) *Fold {",
        "func OnBoth(even, odd *Heard) {",
        "func OnAny(heard *Heard) {",
        "func Now(heard func(value uint64)) {",
    ] {
        for text in [&debug, &header_only] {
            let text: Vec<_> = text
                .lines()
                .map(|l| l.split_whitespace().collect::<Vec<_>>())
                .collect();
            let line: Vec<_> = line.split_whitespace().collect();
            assert!(text.contains(&line), "{line:?}");
        }
    }
    assert_eq!(header_only, debug);
    let go = dir.path().join("stripped");
    std::fs::write(go.join("go.mod"), "module rsyso.test/pointers\n\ngo 1.21\n").unwrap();
    std::fs::copy(source("pointers_test.go"), go.join("pointers_test.go")).unwrap();
    for args in [&["vet", "./..."][..], &["test", "-count=1", "./..."]] {
        go::succeed(&mut go::command(Release::Oldest, &go, false), args);
    }
}
