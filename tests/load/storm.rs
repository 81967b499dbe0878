//! 32 goroutines calling into `text`, and eight that make calls of `polite` which last, while the runtime disturbs them: right answers only, and a profile that
//! names Rust functions. The same under settings that make the collector strict, and with the race detector.
//!
//! The same of Go functions that Rust keeps: deep in each other, with stacks that grow and move, with panics.
//!
//! And: any values that Go can make, for every export of three fixtures. No fault.
//!
//! `RSYSO_STORM_SECONDS` sets how long (`make storm`, `make storm-long`).

use crate::common;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::seconds;
use crate::common::workspace::workspace;

fn storm(release: Release, seconds: u64, out: &Path) {
    go_through(&go::program(release, "storm", out), "", seconds, out);
    println!("on Go {}", release.version());
}

/// Runs a program of the storm under settings (GODEBUG).
fn go_through(program: &Path, settings: &str, seconds: u64, out: &Path) {
    let _among_others = crate::among_others();
    let mut storm = Command::new(program);
    storm
        .arg(format!("-seconds={seconds}"))
        .arg("-dir")
        .arg(out)
        .env("GOGC", "1")
        .env("GODEBUG", settings)
        .env_remove("RUST_BACKTRACE");
    let ran = run(&mut storm, Duration::from_secs(seconds * 2 + 120)).success();
    assert!(
        ran.stdout.contains("right answers"),
        "the storm said {}",
        ran.stdout
    );
    println!("{settings} {}", ran.stdout.trim());
}

/// Go functions that Rust keeps.
#[test]
fn kept_functions() {
    let _among_others = crate::among_others();
    let seconds = seconds("RSYSO_STORM_SECONDS", 8) / 2;
    for release in [Release::Oldest, Release::Newest] {
        let out = common::scratch();
        let program = go::program(release, "keeping", out.path());
        for debug in ["", "gcstoptheworld=1", "clobberfree=1"] {
            let mut storm = Command::new(&program);
            storm
                .arg(format!("-seconds={seconds}"))
                .env("GODEBUG", debug);
            let ran = run(&mut storm, Duration::from_secs(seconds + 120)).success();
            assert!(ran.stdout.contains("right answers"), "{}", ran.stdout);
        }
    }
}

/// The lines of a profile that name Rust functions.
fn rust_lines(profile: &str) -> String {
    let lines = profile.lines().filter(|line| line.contains("::"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn on_the_newest_go() {
    let out = common::scratch();
    storm(
        Release::Newest,
        seconds("RSYSO_STORM_SECONDS", 8),
        out.path(),
    );

    let mut pprof = go::command(Release::Newest, out.path(), false);
    let top = go::succeed(
        &mut pprof,
        &[
            "tool",
            "pprof",
            "-top",
            "-nodecount=100000",
            // Among calls that last, what short ones do is little.
            "-nodefraction=0",
            "storm",
            "cpu.pprof",
        ],
    );
    // What a few seconds of samples are sure to meet.
    assert!(
        top.stdout.contains("regex_automata::"),
        "the profile names no function of regex_automata\n{}",
        rust_lines(&top.stdout)
    );
    let mangled = top.stdout.lines().find(|line| {
        let name = line.split_whitespace().last().unwrap_or_default();
        name.starts_with("_ZN") || name.starts_with("_R")
    });
    assert_eq!(mangled, None, "a name is still mangled");

    let mut trace = go::command(Release::Newest, out.path(), false);
    go::succeed(&mut trace, &["tool", "trace", "-pprof=sched", "trace.out"]);
}

#[test]
fn on_the_oldest_go() {
    let out = common::scratch();
    storm(
        Release::Oldest,
        seconds("RSYSO_STORM_SECONDS", 8) / 2,
        out.path(),
    );
}

/// The collector stops the world for all of its work, or for sweeping, too; looks twice at what it found; writes over what it frees (runtime/extern.go).
#[test]
fn with_a_strict_collector() {
    let seconds = seconds("RSYSO_STORM_SECONDS", 16) / 4;
    let (newest, oldest) = (common::scratch(), common::scratch());
    let program = go::program(Release::Newest, "storm", newest.path());
    for settings in ["gcstoptheworld=1", "gcstoptheworld=2", "clobberfree=1"] {
        go_through(&program, settings, seconds, newest.path());
    }
    let program = go::program(Release::Oldest, "storm", oldest.path());
    // From Go 1.26 on its second look never ends if any goroutine computes, Rust or no Rust.
    for settings in ["gccheckmark=1", "gcstoptheworld=1"] {
        go_through(&program, settings, seconds, oldest.path());
    }
}

#[test]
fn with_the_race_detector() {
    go::need_c_compiler();
    let out = common::scratch();
    let program = out.path().join("storm");
    let mut build = go::command(Release::Newest, &workspace().programs(), true);
    build.args(["build", "-race", "-o"]).arg(&program);
    go::succeed(&mut build, &["./storm"]);
    let seconds = seconds("RSYSO_STORM_SECONDS", 16) / 4;
    go_through(&program, "", seconds, out.path());
}

/// The cases that are seeds, and some that Go's fuzzer makes of them.
#[test]
fn any_values_at_the_border() {
    let _among_others = crate::among_others();
    let test = |args: &[&str]| {
        let mut go = go::command(Release::Newest, &workspace().programs(), false);
        go.arg("test").args(args).arg("./fuzz");
        run(&mut go, Duration::from_secs(600)).success()
    };
    test(&["-count=1"]);
    let fuzzed = test(&["-run=^$", "-fuzz=FuzzBorder", "-fuzztime=20000x"]);
    assert!(fuzzed.stdout.contains("execs: 2"), "{}", fuzzed.stdout);
}
