//! The same package through cgo: what Go calls on platforms without native code, switched on for linux by a build tag. So each fixture runs once
//! through the image and once through cgo, and must say the same.

use std::path::Path;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::copy_sources;
use crate::common::{self, fixtures, root, rsyso};

/// How long a fixture may take to compile, with the crates that it uses.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// Tests that say something else through cgo, each with the reason (docs/CGO.md has them for users).
const EXCEPTIONS: &[(&str, &[&str])] = &[
    (
        "panics",
        &[
            // A hook that the library sets in the place of the shim's hides the place of a panic.
            "TestHooksOfTheLibrary",
            // The Go runtime is told of SIGABRT by a handler of its own: the status is 2.
            "TestAPanicThatLeavesAnInnerPlainFunctionEndsTheProgram",
            // Other functions stand in a trace.
            "TestTrace",
            // What makes backtraces is always there.
            "TestThereIsNoBacktrace",
            // Some bytes of each panic that leaves an `extern "C"` function are leaked.
            "TestManyPanics",
        ],
    ),
    (
        "io",
        &[
            // A handler that the library sets for a signal takes the place of Go's.
            "TestAsyncMix",
            // Go and the library have one environment.
            "TestEnvironment",
            "TestEnvironmentOfChildren",
            // The C library has two of its own ignored in children.
            "TestChildrenHaveCleanSignals",
        ],
    ),
    // The end of the stack is the system's to tell: SIGSEGV.
    ("handles", &["TestCloseBeforeAPanic"]),
    ("blocking", &["TestUnderCollections"]),
    // Stacks are the threads' own.
    ("threads", &["TestStackSizes", "TestDeepRecursion"]),
    // The allocator is the system's.
    ("heap", &["TestFreeMemoryGoesBackToTheSystem"]),
    (
        "callbacks",
        &[
            // As above.
            "TestOverflow",
            // A function that is called too late is a panic in Rust.
            "TestMisuseEndsTheProgram",
            // runtime.Goexit leaves the library's frames as they are.
            "TestGoexit",
        ],
    ),
];

/// Fixtures that are not called through cgo, each with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "kept",
        "functions that the library keeps are refused so far",
    ),
    ("vtables", "function pointers in structs are refused so far"),
    (
        "overflow",
        "the end of the stack and faults are the system's",
    ),
    ("polite", "it tests how calls become system calls of Go's"),
];

/// Builds a fixture for cgo, and runs its Go tests through that; its API and its documentation are those of the native file.
fn oracle(name: &str) {
    go::need_c_compiler();
    let out = common::scratch();
    let dir = out.path();
    let sources = root().join("fixtures").join(name);
    copy_sources(&sources.join("go"), dir);
    build(&sources, dir, &[name]);
    let mut vet = go::command(Release::Newest, dir, true);
    vet.args(["vet", "-tags=rsyso_cgo", "."]);
    run(&mut vet, RUN_LIMIT).success();
    let mut test = go::command(Release::Newest, dir, true);
    test.args(["test", "-tags=rsyso_cgo", "-count=1", "-timeout=4m"])
        .env_remove("RUST_BACKTRACE");
    if let Some((_, skipped)) = EXCEPTIONS.iter().find(|(fixture, _)| *fixture == name) {
        test.arg(format!("-skip=^({})$", skipped.join("|")));
    }
    let ran = run(test.arg("."), RUN_LIMIT).success();
    assert!(
        !ran.stdout.contains("no tests to run"),
        "{name}: {}",
        ran.stdout
    );
    same_documentation(name, dir);
}

/// `rsyso build --cgo` with the options of the fixture.
fn build(sources: &Path, dir: &Path, name: &[&str]) {
    let options = std::fs::read_to_string(sources.join("options")).unwrap_or_default();
    let mut command = rsyso();
    command
        .args(["build", "--cgo", "-q", "--locked", "-o"])
        .arg(dir)
        .args(["--import-path", &format!("rsyso.test/{}", name.concat())])
        .args(options.split_whitespace())
        .current_dir(sources)
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut command, BUILD_LIMIT).success();
}

/// What `go doc` says of the file that calls through cgo is what it says of the native one.
fn same_documentation(name: &str, dir: &Path) {
    let told = |file: &str| {
        let alone = common::scratch();
        std::fs::copy(dir.join("go.mod"), alone.path().join("go.mod")).unwrap();
        let text = std::fs::read_to_string(dir.join(file)).unwrap();
        let (before, after) = text.split_once("//go:build").unwrap();
        let rest = after.split_once('\n').unwrap().1;
        std::fs::write(alone.path().join("x.go"), format!("{before}{rest}")).unwrap();
        let mut doc = go::command(Release::Newest, alone.path(), true);
        run(doc.args(["doc", "-all", "."]), RUN_LIMIT)
            .success()
            .stdout
    };
    let native = told(&format!("{name}.go"));
    assert!(native.contains("func "), "{native}");
    assert_eq!(native, told(&format!("{name}_cgo.go")), "{name}");
}

#[test]
fn calls_panics_and_handles() {
    for name in ["panics", "handles"] {
        oracle(name);
    }
}

#[test]
fn callbacks_and_sums() {
    for name in ["callbacks", "sums"] {
        oracle(name);
    }
}

/// `make oracle`
#[test]
#[ignore = "builds all fixtures twice"]
fn all() {
    let left_out = |name: &str| LEFT_OUT.iter().any(|(fixture, _)| *fixture == name);
    for name in fixtures().iter().filter(|name| !left_out(name)) {
        eprintln!("{name}");
        oracle(name);
    }
}

#[test]
fn what_cannot_be_called_through_cgo_is_named() {
    let out = common::scratch();
    let sources = root().join("fixtures/kept");
    let mut command = rsyso();
    command
        .args([
            "build", "--cgo", "-q", "--locked", "--keeps", "listen*", "-o",
        ])
        .arg(out.path().join("go"))
        .current_dir(sources);
    let ran = run(&mut command, BUILD_LIMIT);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("listen cannot be called through cgo"),
        "{}",
        ran.stderr
    );
    assert!(!out.path().join("go").exists(), "files were left behind");
}

/// A package with an archive for darwin, as a run on a Mac would have left one: further runs keep it, and its platform has the one file or the other, by
/// what cgo is set to.
#[test]
fn runs_for_several_machines_make_one_package() {
    let out = common::scratch();
    let dir = out.path();
    let sources = root().join("fixtures/plusone");
    let go_mod = "module rsyso.test/plusone\n\ngo 1.21\n";
    std::fs::write(dir.join("go.mod"), go_mod).unwrap();
    build(&sources, dir, &["plusone"]);
    let file = dir.join("plusone_cgo.go");
    let alone = std::fs::read_to_string(&file).unwrap();
    let line = "#cgo darwin,arm64 LDFLAGS: ${SRCDIR}/plusone_darwin_arm64.a -lSystem\n";
    let from_the_mac = alone.replacen("#cgo linux", &format!("{line}#cgo linux"), 1);
    std::fs::write(&file, from_the_mac).unwrap();
    std::fs::write(dir.join("plusone_darwin_arm64.a"), "!<arch>\n").unwrap();
    build(&sources, dir, &["plusone"]);
    let both = std::fs::read_to_string(&file).unwrap();
    assert!(both.contains(line) && both.contains("#cgo linux,amd64 LDFLAGS"));

    let files = |goos: &str, goarch: &str, cgo: bool, tags: &str| {
        let mut list = go::command(Release::Newest, dir, cgo);
        list.env("GOOS", goos).env("GOARCH", goarch).args([
            "list",
            "-f",
            "{{.GoFiles}} {{.CgoFiles}} {{.SFiles}} {{.SysoFiles}}",
            tags,
            ".",
        ]);
        run(&mut list, RUN_LIMIT).success().stdout
    };
    let (image, through_cgo) = (
        "[plusone.go] [] [plusone_linux_amd64.s] [plusone_linux_amd64.syso]\n",
        "[] [plusone_cgo.go] [] []\n",
    );
    let neither = "[plusone_unsupported.go] [] [] []\n";
    for (goos, goarch, cgo, tags, expected) in [
        ("linux", "amd64", false, "-tags=", image),
        ("linux", "amd64", true, "-tags=", image),
        ("linux", "amd64", false, "-tags=rsyso_cgo", image),
        ("darwin", "arm64", true, "-tags=", through_cgo),
        ("darwin", "arm64", false, "-tags=", neither),
        ("darwin", "amd64", true, "-tags=", neither),
        ("windows", "amd64", true, "-tags=", neither),
        ("linux", "386", true, "-tags=rsyso_cgo", neither),
    ] {
        let seen = files(goos, goarch, cgo, tags);
        assert_eq!(seen, expected, "{goos}/{goarch}, cgo {cgo}, {tags}");
    }
    // With the tag, the image is linked without being called.
    let seen = files("linux", "amd64", true, "-tags=rsyso_cgo");
    assert_eq!(seen, "[] [plusone_cgo.go] [] [plusone_linux_amd64.syso]\n");

    let mut vet = go::command(Release::Newest, dir, false);
    vet.env("GOOS", "darwin").env("GOARCH", "arm64");
    go::succeed(&mut vet, &["vet", "."]);
    // This machine runs programs for 386, too: what is said there is said on darwin without cgo.
    let test =
        "package plusone\n\nimport \"testing\"\n\nfunc TestCall(*testing.T) { Plusone(1) }\n";
    std::fs::write(dir.join("call_test.go"), test).unwrap();
    let mut test = go::command(Release::Newest, dir, false);
    let ran = run(test.env("GOARCH", "386").args(["test", "."]), RUN_LIMIT);
    ran.failure();
    for part in [
        "linux/386",
        "code for darwin/arm64",
        "CGO_ENABLED=1 and a C compiler",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in {}", ran.stdout);
    }
}

/// Archives of other sources are not linked: the run that would leave them behind is refused.
#[test]
fn what_is_stale_is_refused() {
    let out = common::scratch();
    let sources = root().join("fixtures/plusone");
    build(&sources, out.path(), &["plusone"]);
    let go = out.path().join("plusone_cgo.go");
    let before = std::fs::read_to_string(&go).unwrap();
    let digest = before.split_once("SHA-256 ").unwrap().1;
    std::fs::write(&go, before.replace(&digest[..64], &"0".repeat(64))).unwrap();
    let native = || {
        let mut command = rsyso();
        command
            .args(["build", "-q", "--locked", "-o"])
            .arg(out.path())
            .args(["--import-path", "rsyso.test/plusone"])
            .current_dir(&sources);
        run(&mut command, BUILD_LIMIT)
    };
    let ran = native();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("is of other sources or of another version"),
        "{}",
        ran.stderr
    );
    // What is of the same sources stays.
    std::fs::write(&go, &before).unwrap();
    native().success();
    assert!(
        std::fs::read_to_string(&go)
            .unwrap()
            .contains("plusone_linux_amd64.a")
    );
    // Without the archive there is nothing to call.
    std::fs::remove_file(out.path().join("plusone_linux_amd64.a")).unwrap();
    let ran = native();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("no archive is left"), "{}", ran.stderr);
}
