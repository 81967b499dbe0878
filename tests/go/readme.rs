//! The README's first crate works as it stands there.

use crate::common;
use crate::common::scaffold::shell;

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
    let ran = shell(dir.path(), &script).success();
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
