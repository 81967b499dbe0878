//! What a call costs: `make bench`.

use crate::common;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::{copy_sources, workspace};

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

/// Prints a call beside those of other ways to native code: cgo, purego, wazero.
#[test]
#[ignore = "make bench-peers"]
fn peers() {
    go::need_c_compiler();
    let programs = workspace().path().join("tests/peers");
    copy_sources(&common::root().join("tests/peers"), &programs);
    let archive = common::archive("plusone");
    std::fs::copy(&archive, programs.join("libplusone.a")).unwrap();
    let object = programs.join("libplusone.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-o"]).arg(&object);
    cc.args([
        "-Wl,--whole-archive",
        "libplusone.a",
        "-Wl,--no-whole-archive",
    ]);
    run(cc.current_dir(&programs), Duration::from_secs(60)).success();
    let mut bench = go::command(Release::Newest, &programs, true);
    // Many short runs: some of them are not disturbed, and the fastest is told.
    bench.args([
        "test",
        "-run=^$",
        "-bench=.",
        "-count=100",
        "-benchtime=3ms",
        ".",
    ]);
    let ran = run(bench.env("PLUSONE_SO", &object), Duration::from_secs(600)).success();
    let fastest = fastest(&ran.stdout);
    let plain = fastest["BenchmarkGo"];
    for (name, nanoseconds) in &fastest {
        let ratio = nanoseconds / plain;
        println!("{name:<30} {nanoseconds:8.2} ns {ratio:7.1} calls of Go");
    }
    assert_eq!(fastest.len(), 7, "{}", ran.stdout);
}

/// The least time of each benchmark, in nanoseconds, from lines like `BenchmarkGo-2  1000  1.2 ns/op`.
fn fastest(output: &str) -> BTreeMap<String, f64> {
    let mut fastest = BTreeMap::new();
    for line in output.lines().filter(|l| l.ends_with("ns/op")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words[0].rsplit_once('-').map_or(words[0], |(name, _)| name);
        let time: f64 = words[2].parse().unwrap();
        let least = fastest.entry(name.to_owned()).or_insert(time);
        *least = least.min(time);
    }
    fastest
}
