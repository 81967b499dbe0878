//! What the tests share: paths, processes, fixtures, Go toolchains, and a look into linked programs.
// Each test crate uses a part of it.
#![allow(dead_code)]

pub mod converted;
pub mod elf;
pub mod go;
pub mod inputs;
pub mod mutate;
pub mod process;
pub mod registry;
pub mod scaffold;
pub mod shapes;
pub mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use process::run;

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fresh directory below cargo's own for tests, removed when dropped.
pub fn scratch() -> tempfile::TempDir {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(parent).unwrap();
    tempfile::tempdir_in(parent).unwrap()
}

/// Cargo's home.
pub fn cargo_home() -> PathBuf {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cargo"))
}

/// How long a test is to run: what the environment says, or as usual.
pub fn seconds(variable: &str, usual: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text:?}")),
        Err(_) => usual,
    }
}

/// The tool under test.
pub fn rsyso() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rsyso"));
    command.env_remove("GOPACKAGE").env("NO_COLOR", "1");
    command
}

/// The fixtures: every folder of `fixtures/` that is a crate.
pub fn fixtures() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("fixtures")).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("Cargo.toml").is_file() && p.join("go/go.mod").is_file())
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    for required in [
        "blocking",
        "callbacks",
        "data",
        "faults",
        "ffi",
        "imports",
        "io",
        "kept",
        "overflow",
        "panics",
        "plusone",
        "polite",
        "text",
        "threads",
    ] {
        assert!(
            names.iter().any(|n| n == required),
            "fixture {required} is gone"
        );
    }
    names
}

/// What is made once for each fixture. Who wants that of another does not wait meanwhile.
pub struct OncePerFixture(Mutex<BTreeMap<String, Arc<OnceLock<PathBuf>>>>);

impl OncePerFixture {
    pub const fn new() -> Self {
        OncePerFixture(Mutex::new(BTreeMap::new()))
    }

    pub fn get(&self, fixture: &str, make: fn(&str) -> PathBuf) -> PathBuf {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(known.entry(fixture.to_owned()).or_default());
        drop(known);
        cell.get_or_init(|| make(fixture)).clone()
    }
}

/// Builds a fixture in release and gives its archive. Cargo sees to it that nothing is built twice, and is asked once.
pub fn archive(fixture: &str) -> PathBuf {
    static BUILT: OncePerFixture = OncePerFixture::new();
    BUILT.get(fixture, build)
}

fn build(fixture: &str) -> PathBuf {
    let dir = root().join("fixtures").join(fixture);
    let target = dir.join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(&dir)
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut cargo, Duration::from_secs(1800)).success();
    target.join("release").join(format!("lib{fixture}.a"))
}

/// Converts `input` into `dir`; panics with what the tool says when that fails.
pub fn convert(input: &Path, dir: &Path, options: &[&str]) {
    let mut command = rsyso();
    command
        .arg("convert")
        .arg(input)
        .arg("-o")
        .arg(dir)
        .args(options);
    let done = run(&mut command, Duration::from_secs(120)).success();
    assert_eq!(
        done.stdout, "",
        "stdout carries only what was asked for, which was nothing"
    );
}
