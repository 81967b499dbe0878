//! What a call costs: `make bench`.

use crate::common;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::workspace;

/// Prints Go's benchmark table: the same function in Go, through rsyso and through cgo, in one run.
#[test]
#[ignore = "make bench"]
fn calls() {
    go::need_c_compiler();
    let programs = workspace().programs();
    std::fs::copy(
        common::archive("plusone"),
        programs.join("bench/libplusone.a"),
    )
    .unwrap();
    let mut bench = go::command(Release::Newest, &programs, true);
    bench.args(["test", "-run=^$", "-bench=.", "-count=3", "./bench"]);
    let ran = run(&mut bench, Duration::from_secs(600)).success();
    print!("{}", ran.stdout);
}

/// Prints what the checks of arguments cost, each call with them and the assembly behind it alone, and what handles cost.
#[test]
#[ignore = "make bench"]
fn checks() {
    for fixture in ["data", "handles"] {
        let mut bench = go::command(Release::Newest, &workspace().fixture(fixture), false);
        bench.args(["test", "-run=^$", "-bench=.", "-count=3", "."]);
        let ran = run(&mut bench, Duration::from_secs(600)).success();
        print!("{}", ran.stdout);
    }
}
