//! What a call costs, and what a conversion does: `make bench`.

mod convert;
mod synthetic;

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

/// Prints what the checks of arguments cost, each call with them and the assembly behind it alone, what handles cost, and how long a collection takes during
/// a call.
#[test]
#[ignore = "make bench"]
fn checks() {
    for fixture in ["data", "handles", "polite"] {
        let mut bench = go::command(Release::Newest, &workspace().fixture(fixture), false);
        bench.args(["test", "-run=^$", "-bench=.", "-count=3", "."]);
        let ran = run(&mut bench, Duration::from_secs(600)).success();
        print!("{}", ran.stdout);
    }
}

/// Prints what blocks of memory cost, beside glibc and mimalloc: the same code in a Go program and natively, in turns.
#[test]
#[ignore = "make bench"]
fn blocks() {
    const TURNS: usize = 5;
    let natively = |name: &str| Command::new(common::archive("heap").with_file_name(name));
    let mut build = go::command(Release::Newest, &workspace().fixture("heap"), false);
    let out = common::scratch();
    let program = out.path().join("heap.test");
    run(
        build.args(["test", "-c", "-o"]).arg(&program),
        Duration::from_secs(300),
    )
    .success();
    let mut in_go = Command::new(program);
    in_go
        .args(["-test.run=^TestRows$"])
        .env("HEAP_ROWS", "1")
        .current_dir(out.path());
    let mut programs = [in_go, natively("rows_glibc"), natively("rows_mimalloc")];
    // For each program, the least of each row; the names come from a native one.
    let mut names = Vec::new();
    let mut least = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        for (program, least) in programs.iter_mut().zip(&mut least) {
            let told = run(program, Duration::from_secs(600)).success().stdout;
            let lines = told
                .lines()
                .map(|l| l.strip_prefix("heap-row ").unwrap_or(l));
            let rows = lines.filter_map(|l| {
                let (time, name) = l.split_once(' ').unwrap_or((l, ""));
                Some((time.parse::<f64>().ok()?, name))
            });
            let (times, told): (Vec<f64>, Vec<&str>) = rows.unzip();
            names = told.into_iter().map(str::to_owned).collect();
            least.resize(times.len(), f64::MAX);
            least.iter_mut().zip(times).for_each(|(l, t)| *l = l.min(t));
        }
    }
    println!(
        "{:>36} {:>11} {:>11} {:>11}",
        "nanoseconds of CPU time per block", "rsyso", "of glibc", "of mimalloc"
    );
    let [ours, glibc, mimalloc] = &least;
    let mut logs = [0.0; 2];
    for (row, name) in names.iter().enumerate() {
        let ratios = [ours[row] / glibc[row], ours[row] / mimalloc[row]];
        logs.iter_mut().zip(ratios).for_each(|(l, r)| *l += r.ln());
        let [of_glibc, of_mimalloc] = ratios;
        println!(
            "{name:>36} {:11.1} {of_glibc:11.2} {of_mimalloc:11.2}",
            ours[row]
        );
    }
    let [of_glibc, of_mimalloc] = logs.map(|log| (log / names.len() as f64).exp());
    println!(
        "{:>36} {:>11} {of_glibc:11.2} {of_mimalloc:11.2}",
        "geometric mean", ""
    );
    assert_eq!(ours.len(), names.len());
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
