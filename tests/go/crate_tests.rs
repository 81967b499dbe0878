//! Tests that nobody wrote for this project: those of published crates, run inside a Go program.
//!
//! Each crate's sources come from the registry, at a pinned version, and its tests are built by cargo as ever. The linker
//! that cargo is told to use keeps what it is handed (`crate_tests/linker.sh`): the very same objects are converted, with
//! one small function that calls the program's C `main`, and called by a Go program. Both programs run with the same
//! arguments, and must say the same of each test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::{root, rsyso};

/// A published crate.
struct Published {
    /// Its folder in `tests/crate_tests`.
    name: &'static str,
    /// At least so many tests, in so many programs: what the pinned version has.
    tests: usize,
    programs: usize,
    /// What is not run, with the reason.
    left_out: &'static [(&'static str, &'static str)],
}

impl Published {
    fn manifest(&self) -> PathBuf {
        root().join("tests/crate_tests").join(self.name)
    }

    /// Where it is built. Kept from run to run, like cargo's own target folder.
    fn dir(&self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("crate_tests")
            .join(self.name)
    }

    /// Puts the sources into place, unless they are there for the same manifest.
    fn fetch(&self) {
        let dir = self.dir();
        let files = ["Cargo.toml", "Cargo.lock"];
        let done = dir.join("fetched");
        let same = |file: &&str| {
            std::fs::read(dir.join(file)).ok() == std::fs::read(self.manifest().join(file)).ok()
        };
        if done.is_file() && files.iter().all(same) {
            return;
        }
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        std::fs::create_dir_all(dir.join("src")).unwrap();
        // Cargo looks for it before it tells where the published sources are.
        std::fs::write(dir.join("src/lib.rs"), "").unwrap();
        for file in files {
            std::fs::copy(self.manifest().join(file), dir.join(file)).unwrap();
        }
        let mut metadata = cargo(&dir);
        metadata.args(["metadata", "--format-version=1", "--locked"]);
        let metadata = run(&mut metadata, Duration::from_secs(300)).success();
        let metadata: serde_json::Value = serde_json::from_str(&metadata.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let published = packages
            .iter()
            .find(|p| p["name"] == self.name)
            .expect("the manifest names the published crate as `source`");
        let manifest = Path::new(published["manifest_path"].as_str().unwrap());
        copy_all(manifest.parent().unwrap(), &dir, &files);
        std::fs::write(done, "").unwrap();
    }

    /// Builds the test programs, and gives their paths.
    fn build(&self) -> Vec<PathBuf> {
        let dir = self.dir();
        let mut build = cargo(&dir);
        build
            .args(["test", "--no-run", "--locked", "--message-format=json"])
            .env("CARGO_TARGET_DIR", dir.join("target"))
            .env("RSYSO_KEEP", dir.join("kept"))
            .env(
                "RUSTC_WORKSPACE_WRAPPER",
                root().join("tests/crate_tests/rustc.sh"),
            )
            .env(
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
                root().join("tests/crate_tests/linker.sh"),
            );
        let built = run(&mut build, Duration::from_secs(900)).success();
        let messages = built
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let programs = messages.filter(|m| m["profile"]["test"] == true);
        let programs = programs.filter_map(|m| Some(PathBuf::from(m["executable"].as_str()?)));
        programs.collect()
    }

    /// Makes a Go program that runs the tests of `program`.
    fn inside_go(&self, program: &Path) -> PathBuf {
        let name = program.file_name().unwrap();
        let dir = self.dir().join("go").join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        std::fs::create_dir_all(&dir).unwrap();
        let helpers = root().join("tests/crate_tests");
        std::fs::copy(helpers.join("main.go"), dir.join("main.go")).unwrap();
        std::fs::write(dir.join("go.mod"), "module rsyso.test/inside\n\ngo 1.21\n").unwrap();
        let entry = dir.join("entry.o");
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition=2024", "--crate-type=lib", "--emit=obj"])
            .args(["-Copt-level=2", "-Cdebuginfo=full", "-Cpanic=abort", "-o"])
            .arg(&entry)
            .arg(helpers.join("entry.rs"));
        run(&mut rustc, Duration::from_secs(60)).success();
        let keep = self.dir().join("kept").join(name);
        let kept = std::fs::read_dir(&keep).unwrap();
        let mut kept: Vec<_> = kept.map(|e| e.unwrap().file_name()).collect();
        kept.sort();
        assert!(kept.len() > 10, "the linker got {} files", kept.len());
        let mut convert = rsyso();
        convert
            .args([
                "convert",
                "-q",
                "--export",
                "run_tests",
                "--package",
                "tests",
            ])
            .args(["--stem", "tests", "-o"])
            .arg(dir.join("tests"))
            .arg(&entry)
            .args(kept)
            .current_dir(keep);
        run(&mut convert, Duration::from_secs(120)).success();
        let inside = dir.join("inside");
        let mut build = go::command(Release::Newest, &dir, false);
        build.args(["build", "-o"]).arg(&inside);
        go::succeed(&mut build, &["."]);
        inside
    }

    /// Runs a test program; what it says of each test.
    fn results(&self, program: &Path) -> BTreeMap<String, String> {
        let mut command = Command::new(program);
        command.arg("--test-threads=2").current_dir(self.dir());
        // Cargo would set it; some tests look at files of their package.
        command.env("CARGO_MANIFEST_DIR", self.dir());
        let ran = run(&mut command, Duration::from_secs(240)).success();
        let results = told(&ran);
        let summary = format!(
            "test result: ok. {} passed; 0 failed;",
            count(&results, "ok")
        );
        assert!(
            ran.stdout.contains(&summary),
            "{}\nsays no `{summary}`",
            ran.line
        );
        results
    }

    /// The whole of it.
    fn compare(&self) {
        go::need_c_compiler();
        self.fetch();
        let programs = self.build();
        assert_eq!(programs.len(), self.programs, "{programs:?}");
        let mut tests = 0;
        for program in &programs {
            let inside = self.inside_go(program);
            let natively = self.results(program);
            let in_go = self.results(&inside);
            assert_eq!(natively, in_go, "{}", program.display());
            println!(
                "{}: {} tests passed inside Go as natively, {} ignored",
                program.file_name().unwrap().display(),
                count(&in_go, "ok"),
                in_go.len() - count(&in_go, "ok"),
            );
            tests += in_go.len();
        }
        for (what, reason) in self.left_out {
            println!("left out: {what}: {reason}");
        }
        assert_eq!(tests, self.tests, "tests of {}", self.name);
    }
}

/// rustc takes a test for a program, whose thread-locals may lie at a fixed distance from the thread pointer. `rustc.sh` tells
/// it otherwise, for the crate under test; what that crate takes in from others has thread-locals of the other kind.
const FOREIGN_LOCALS: &str = "brings thread-locals of another crate into the test program";

fn cargo(dir: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(dir)
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// Copies a folder, but not the files at its top that are named in `but`.
fn copy_all(from: &Path, to: &Path, but: &[&str]) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            copy_all(&path, &to.join(name), &[]);
        } else if !but.contains(&name) {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// The lines `test NAME ... RESULT` of the harness.
fn told(ran: &Ran) -> BTreeMap<String, String> {
    let lines = ran.stdout.lines().filter_map(|l| l.strip_prefix("test "));
    let results = lines.filter_map(|l| l.split_once(" ... "));
    results
        .map(|(name, result)| (name.to_owned(), result.to_owned()))
        .collect()
}

fn count(results: &BTreeMap<String, String>, result: &str) -> usize {
    results.values().filter(|r| *r == result).count()
}

#[test]
fn hashbrown() {
    Published {
        name: "hashbrown",
        tests: 109,
        programs: 4,
        left_out: &[
            (
                "tests/rayon.rs, 32 tests, and 23 unit tests of the feature `rayon`",
                FOREIGN_LOCALS,
            ),
            (
                "tests/hasher.rs and tests/serde.rs, 8 tests",
                "need features or crates of their own",
            ),
        ],
    }
    .compare();
}

#[test]
fn regex_syntax() {
    Published {
        name: "regex-syntax",
        tests: 147,
        programs: 1,
        left_out: &[],
    }
    .compare();
}

#[test]
fn serde_json() {
    Published {
        name: "serde_json",
        tests: 58,
        programs: 5,
        left_out: &[
            ("tests/test.rs, 90 tests", FOREIGN_LOCALS),
            (
                "tests/regression, 11 tests",
                "found by a macro of a further crate",
            ),
            (
                "tests/compiletest.rs",
                "runs the compiler, natively marked as ignored",
            ),
        ],
    }
    .compare();
}
