//! Cargo's profiles: the same library built with LTO, for size, stripped, with `panic = "abort"`. What it leaves of std differs, and so do the
//! ways by which a panic reaches Go.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::{convert, scratch};

const LIMIT: Duration = Duration::from_secs(300);

/// The library catches panics itself, too.
const CATCHES: &str = "[features]\ndefault = [\"catches\"]\ncatches = []";

/// Builds the library with a profile, and its Go test; gives the test's program.
fn build(dir: &Path, profile: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    let (krate, package) = (dir.join("profiles"), dir.join("go"));
    std::fs::create_dir_all(krate.join("src")).unwrap();
    std::fs::create_dir_all(&package).unwrap();
    let manifest = format!(
        "[package]\nname = \"profiles\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"staticlib\"]\n[workspace]\n\
         [profile.release]\ndebug = \"full\"\n{profile}\n"
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(here.join("lib.rs"), krate.join("src/lib.rs")).unwrap();
    std::fs::copy(
        here.join("profiles_test.go"),
        package.join("profiles_test.go"),
    )
    .unwrap();
    if profile.contains(CATCHES) {
        let file = "catches_test.go";
        std::fs::copy(here.join(file), package.join(file)).unwrap();
    }
    std::fs::write(
        package.join("go.mod"),
        "module rsyso.test/profiles\n\ngo 1.21\n",
    )
    .unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--offline", "--quiet"]);
    cargo.current_dir(&krate).env_remove("CARGO_TARGET_DIR");
    if krate.join(".cargo").exists() {
        // Options that are not stable.
        cargo.env("RUSTC_BOOTSTRAP", "1");
    }
    run(&mut cargo, LIMIT).success();
    convert(
        &krate.join("target/release/libprofiles.a"),
        &package,
        &["-q"],
    );
    let program = dir.join("profiles.test");
    let mut test = go::command(Release::Newest, &package, false);
    test.args(["test", "-c", "-o"]).arg(&program);
    go::succeed(&mut test, &[]);
    program
}

fn runs(program: &Path, env: &[(&str, &str)]) -> Ran {
    let mut test = Command::new(program);
    test.env_remove("RUST_BACKTRACE").envs(env.iter().copied());
    run(&mut test, LIMIT)
}

#[track_caller]
fn panics_reach_go(profile: &str) {
    let dir = scratch();
    let ran = runs(&build(dir.path(), profile), &[]).success();
    assert!(ran.stdout.contains("PASS"), "{}", ran.stdout);
}

#[test]
fn release() {
    panics_reach_go("");
}

#[test]
fn fat_lto() {
    panics_reach_go("lto = \"fat\"\ncodegen-units = 1");
}

#[test]
fn thin_lto() {
    panics_reach_go("lto = \"thin\"");
}

#[test]
fn thin_lto_of_one_unit() {
    panics_reach_go("lto = \"thin\"\ncodegen-units = 1");
}

/// rustc leaves out where panics are.
#[test]
fn without_places() {
    let dir = scratch();
    let config = dir.path().join("profiles/.cargo");
    std::fs::create_dir_all(&config).unwrap();
    let flags = "[build]\nrustflags = [\"-Zlocation-detail=none\"]\n";
    std::fs::write(config.join("config.toml"), flags).unwrap();
    let ran = runs(&build(dir.path(), ""), &[("PROFILES_NO_PLACE", "1")]).success();
    assert!(ran.stdout.contains("PASS"), "{}", ran.stdout);
}

/// A panic that Rust catches is told of on standard error: once, and no other is.
#[track_caller]
fn caught_panics_are_reported(profile: &str) {
    let dir = scratch();
    let program = build(dir.path(), &format!("{profile}\n{CATCHES}"));
    let ran = runs(&program, &[]).success();
    let reports = ran.stderr.matches("panicked at src/lib.rs").count();
    assert_eq!(reports, 50, "{}", ran.stderr);
}

#[test]
fn caught_panics_are_reported_in_a_release() {
    caught_panics_are_reported("");
}

/// Here the end of the catch is copied into the function that catches.
#[test]
fn caught_panics_are_reported_with_thin_lto() {
    caught_panics_are_reported("lto = \"thin\"");
}

/// Here nothing is left of the end of the catch but what is copied.
#[test]
fn catches_with_fat_lto() {
    panics_reach_go(&format!("lto = \"fat\"\n{CATCHES}"));
}

#[test]
fn for_size() {
    panics_reach_go("opt-level = \"z\"\nlto = true");
}

#[test]
fn without_optimisation() {
    panics_reach_go("opt-level = 0");
}

#[track_caller]
fn aborted(ran: &Ran) {
    let signal = std::os::unix::process::ExitStatusExt::signal(&ran.status);
    assert_eq!(signal, Some(6), "{}", ran.stderr);
}

/// A Go function that panics cannot unwind such a library: the program ends, with what it panicked with.
#[track_caller]
fn a_panic_in_a_go_function_aborts(profile: &str) {
    let dir = scratch();
    let program = build(dir.path(), &format!("{profile}\npanic = \"abort\""));
    let ran = runs(&program, &[("PROFILES_ABORT", "callback")]);
    aborted(&ran);
    assert!(
        ran.stderr.starts_with("panic: of the Go function"),
        "{}",
        ran.stderr
    );
    let mut vet = go::command(Release::Newest, &dir.path().join("go"), false);
    go::succeed(vet.arg("vet"), &[]);
}

#[test]
fn a_panic_in_a_go_function_aborts_a_library_that_aborts() {
    a_panic_in_a_go_function_aborts("");
}

#[test]
fn a_panic_in_a_go_function_aborts_a_library_that_aborts_with_fat_lto() {
    a_panic_in_a_go_function_aborts("lto = \"fat\"");
}

#[test]
fn panic_abort_ends_the_program_with_the_message() {
    let dir = scratch();
    let program = build(dir.path(), "panic = \"abort\"");
    let ran = runs(&program, &[("PROFILES_ABORT", "panic")]);
    aborted(&ran);
    let report = "panicked at src/lib.rs:";
    assert!(ran.stderr.contains(report), "{}", ran.stderr);
    assert!(ran.stderr.contains("the index is 7"), "{}", ran.stderr);
}
