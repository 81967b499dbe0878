//! Go toolchains: which versions, how each is called, in which ways a program can be built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use super::process::{Ran, run};
use super::root;
use super::workspace::workspace;

/// Which of the pinned versions (`tests/toolchains`) is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    Oldest,
    Middle,
    Newest,
}

impl Release {
    /// As in `1.27.3`.
    pub fn version(self) -> &'static str {
        let name = match self {
            Release::Oldest => "oldest",
            Release::Middle => "middle",
            Release::Newest => "newest",
        };
        pinned(name)
    }
}

/// The version of a tool, from the one place where versions are.
fn pinned(name: &str) -> &'static str {
    include_str!("../toolchains")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("tests/toolchains has no line for {name}"))
}

/// The `go` command: on PATH, or where `make tools` puts one.
fn go() -> &'static Path {
    static GO: OnceLock<PathBuf> = OnceLock::new();
    GO.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|dir| dir.join("go"))
            .chain([root().join(".tools/go/bin/go")])
            .find(|go| go.is_file())
            .expect("there is no `go` on PATH nor in .tools: run `make tools`, which installs one")
    })
}

/// A C compiler is part of the test, not an option: without it the cgo modes would go untested.
pub fn need_c_compiler() {
    let found = Command::new("gcc").arg("--version").output();
    assert!(
        found.is_ok_and(|o| o.status.success()),
        "gcc is not installed, and this test links through it; it does not skip itself. \
         Install gcc and the C library's headers and static archive (apt-get install gcc libc6-dev)"
    );
}

/// `go` of a version, in a directory, with cgo or without. Nothing of the user's settings changes what is tested.
pub fn command(release: Release, dir: &Path, cgo: bool) -> Command {
    with_settings(go(), release, dir, cgo)
}

/// Staticcheck, in a directory. It is fetched and built on first use.
pub fn staticcheck(dir: &Path) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let program = BUILT.get_or_init(|| {
        let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        let package = format!(
            "honnef.co/go/tools/cmd/staticcheck@{}",
            pinned("staticcheck")
        );
        let mut install = command(Release::Newest, root(), false);
        succeed(install.env("GOBIN", &bin), &["install", &package]);
        bin.join("staticcheck")
    });
    let mut check = with_settings(program, Release::Newest, dir, false);
    // It calls `go` by itself.
    check.env("PATH", super::scaffold::path());
    check
}

fn with_settings(program: &Path, release: Release, dir: &Path, cgo: bool) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .env("GOTOOLCHAIN", format!("go{}", release.version()))
        .env("CGO_ENABLED", if cgo { "1" } else { "0" })
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .env_remove("GOEXPERIMENT")
        .env_remove("GODEBUG")
        .env_remove("GO_EXTLINK_ENABLED")
        .env_remove("RUST_BACKTRACE");
    command
}

/// Runs `go` with arguments and panics unless it succeeds. The limit has room for building Go's own library.
#[track_caller]
pub fn succeed(command: &mut Command, args: &[&str]) -> Ran {
    run(command.args(args), Duration::from_secs(900)).success()
}

/// Builds a program of `tests/programs` without cgo, into a directory.
#[track_caller]
pub fn program(release: Release, name: &str, out: &Path) -> PathBuf {
    let program = out.join(name);
    let mut build = command(release, &workspace().programs(), false);
    build.args(["build", "-o"]).arg(&program);
    succeed(&mut build, &[&format!("./{name}")]);
    program
}

/// A way to build a test binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Static,
    Pie,
    Race,
    External,
    ExternalPie,
    ExternalStatic,
}

impl Mode {
    /// Whether cgo, and so a C compiler, takes part.
    pub fn cgo(self) -> bool {
        !matches!(self, Mode::Static | Mode::Pie)
    }

    /// What `go build` and `go test` are told.
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Mode::Static => &[],
            Mode::Pie => &["-buildmode=pie"],
            Mode::Race => &["-race"],
            Mode::External => &["-ldflags=-linkmode=external"],
            Mode::ExternalPie => &["-buildmode=pie", "-ldflags=-linkmode=external"],
            Mode::ExternalStatic => &["-ldflags=-linkmode=external -extldflags=-static"],
        }
    }
}
