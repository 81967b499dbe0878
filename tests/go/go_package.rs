//! The written Go packages as Go's own tools see them, and several of them in one program.

use crate::common;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::{verify, workspace};
use crate::common::{archive, convert};

#[test]
fn vet_has_nothing_to_say() {
    for release in [Release::Oldest, Release::Newest] {
        for name in workspace().fixtures() {
            let mut vet = go::command(release, &workspace().fixture(name), false);
            go::succeed(&mut vet, &["vet", "./..."]);
        }
    }
}

/// Of the written packages; their tests are not asked.
#[test]
fn staticcheck_has_nothing_to_say() {
    for name in workspace().fixtures() {
        let mut check = go::staticcheck(&workspace().fixture(name));
        check.args(["-tests=false", "."]);
        let said = run(&mut check, Duration::from_secs(300)).success().stdout;
        assert_eq!(said, "", "{name}");
    }
}

#[test]
fn files_are_formatted() {
    let root = go::succeed(
        &mut go::command(Release::Newest, workspace().path(), false),
        &["env", "GOROOT"],
    );
    let mut gofmt = Command::new(format!("{}/bin/gofmt", root.stdout.trim()));
    gofmt.arg("-l").arg(workspace().path());
    let ran = run(&mut gofmt, Duration::from_secs(60)).success();
    assert_eq!(ran.stdout, "", "not as gofmt formats them");
}

/// Elsewhere the packages compile all the same.
#[test]
fn other_platforms_compile() {
    for (os, arch) in [
        ("windows", "amd64"),
        ("darwin", "arm64"),
        ("linux", "arm64"),
        ("linux", "386"),
        ("js", "wasm"),
    ] {
        for name in workspace().fixtures() {
            let dir = workspace().fixture(name);
            let command = || {
                let mut command = go::command(Release::Newest, &dir, false);
                command.env("GOOS", os).env("GOARCH", arch);
                command
            };
            go::succeed(&mut command(), &["build", "./..."]);
            if (os, arch) == ("linux", "arm64") {
                // With the tests; Go's own library has to be built for that, so one platform is enough.
                go::succeed(&mut command(), &["vet", "./..."]);
            }
        }
    }
}

/// On a platform that is not built a call panics with a sentence that says what to do. This machine runs 386 programs, too.
#[test]
fn an_unsupported_platform_says_so() {
    let out = common::scratch();
    let program = out.path().join("program");
    let mut build = go::command(Release::Newest, &workspace().programs(), false);
    build
        .env("GOARCH", "386")
        .args(["build", "-o"])
        .arg(&program);
    go::succeed(&mut build, &["./exe"]);
    let ran = run(&mut Command::new(&program), Duration::from_secs(60));
    assert_eq!(ran.failure(), 2, "a Go panic ends a program with 2");
    for part in ["panic: text: CountMatches", "linux/386", "GOARCH=amd64"] {
        assert!(ran.stderr.contains(part), "no {part:?} in {}", ran.stderr);
    }
}

/// The written package of a fixture, copied file by file to another import path.
fn copied(fixture: &str) {
    let copy = workspace().path().join("copy").join(fixture);
    std::fs::create_dir_all(&copy).unwrap();
    let module = format!("module rsyso.test/copy/{fixture}\n\ngo 1.21\n");
    std::fs::write(copy.join("go.mod"), module).unwrap();
    for file in std::fs::read_dir(workspace().fixture(fixture)).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && name != "go.mod" && !name.ends_with("_test.go") {
            std::fs::copy(&path, copy.join(name)).unwrap();
        }
    }
}

/// Two libraries in one program, one library under two import paths, and copies of written packages: each keeps its own state.
#[test]
fn packages_do_not_meet() {
    let second = workspace().path().join("second/data");
    std::fs::create_dir_all(&second).unwrap();
    std::fs::write(
        second.join("go.mod"),
        "module rsyso.test/second/data\n\ngo 1.21\n",
    )
    .unwrap();
    convert(&archive("data"), &second, &["-q"]);
    copied("data");
    copied("callbacks");
    let twins = workspace().programs().join("twins");
    for (release, cgo, flags) in [
        (Release::Newest, false, "-buildmode=exe"),
        (Release::Newest, false, "-buildmode=pie"),
        (Release::Newest, true, "-ldflags=-linkmode=external"),
        (Release::Oldest, false, "-buildmode=exe"),
    ] {
        if cgo {
            go::need_c_compiler();
        }
        let out = common::scratch();
        let program = out.path().join("twins");
        let mut build = go::command(release, &twins, cgo);
        build.args(["build", "-o"]).arg(&program);
        go::succeed(&mut build, &[flags, "."]);
        verify(&program);
        let mut program = Command::new(&program);
        // A report for each panic, as with backtraces, would take its time.
        program.env_remove("RUST_BACKTRACE");
        let ran = run(&mut program, Duration::from_secs(60)).success();
        assert_eq!(ran.stdout, "all answers are right\n");
    }
}
