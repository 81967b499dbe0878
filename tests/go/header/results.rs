//! The types of rsyso-ffi: the same from debug information and from a header.

use std::path::Path;
use std::process::Command;

use super::*;

/// The crate `results`, with debug information and without.
fn libraries() -> (PathBuf, PathBuf) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header-results");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(source("results"))
        .env_remove("RUSTFLAGS");
    run(&mut cargo, MINUTES).success();
    let full = target.join("release/libresults.a");
    let stripped = target.join("stripped/libresults.a");
    std::fs::create_dir_all(stripped.parent().unwrap()).unwrap();
    let mut strip = Command::new("strip");
    strip.arg("--strip-debug").arg("-o");
    run(strip.arg(&stripped).arg(&full), MINUTES).success();
    (full, stripped)
}

#[test]
fn owned_results_are_the_same_from_both() {
    let (full, stripped) = libraries();
    let dir = scratch();
    let header = source("results/results.h");
    let header = ["--header", header.to_str().unwrap()];
    let package = |name: &str, library: &Path, options: &[&str]| {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        let path = ["-q", "--import-path", "rsyso.test/results"];
        convert(library, &dir, &[&path, options].concat());
        let text = std::fs::read_to_string(dir.join("results.go")).unwrap();
        let lines = text.lines().skip(1).filter(|l| !l.contains("SHA-256"));
        super::without_crate_doc(&lines.map(|l| l.to_owned() + "\n").collect::<String>())
    };
    let debug = package("debug", &full, &[]);
    assert_eq!(package("both", &full, &header), debug);
    assert_eq!(package("stripped", &stripped, &header), debug);
    for line in [
        "func Doubled(data []byte) []byte {",
        "func Points(count uint8) []Point {",
        "func Text(data []byte) (string, error) {",
        "func Half(number uint32) (uint32, error) {",
        "func Check(number uint8) error {",
    ] {
        assert!(debug.contains(line), "{line}\n{debug}");
    }
    assert!(
        !debug.contains("OwnedS") && !debug.contains("Ffi"),
        "{debug}"
    );
    let go = dir.path().join("stripped");
    std::fs::write(go.join("go.mod"), "module rsyso.test/results\n\ngo 1.21\n").unwrap();
    std::fs::copy(source("results_test.go"), go.join("results_test.go")).unwrap();
    for args in [&["vet", "./..."][..], &["test", "-count=1", "./..."]] {
        go::succeed(&mut go::command(Release::Oldest, &go, false), args);
    }
}
