//! What calls of two ported bindings cost, beside the same bindings under cgo: a part of `make bench`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{need_c_compiler, port, rure_binding, wasmtime_binding};
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{root, scratch};

/// How often each of the two runs, in turns.
const TURNS: usize = 8;

/// Ports a binding, adds benchmarks to its tests, and prints the least time of each, with cgo and ported.
fn beside_cgo(name: &str, dir: &Path) {
    need_c_compiler();
    port(dir, &["-q"]).success();
    let file = format!("{name}_bench_test.go");
    std::fs::copy(
        root().join("tests/go/port/bench").join(&file),
        dir.join(&file),
    )
    .unwrap();
    let out = scratch();
    let programs = [true, false].map(|cgo| build(dir, cgo, out.path()));
    let mut least = [const { BTreeMap::new() }; 2];
    for _ in 0..TURNS {
        for (program, least) in programs.iter().zip(&mut least) {
            let mut bench = Command::new(program);
            bench.args(["-test.run=^$", "-test.bench=.", "-test.benchtime=30ms"]);
            let ran = run(bench.current_dir(dir), Duration::from_secs(120)).success();
            for line in ran.stdout.lines().filter(|l| l.ends_with("ns/op")) {
                let words: Vec<&str> = line.split_whitespace().collect();
                let time: f64 = words[2].parse().unwrap();
                let at = words[0].rsplit_once('-').map_or(words[0], |(name, _)| name);
                let least = least.entry(at.to_owned()).or_insert(f64::MAX);
                *least = least.min(time);
            }
        }
    }
    let [with, without] = &least;
    assert!(
        !with.is_empty() && with.len() == without.len(),
        "{with:?} {without:?}"
    );
    println!(
        "{name:<28} {:>12} {:>12} {:>8}",
        "ns with cgo", "ns ported", "ratio"
    );
    for (at, with) in with {
        let ported = without[at];
        println!("{at:<28} {with:12.1} {ported:12.1} {:8.2}", ported / with);
    }
}

fn build(dir: &Path, cgo: bool, out: &Path) -> PathBuf {
    let program = out.join(format!("cgo-{cgo}.test"));
    let mut build = go::command(Release::Newest, dir, cgo);
    go::succeed(build.args(["test", "-c", "-o"]).arg(&program), &["."]);
    program
}

#[test]
#[ignore = "make bench"]
fn rure() {
    let dir = scratch();
    rure_binding(dir.path());
    beside_cgo("rure", dir.path());
}

#[test]
#[ignore = "make bench"]
fn wasmtime() {
    beside_cgo("wasmtime", wasmtime_binding("v25", "v25.0.0").path());
}
