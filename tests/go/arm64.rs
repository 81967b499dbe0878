//! linux/arm64: fixtures built, converted, and their Go tests run by an emulator. `make arm64` fetches what is needed.
//!
//! The emulator does not let a program start itself again, so tests that do that are left out.

use crate::common::converted::options;
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{convert, root, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// What is tested: a fixture, and its tests that are left out: they start the program again, or take an hour in the emulator.
const FIXTURES: &[(&str, &str)] = &[
    ("plusone", ""),
    ("abi", ""),
    ("threads", ""),
    ("handles", ""),
    (
        "panics",
        "TestReports|TestThereIsNoBacktrace|TestHooks|TestPayload|TestLookAlikes|TestAPanicThatLeaves|TestManyPanics",
    ),
    ("callbacks", "TestMisuseEndsTheProgram"),
    ("cvalues", ""),
    ("ffi", ""),
    ("imports", "TestPlainFunctionsThatPanic"),
    ("kept", "TestMisuse"),
    ("polite", "TestDump|TestPrograms"),
    ("vtables", "TestMisuse"),
];

/// A compiler with the target's std: the machine's, or the one that `make arm64` has fetched.
fn compiler() -> PathBuf {
    let fetched = root().join(".tools/arm64/bin/rustc");
    match fetched.is_file() {
        true => fetched,
        false => "rustc".into(),
    }
}

/// A command of cargo's, for arm64.
fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([command, "--quiet", "--target", TARGET])
        .env("RUSTC", compiler())
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "aarch64-linux-gnu-gcc",
        )
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// Builds a fixture for arm64.
fn library(fixture: &str) -> PathBuf {
    let folder = root().join("fixtures").join(fixture);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arm64");
    let mut cargo = cargo("build");
    cargo
        .args(["--release", "--locked"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(folder);
    run(&mut cargo, Duration::from_secs(1800)).success();
    target
        .join(TARGET)
        .join("release")
        .join(format!("lib{fixture}.a"))
}

/// Runs the Go tests of a package for arm64, with pages of a size. Gives the program.
fn test(release: Release, dir: &Path, skip: &str, flags: &[&str], page: &str) -> PathBuf {
    let program = dir.join("fixture.test");
    let mut build = go::command(release, dir, false);
    build
        .env("GOARCH", "arm64")
        .args(["test", "-c", "-o"])
        .arg(&program);
    go::succeed(&mut build, flags);
    let mut more = vec!["-test.count=1".to_owned()];
    if !skip.is_empty() {
        more.push(format!("-test.skip={skip}"));
    }
    emulate(&program, &["-p", page], &more);
    program
}

/// Runs a program of Go tests in the emulator, all of which are to pass.
fn emulate(program: &Path, flags: &[&str], more: &[String]) {
    let mut test = Command::new("qemu-aarch64");
    test.args(flags)
        .args(["-L", "/usr/aarch64-linux-gnu"])
        .arg(program)
        .arg("-test.timeout=10m")
        .args(more)
        .current_dir(program.parent().unwrap());
    let ran = run(&mut test, Duration::from_secs(660)).success();
    assert!(
        ran.stdout.contains("PASS") && !ran.stdout.contains("no tests to run"),
        "{}",
        ran.stdout
    );
}

#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn fixtures() {
    for (fixture, skip) in FIXTURES {
        let dir = scratch();
        for file in std::fs::read_dir(root().join("fixtures").join(fixture).join("go")).unwrap() {
            let file = file.unwrap();
            // What such a file says holds wherever there is an image.
            let name = file.file_name().into_string().unwrap();
            let name = name.replace("_linux_amd64_test.go", "_linux_arm64_test.go");
            std::fs::copy(file.path(), dir.path().join(name)).unwrap();
        }
        let options = options(fixture);
        let options: Vec<&str> = options.iter().map(String::as_str).chain(["-q"]).collect();
        convert(&library(fixture), dir.path(), &options);
        let mut vet = go::command(Release::Newest, dir.path(), false);
        go::succeed(vet.env("GOARCH", "arm64"), &["vet", "."]);
        let program = test(Release::Newest, dir.path(), skip, &[], "4096");
        if *fixture == "polite" {
            // One instruction at a time, signals come at any of them.
            let more = [
                "-test.run=ShortCalls|Results|GoFunctions|Registers",
                "-test.count=5",
            ];
            emulate(&program, &["-singlestep"], &more.map(String::from));
        }
        test(
            Release::Newest,
            dir.path(),
            skip,
            &["-buildmode=pie"],
            "65536",
        );
        if skip.is_empty() {
            // The emulator is slow: these are enough for another version of Go.
            test(Release::Oldest, dir.path(), skip, &[], "65536");
            test(
                Release::Oldest,
                dir.path(),
                skip,
                &["-buildmode=pie"],
                "4096",
            );
        }
    }
}

/// The runtime's memory functions, against naive ones.
#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn memory_functions() {
    let mut cargo = cargo("test");
    cargo
        .args(["--locked", "--manifest-path"])
        .arg(root().join("rt/Cargo.toml"))
        .arg("mem_tests")
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
            "qemu-aarch64 -L /usr/aarch64-linux-gnu",
        );
    let ran = run(&mut cargo, Duration::from_secs(1800)).success();
    assert!(ran.stdout.contains("8 passed"), "{}", ran.stdout);
}
