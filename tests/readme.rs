//! The README's first crate works as it stands there.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::process::run;

/// The one block of shell commands in the README.
fn first_crate() -> String {
    let readme = std::fs::read_to_string(common::root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 1, "the README has one block of commands");
    blocks[0].to_owned()
}

#[test]
fn the_first_crate_goes_from_nothing_to_go_test() {
    let script = first_crate();
    assert!(script.lines().count() < 20, "it is to be short");
    // Not below this repository: `cargo new` would make the new crate a member of its workspace.
    let dir = tempfile::tempdir().unwrap();
    let tool = Path::new(env!("CARGO_BIN_EXE_rsyso")).parent().unwrap();
    let mut path = vec![tool.to_owned()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    path.push(common::root().join(".tools/go/bin"));
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-u", "-c", &script])
        .current_dir(dir.path())
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("GOFLAGS", "-count=1")
        .env_remove("GOPACKAGE")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET");
    let ran = run(&mut shell, Duration::from_secs(600)).success();
    assert!(
        ran.stdout.contains("ok  \texample.com/hello"),
        "{}",
        ran.stdout
    );
    for file in [
        "hello_linux_amd64.syso",
        "hello_linux_amd64.s",
        "hello.go",
        "hello_unsupported.go",
    ] {
        assert!(dir.path().join("hello").join(file).is_file(), "{file}");
    }
}
