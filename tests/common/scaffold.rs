//! Crates in folders of their own, and a shell in which `rsyso` and `go` are found as a user would find them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::process::{Ran, run};
use super::root;

/// A path that begins with the tool under test and ends with the Go of `make tools`.
pub fn path() -> OsString {
    let tool = Path::new(env!("CARGO_BIN_EXE_rsyso")).parent().unwrap();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(tool.to_owned())
        .chain(std::env::split_paths(&inherited))
        .chain([root().join(".tools/go/bin")]);
    std::env::join_paths(path).unwrap()
}

/// A shell script in a folder, as a user would run it: nothing that cargo told the test reaches it, and no setting of the user's.
pub fn script(dir: &Path, text: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-u", "-c", text]).current_dir(dir);
    for (name, _) in std::env::vars_os() {
        let cargo = name.to_str().is_some_and(|n| {
            n.starts_with("CARGO") && !n.starts_with("CARGO_HOME") && !n.starts_with("CARGO_NET")
        });
        const SETTINGS: [&str; 6] = [
            "GOPACKAGE",
            "MAKEFLAGS",
            "MAKELEVEL",
            "MFLAGS",
            "RUSTFLAGS",
            "RUST_BACKTRACE",
        ];
        if cargo || SETTINGS.iter().any(|s| name == *s) {
            shell.env_remove(name);
        }
    }
    let who = ["AUTHOR", "COMMITTER"];
    shell
        .envs(who.map(|w| (format!("GIT_{w}_NAME"), "Test")))
        .envs(who.map(|w| (format!("GIT_{w}_EMAIL"), "test@example.com")))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH", path())
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off");
    shell
}

/// Runs a shell script.
#[track_caller]
pub fn shell(dir: &Path, text: &str) -> Ran {
    run(&mut script(dir, text), Duration::from_secs(600))
}

/// Writes files below a folder, the folders included.
pub fn put(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[track_caller]
pub fn contains(file: &Path, text: &str) {
    let found = std::fs::read_to_string(file).unwrap();
    assert!(found.contains(text), "{}:\n{found}", file.display());
}
