//! `rsyso init`: what it writes is sound as written, by every tool that will look at it, and it overwrites nothing.

use crate::common;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::scaffold::{self, shell};

fn init(dir: &Path, args: &[&str]) -> Ran {
    run(
        common::rsyso().arg("init").args(args).current_dir(dir),
        Duration::from_secs(60),
    )
}

/// The files below a folder and what they hold.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
    all
}

/// Everything that is done with a crate, by hand and by the files that come with it.
fn is_sound(dir: &Path) {
    let fmt = "cargo fmt --check && cargo clippy --quiet --all-targets -- -D warnings";
    shell(dir, fmt).success();
    // The rule of the Makefile builds the package; what CI runs is in the workflow.
    let workflow = std::fs::read_to_string(dir.join(".github/workflows/ci.yml")).unwrap();
    let steps: Vec<&str> = workflow
        .lines()
        .filter_map(|l| l.trim().strip_prefix("- run: "))
        .collect();
    assert_eq!(steps.len(), 2, "{workflow}");
    for step in &steps {
        shell(dir, step).success();
    }
    let made = shell(dir, "make").success();
    assert!(
        !made.stdout.contains("rsyso"),
        "made twice: {}",
        made.stdout
    );
    shell(dir, "go generate ./...").success();
    let untidy = shell(dir, "gofmt -l .").success().stdout;
    assert_eq!(untidy, "", "not as gofmt formats them");
    for release in [Release::Oldest, Release::Newest] {
        for words in [&["vet", "./..."][..], &["test", "./..."]] {
            go::succeed(&mut go::command(release, dir, false), words);
        }
    }
}

#[test]
fn what_it_writes_is_sound_as_written() {
    // Not below this repository, as a user would have it.
    let tmp = tempfile::tempdir().unwrap();
    let ran = init(tmp.path(), &["hello", "--module", "example.org/me/hello"]).success();
    assert_eq!(ran.stdout, "");
    let dir = tmp.path().join("hello");
    is_sound(&dir);
    // The commands that it prints at the end work in that order.
    let commands: Vec<&str> = ran
        .stderr
        .lines()
        .filter_map(|l| l.strip_prefix("    ").filter(|l| !l.starts_with(' ')))
        .collect();
    assert_eq!(commands.len(), 4, "{}", ran.stderr);
    let ran = shell(tmp.path(), &commands.join("\n")).success();
    assert!(
        ran.stdout.ends_with("3 words, 9 letters\n"),
        "{}",
        ran.stdout
    );
    // No file is ignored that others need.
    shell(&dir, "git init --quiet && git add .").success();
    let kept = shell(&dir, "git ls-files").success().stdout;
    for file in ["hello.go", "hello_linux_amd64.syso", "Cargo.lock"] {
        assert!(kept.lines().any(|l| l == file), "{kept}");
    }
    assert!(!kept.contains("target/"), "{kept}");
}

/// Names that are not alike in Rust, Go and paths, and a folder below a foreign workspace.
#[test]
fn names_with_hyphens_and_of_gos_own_packages_work() {
    let tmp = common::scratch();
    let workspace = tmp.path().join("Cargo.toml");
    std::fs::write(&workspace, "[workspace]\nmembers = []\nresolver = \"3\"\n").unwrap();
    init(tmp.path(), &["a/my-crate"]).success();
    is_sound(&tmp.path().join("a/my-crate"));
    std::fs::create_dir(tmp.path().join("b")).unwrap();
    let args = ["--name", "strings", "--module", "example.org/text/v2"];
    init(&tmp.path().join("b"), &args).success();
    is_sound(&tmp.path().join("b"));
}

/// `members = ["crates/*"]`: a crate in there with a workspace of its own would break all the others.
#[test]
fn a_crate_joins_the_workspace_that_counts_it_among_its_members() {
    let tmp = common::scratch();
    let manifest = tmp.path().join("Cargo.toml");
    let text = "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n";
    std::fs::write(manifest, text).unwrap();
    for name in ["crates/one", "crates/two"] {
        init(tmp.path(), &[name]).success();
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let ran = run(cargo.current_dir(tmp.path()), Duration::from_secs(60)).success();
    for name in ["one", "two"] {
        assert!(
            ran.stdout.contains(&format!("crates/{name}#0.1.0")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn nothing_is_overwritten() {
    let tmp = common::scratch();
    let dir = tmp.path().join("hello");
    init(tmp.path(), &["hello"]).success();
    for file in files(&dir).into_keys() {
        let other = tmp.path().join("other");
        let kept = other.join(file.strip_prefix(&dir).unwrap());
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, "mine").unwrap();
        let before = files(&other);
        let ran = init(tmp.path(), &["other", "--name", "hello"]);
        assert_eq!(ran.failure(), 1);
        let named = kept.strip_prefix(&other).unwrap().display().to_string();
        assert!(ran.stderr.contains(&named), "{}", ran.stderr);
        assert_eq!(files(&other), before);
        std::fs::remove_dir_all(&other).unwrap();
    }
    let before = files(&dir);
    assert_eq!(init(tmp.path(), &["hello"]).failure(), 1);
    assert_eq!(files(&dir), before);
}

#[test]
fn bad_names_are_refused_before_anything_is_written() {
    let tmp = common::scratch();
    for (args, word) in [
        (&["Hello"][..], "`Hello`"),
        (&["hello", "--name", "fn"], "`fn`"),
        (&["hello", "--name", "a b"], "`a b`"),
        (&["hello", "--name", "text_linux"], "text_linux"),
        (&["hello", "--name", "unit-test"], "unit_test"),
        (&["hello", "--module", "not a path"], "`not a path`"),
    ] {
        let ran = init(tmp.path(), args);
        assert_eq!(ran.failure(), 1, "{args:?}");
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
        assert_eq!(files(tmp.path()), BTreeMap::new(), "{args:?}");
    }
}

#[test]
fn json_tells_the_same() {
    let tmp = common::scratch();
    let ran = init(tmp.path(), &["hello", "--json", "-q"]).success();
    assert_eq!(ran.stderr, "");
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["crate"], "hello");
    assert_eq!(json["module"], "example.com/hello");
    assert_eq!(json["package"], "hello");
    let named: Vec<PathBuf> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| tmp.path().join(f.as_str().unwrap()))
        .collect();
    let mut sorted = named.clone();
    sorted.sort();
    assert_eq!(sorted, files(tmp.path()).into_keys().collect::<Vec<_>>());
    let ran = init(tmp.path(), &["hello", "--json"]);
    assert_eq!(ran.failure(), 1);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["error"]["kind"], "fault");
}

/// Git itself says what the line of the hint does (gitattributes(5)).
#[test]
fn git_takes_syso_files_as_binary_and_leaves_lfs_out() {
    let tmp = common::scratch();
    init(tmp.path(), &["hello"]).success();
    let dir = tmp.path().join("hello");
    // As `git lfs track` would have it, before the line.
    let attributes = dir.join(".gitattributes");
    let ours = std::fs::read_to_string(&attributes).unwrap();
    std::fs::write(&attributes, format!("*.syso filter=lfs -text\n{ours}")).unwrap();
    let script = "git init --quiet && git check-attr text filter diff -- x_linux_amd64.syso";
    let ran = shell(&dir, script).success();
    for says in ["text: unset", "filter: unset", "diff: unset"] {
        assert!(ran.stdout.contains(says), "{}", ran.stdout);
    }
}

/// The folder of a crate is moved, and its own folder is the one that counts.
#[test]
fn the_folder_gives_the_name() {
    let tmp = common::scratch();
    let dir = tmp.path().join("words");
    std::fs::create_dir(&dir).unwrap();
    init(&dir, &["-q"]).success();
    scaffold::contains(&dir.join("Cargo.toml"), "name = \"words\"");
    scaffold::contains(&dir.join("go.mod"), "module example.com/words");
    let mut build = Command::new("cargo");
    build.args(["metadata", "--no-deps", "--format-version=1"]);
    run(build.current_dir(&dir), Duration::from_secs(60)).success();
}
