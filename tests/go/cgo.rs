//! The same package through cgo: what Go calls on platforms without native code, switched on for linux by a build tag. So each fixture runs once
//! through the image and once through cgo, and must say the same.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::copy_sources;
use crate::common::{self, fixtures, root, rsyso};

/// How long a fixture may take to compile, with the crates that it uses.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// The exceptions, each with its reason: the table of docs/CGO.md. A fixture of which no test is named is left out.
fn exceptions() -> &'static [(String, Vec<String>)] {
    static READ: OnceLock<Vec<(String, Vec<String>)>> = OnceLock::new();
    READ.get_or_init(|| {
        let page = std::fs::read_to_string(root().join("docs/CGO.md")).unwrap();
        let table = page
            .split_once("| fixture | left out | because |\n")
            .unwrap()
            .1;
        let rows = table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'));
        let read = rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [fixture, tests, reason] = cells[..] else {
                panic!("{row}");
            };
            assert!(!reason.is_empty(), "{row}");
            let tests = tests
                .split(['`', ',', ' '])
                .filter(|t| t.starts_with("Test"));
            (fixture.to_owned(), tests.map(str::to_owned).collect())
        });
        read.collect()
    })
}

/// Whether a fixture is not called through cgo at all.
fn left_out(name: &str) -> bool {
    let mut of = exceptions().iter().filter(|(fixture, _)| fixture == name);
    of.any(|(_, tests)| tests.is_empty())
}

/// The exceptions are of tests that there are.
#[test]
fn exceptions_are_tests() {
    let mut named = 0;
    for (fixture, tests) in exceptions() {
        let dir = root().join("fixtures").join(fixture).join("go");
        let files = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{fixture}: {e}"));
        let texts: String = files
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_str().unwrap().ends_with("_test.go"))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        for test in tests {
            named += 1;
            assert!(
                texts.contains(&format!("func {test}(")),
                "{fixture}: {test}"
            );
        }
    }
    assert!(named > 20, "{named}");
}

/// Builds a fixture for cgo, and runs its Go tests through that; its API and its documentation are those of the native file.
fn oracle(name: &str) {
    let out = common::scratch();
    let sources = root().join("fixtures").join(name);
    copy_sources(&sources.join("go"), out.path());
    build(&sources, out.path(), &[name]);
    says_the_same(name, out.path());
}

/// The same of an example, whose crate and package are one folder.
fn example(name: &str) {
    let out = common::scratch();
    let sources = root().join("examples").join(name);
    copy_sources(&sources, out.path());
    // What the package's `go generate` says.
    let said = files_of(&sources).find_map(|text| {
        let line = text
            .lines()
            .find(|l| l.starts_with("//go:generate rsyso build"))?;
        Some(line["//go:generate rsyso build".len()..].to_owned())
    });
    let said = said.unwrap_or_else(|| panic!("{name}: nothing generates it"));
    let options = said.split_whitespace().filter(|o| *o != "--locked");
    compile(&sources, out.path(), options);
    says_the_same(name, out.path());
}

/// The Go files of a folder.
fn files_of(dir: &Path) -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(dir).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let go = paths.filter(|path| path.extension().is_some_and(|e| e == "go"));
    go.map(|path| std::fs::read_to_string(path).unwrap())
}

/// The Go tests of a package pass through cgo, but for the exceptions; API and documentation are those of the native file.
fn says_the_same(name: &str, dir: &Path) {
    go::need_c_compiler();
    let mut vet = go::command(Release::Newest, dir, true);
    vet.args(["vet", "-tags=rsyso_cgo", "."]);
    run(&mut vet, RUN_LIMIT).success();
    let mut test = go::command(Release::Newest, dir, true);
    test.args(["test", "-tags=rsyso_cgo", "-count=1", "-timeout=4m"])
        .env_remove("RUST_BACKTRACE");
    let of = exceptions().iter().filter(|(fixture, _)| fixture == name);
    let skipped: Vec<&str> = of
        .flat_map(|(_, tests)| tests)
        .map(String::as_str)
        .collect();
    if !skipped.is_empty() {
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
    let import_path = format!("rsyso.test/{}", name.concat());
    let own = ["--import-path", &import_path];
    compile(
        sources,
        dir,
        own.into_iter().chain(options.split_whitespace()),
    );
}

/// `rsyso build --cgo`
fn compile<'a>(sources: &Path, dir: &Path, options: impl Iterator<Item = &'a str>) {
    let mut command = rsyso();
    command
        .args(["build", "--cgo", "-q", "--locked", "-o"])
        .arg(dir)
        .args(options)
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
fn functions_that_are_called_in_any_call() {
    for name in ["kept", "imports", "vtables"] {
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
#[ignore = "builds all fixtures and examples twice"]
fn all() {
    let mut failed = Vec::new();
    let mut attempt = |name: String, of: fn(&str)| {
        eprintln!("{name}");
        if std::panic::catch_unwind(|| of(&name)).is_err() {
            failed.push(name);
        }
    };
    for name in fixtures().into_iter().filter(|name| !left_out(name)) {
        attempt(name, oracle);
    }
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").is_file() {
            attempt(
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                example,
            );
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// A library that is another one for the target: here, in the folder that it is built in for cgo.
#[test]
fn an_api_that_is_another_one_there_is_refused() {
    let out = common::scratch();
    let file = |name: &str, text: &str| {
        let path = out.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file(
        "Cargo.toml",
        "[package]\nname = \"apart\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
    );
    file(
        "build.rs",
        "fn main() { if std::env::var(\"OUT_DIR\").unwrap().contains(\"rsyso-cgo\") { println!(\"cargo:rustc-cfg=other\"); } }",
    );
    file(
        "src/lib.rs",
        "#![allow(unexpected_cfgs)]\n\
         #[cfg(other)]\ntype Long = i32;\n#[cfg(not(other))]\ntype Long = i64;\n\
         #[repr(C)]\npub struct Status { a: u32, #[cfg(other)] more: u32, b: u32 }\n\
         #[no_mangle]\npub extern \"C\" fn apart_long(x: Long) -> Long { x }\n\
         #[no_mangle]\npub extern \"C\" fn apart_sum(s: &Status) -> u32 { s.a + s.b }\n\
         #[no_mangle]\npub extern \"C\" fn apart_same(x: u32) -> u32 { x }\n",
    );
    let mut command = rsyso();
    command
        .args(["build", "--cgo", "-q", "-o"])
        .arg(out.path().join("go"))
        .current_dir(out.path());
    let ran = run(&mut command, BUILD_LIMIT);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    for said in [
        "apart_long is another function on linux/amd64: parameter `x`: `i32` there, and `i64` here",
        "apart_sum is another function on linux/amd64: parameter `s`: `Status`: it has 12 bytes there, and 8 here",
    ] {
        assert!(ran.stderr.contains(said), "no {said:?} in {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("apart_same"), "{}", ran.stderr);
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
