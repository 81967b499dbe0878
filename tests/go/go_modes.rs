//! The Go tests of all fixtures, and programs on them, in every mode of `go build`, on the pinned versions of Go.
//!
//! CI runs the newest version in all modes, and the others as static program and as position-independent executable;
//! `make matrix` (`cargo test --test go go_modes:: -- --include-ignored`) runs everything.

use crate::common;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::elf::{Shape, shape};
use crate::common::go::{self, Mode, Release};
use crate::common::process::run;
use crate::common::workspace::{put_fixture, verify, workspace};

const RUN_LIMIT: Duration = Duration::from_secs(300);

/// Builds the test binaries of all fixtures in one mode, looks at each, and runs it.
fn test_fixtures(release: Release, mode: Mode) {
    for name in workspace().fixtures() {
        let dir = workspace().fixture(name);
        test_fixture(release, mode, (name, &dir), None);
    }
}

/// The same of one fixture. Its test of an allocator may be told how long to go on.
fn test_fixture(release: Release, mode: Mode, (name, dir): (&str, &Path), seconds: Option<u64>) {
    if mode.cgo() {
        go::need_c_compiler();
    }
    let out = common::scratch();
    let program = out.path().join(format!("{name}.test"));
    let mut build = go::command(release, dir, mode.cgo());
    build.args(["test", "-c", "-o"]).arg(&program);
    go::succeed(&mut build, mode.flags());
    let expected = match mode {
        Mode::Static | Mode::ExternalStatic => Some((false, false)),
        Mode::Pie | Mode::ExternalPie => Some((true, true)),
        // Whether these are position-independent is the C compiler's choice.
        Mode::Race | Mode::External => None,
    };
    let found = shape(&program);
    if let Some((interpreted, position_independent)) = expected {
        let expected = Shape {
            interpreted,
            position_independent,
        };
        assert_eq!(found, expected, "{name} in {mode:?}");
    }
    verify(&program);
    let mut test = Command::new(&program);
    // With backtraces std keeps the program's symbols, and a hundred thousand panics take their time.
    test.args(["-test.timeout=4m", "-test.count=1"])
        .env_remove("RUST_BACKTRACE")
        .current_dir(dir);
    if let Some(seconds) = seconds {
        test.env("RSYSO_ALLOCATORS_SECONDS", seconds.to_string());
        test.arg("-test.timeout=1h");
    }
    let limit = RUN_LIMIT + Duration::from_secs(seconds.unwrap_or(0));
    let ran = run(&mut test, limit).success();
    assert!(
        ran.stdout.contains("PASS") && !ran.stdout.contains("no tests to run"),
        "{name} in {mode:?} ran nothing: {}",
        ran.stdout
    );
}

/// Two fixtures as static programs; no other is built or converted.
#[test]
#[ignore = "make test-quick"]
fn quick() {
    for name in ["data", "panics"] {
        let dir = common::scratch();
        put_fixture(name, dir.path());
        test_fixture(Release::Newest, Mode::Static, (name, dir.path()), None);
    }
}

/// `make allocators-long`
#[test]
#[ignore = "make allocators-long"]
fn allocators() {
    const SECONDS: u64 = 180;
    for mode in [
        Mode::Static,
        Mode::Pie,
        Mode::Race,
        Mode::External,
        Mode::ExternalPie,
        Mode::ExternalStatic,
    ] {
        for name in ["usesmimalloc", "usesjemalloc"] {
            let dir = workspace().fixture(name);
            test_fixture(Release::Newest, mode, (name, &dir), Some(SECONDS));
            println!("{name} in {mode:?}: right for {SECONDS} seconds");
        }
    }
}

/// Runs a program whose last line says that all is well.
#[track_caller]
fn answers_right(program: &mut Command) {
    let ran = run(program, RUN_LIMIT).success();
    assert!(
        ran.stdout.ends_with("all answers are right\n"),
        "{}\nsaid {}",
        ran.line,
        ran.stdout
    );
}

/// `go test` as users type it.
fn go_test(release: Release) {
    for name in workspace().fixtures() {
        let mut test = go::command(release, &workspace().fixture(name), true);
        go::succeed(&mut test, &["test", "-count=1", "./..."]);
    }
}

/// A program that imports "C" itself.
fn cgo_program(release: Release, link: &str) {
    go::need_c_compiler();
    let out = common::scratch();
    let program = out.path().join("withcgo");
    let mut build = go::command(release, &workspace().programs(), true);
    build.args(["build", "-o"]).arg(&program);
    go::succeed(&mut build, &[link, "./withcgo"]);
    assert!(shape(&program).interpreted);
    verify(&program);
    answers_right(&mut Command::new(&program));
}

/// A shared library that a C program loads.
fn c_shared(release: Release) {
    go::need_c_compiler();
    let out = common::scratch();
    let library = out.path().join("libshared.so");
    let mut build = go::command(release, &workspace().programs(), true);
    build
        .args(["build", "-buildmode=c-shared", "-o"])
        .arg(&library);
    go::succeed(&mut build, &["./shared"]);
    shape(&library);
    verify(&library);
    let host = out.path().join("host");
    let mut gcc = Command::new("gcc");
    gcc.args(["-Wall", "-Werror", "-o"])
        .arg(&host)
        .arg(workspace().programs().join("shared/testdata/host.c"))
        .args(["-ldl", "-lpthread"]);
    run(&mut gcc, RUN_LIMIT).success();
    answers_right(Command::new(&host).arg(&library));
}

/// A plugin, and a program that holds the same packages itself.
fn plugin(release: Release) {
    go::need_c_compiler();
    let out = common::scratch();
    let (program, part) = (out.path().join("plugged"), out.path().join("part.so"));
    for (package, mode, to) in [
        ("./plugged/part", "-buildmode=plugin", &part),
        ("./plugged", "-buildmode=exe", &program),
    ] {
        let mut build = go::command(release, &workspace().programs(), true);
        build.args(["build", mode, "-o"]).arg(to);
        go::succeed(&mut build, &[package]);
        verify(to);
    }
    answers_right(Command::new(&program).arg(&part));
}

/// A module that carries the fixtures in its vendor folder.
fn vendored(release: Release) {
    let copy = common::scratch();
    let module = copy.path().join("tests/programs");
    common::workspace::copy_sources(&workspace().programs(), &module);
    for name in workspace().fixtures() {
        copy_all(
            &workspace().fixture(name),
            &copy.path().join("fixtures").join(name).join("go"),
        );
    }
    go::succeed(
        &mut go::command(release, &module, false),
        &["mod", "vendor"],
    );
    std::fs::remove_dir_all(copy.path().join("fixtures")).unwrap();
    let program = copy.path().join("vendored");
    let mut build = go::command(release, &module, false);
    build.args(["build", "-mod=vendor", "-o"]).arg(&program);
    go::succeed(&mut build, &["./exe"]);
    assert!(!shape(&program).interpreted);
    verify(&program);
    answers_right(&mut Command::new(&program));
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_all(&path, &copy),
            false => _ = std::fs::copy(&path, copy).unwrap(),
        }
    }
}

/// The tests of one version; CI leaves out those that are marked.
macro_rules! modes {
    ($module:ident, $release:expr, $(#[$rest:meta])?) => {
        mod $module {
            use super::*;
            const RELEASE: Release = $release;

            #[test]
            fn static_exe() {
                test_fixtures(RELEASE, Mode::Static);
            }
            #[test]
            fn pie() {
                test_fixtures(RELEASE, Mode::Pie);
            }
            #[test]
            $(#[$rest])?
            fn race() {
                test_fixtures(RELEASE, Mode::Race);
            }
            #[test]
            $(#[$rest])?
            fn external() {
                test_fixtures(RELEASE, Mode::External);
            }
            #[test]
            $(#[$rest])?
            fn external_pie() {
                test_fixtures(RELEASE, Mode::ExternalPie);
            }
            #[test]
            $(#[$rest])?
            fn external_static() {
                test_fixtures(RELEASE, Mode::ExternalStatic);
            }
            #[test]
            $(#[$rest])?
            fn cgo() {
                cgo_program(RELEASE, "-ldflags=");
            }
            #[test]
            $(#[$rest])?
            fn cgo_internal_linking() {
                cgo_program(RELEASE, "-ldflags=-linkmode=internal");
            }
            #[test]
            $(#[$rest])?
            fn c_shared() {
                super::c_shared(RELEASE);
            }
            #[test]
            $(#[$rest])?
            fn plugin() {
                super::plugin(RELEASE);
            }
            #[test]
            $(#[$rest])?
            fn vendored() {
                super::vendored(RELEASE);
            }
            #[test]
            $(#[$rest])?
            fn go_test() {
                super::go_test(RELEASE);
            }
        }
    };
}

modes!(oldest, Release::Oldest, #[ignore = "make matrix"]);
modes!(middle, Release::Middle, #[ignore = "make matrix"]);
modes!(newest, Release::Newest,);
