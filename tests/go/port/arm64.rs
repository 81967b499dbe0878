//! linux/arm64: bindings ported for both machines by one command, and their tests run by an emulator. `make arm64` fetches what is needed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{fixture, port, published, told, told_results};
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::scratch;

/// The C compiler for that machine.
const CC: &str = "aarch64-linux-gnu-gcc";

/// What became of each test on arm64, with cgo or ported; `report` is for what the tests write down.
#[track_caller]
fn results(dir: &Path, cgo: bool, report: &Path) -> BTreeMap<String, String> {
    let out = scratch();
    let program = out.path().join("port.test");
    let mut build = go::command(Release::Newest, dir, cgo);
    build.env("GOARCH", "arm64").env("CC", CC);
    build.args(["test", "-c", "-o"]).arg(&program);
    go::succeed(&mut build, &["."]);
    let mut test = Command::new("qemu-aarch64");
    test.args(["-L", "/usr/aarch64-linux-gnu"])
        .arg(&program)
        .args(["-test.v", "-test.count=1"])
        .env("REPORT", report)
        .env_remove("RUST_BACKTRACE")
        .current_dir(dir);
    told_results(&run(&mut test, Duration::from_secs(900)).success().stdout)
}

/// Ports for both machines, and gives how many tests pass on arm64.
#[track_caller]
fn ported(dir: &Path) -> usize {
    port(dir, &["-q"]).success();
    let results = results(dir, false, Path::new(""));
    assert!(results.values().all(|r| r == "PASS"), "{results:?}");
    results.len()
}

#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn names_mean_what_they_mean_under_cgo() {
    let dir = fixture("mapping");
    port(dir.path(), &["-q"]).success();
    let [with, without] = [true, false].map(|cgo| {
        let report = dir.path().join(format!("report-{cgo}"));
        results(dir.path(), cgo, &report);
        std::fs::read_to_string(report).unwrap()
    });
    super::same_names(&with, &without);
    // Where a file is not the same on both machines, each has its own.
    for name in [
        "rsyso_cgo_amd64.go",
        "rsyso_cgo_arm64.go",
        "mapping_rsyso.go",
    ] {
        assert!(dir.path().join(name).is_file(), "{name}");
    }
    // A machine that is asked for alone is the only one.
    let mut alone = crate::common::rsyso();
    alone.args(["port", "-q"]).env("GOARCH", "amd64");
    run(alone.current_dir(dir.path()), Duration::from_secs(300)).success();
    let left = super::all(dir.path());
    let mut left = left.keys().filter_map(|path| path.to_str());
    assert!(!left.any(|path| path.contains("arm64")), "{left:?}");
    assert!(dir.path().join("rsyso_cgo.go").is_file());
}

#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn go_functions_that_c_calls() {
    assert_eq!(ported(fixture("callbacks").path()), 7);
}

#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn automerge() {
    let dir = published(
        "github.com/automerge/automerge-go",
        "v0.0.0-20230903201930-b80ce8aadbb9",
        &[],
    );
    let tests = told("`github.com/automerge/automerge-go`");
    assert_eq!(ported(dir.path()), tests);
}
