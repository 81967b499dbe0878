//! Thousands of calls at once. Ten thousand that block: does the rest of the program go on as it does beside ten thousand calls by cgo? Tens of
//! thousands that are away in Go functions: do they find room, and is one too many a Go panic?

use crate::common;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::workspace;

/// Runs of each; the machine is shared with others.
const RUNS: usize = 3;

/// What a run printed: `name value` pairs.
pub(crate) struct Report(pub(crate) String);

impl Report {
    fn of(program: &Path) -> Report {
        let ran = run(&mut Command::new(program), Duration::from_secs(120)).success();
        Report(ran.stdout.trim().to_owned())
    }

    /// A value.
    #[track_caller]
    pub(crate) fn number(&self, name: &str) -> f64 {
        let mut words = self.0.split_whitespace();
        let found = words.find(|w| *w == name).and_then(|_| words.next());
        let number = found.and_then(|n| n.parse().ok());
        number.unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// The part of the ticks that did not come.
    fn missed(&self) -> f64 {
        let missed = self.number("missed");
        missed / (self.number("ticks") + missed)
    }
}

#[test]
fn ten_thousand_blocked_calls_leave_the_program_responsive() {
    let _alone = crate::alone();
    go::need_c_compiler();
    let programs = workspace().programs();
    let out = common::scratch();
    let (ours, cgo) = (out.path().join("ours"), out.path().join("cgo"));
    let mut build = go::command(Release::Newest, &programs, false);
    build.arg("build").arg("-o").arg(&ours);
    go::succeed(&mut build, &["./blocked"]);
    let mut build = go::command(Release::Newest, &programs, true);
    build.args(["build", "-tags", "usecgo", "-o"]).arg(&cgo);
    go::succeed(&mut build, &["./blocked"]);

    let mut reports = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        reports.0.push(Report::of(&ours));
        reports.1.push(Report::of(&cgo));
    }
    for (name, all) in [("rsyso", &reports.0), ("cgo", &reports.1)] {
        all.iter().for_each(|r| println!("{name}: {}", r.0));
    }
    // Thousands were under way at once: no call waited for another to end. (The first may have come back before the last was started.)
    let threads = reports.0.iter().map(|r| r.number("threads"));
    assert!(threads.fold(0.0, f64::max) > 5000.0);
    let best = reports.0.iter().map(Report::missed).fold(1.0, f64::min);
    let allowed = reports.1.iter().map(Report::missed).fold(0.0, f64::max) + 0.1;
    assert!(
        best <= allowed,
        "missed {best:.3}, by cgo at most {allowed:.3}"
    );
    // A lane's touched pages beside what Go takes for a thread.
    let most = reports.0.iter().map(|r| r.number("kib_per_call"));
    assert!(most.fold(0.0, f64::max) < 64.0);
}

/// More calls than would find room if each took two mappings of some 65,000 (vm.max_map_count).
const PARKED: usize = 40_000;

#[test]
fn as_many_calls_can_be_away_as_goroutines_and_one_too_many_is_a_go_panic() {
    let _alone = crate::alone();
    let programs = workspace().programs();
    let out = common::scratch();
    let program = out.path().join("parked");
    let mut build = go::command(Release::Newest, &programs, false);
    build.arg("build").arg("-o").arg(&program);
    go::succeed(&mut build, &["./parked"]);
    let report = |args: &[&str]| {
        let ran = run(Command::new(&program).args(args), Duration::from_secs(300));
        Report(ran.success().stdout.trim().to_owned())
    };

    let all = report(&[&PARKED.to_string()]);
    println!("{}", all.0);
    match guards_cost_no_mapping() {
        true => {
            assert_eq!(all.number("parked"), PARKED as f64);
            assert!(all.number("mappings") < PARKED as f64);
        }
        // Before Linux 6.13: some 32,000, and the others are told.
        false => assert!(all.number("parked") > 25_000.0),
    }

    let some = report(&["2000", "200"]);
    println!("{}", some.0);
    assert!(some.number("parked") >= 100.0 && some.number("parked") <= 2000.0);
    assert!(some.number("refused") > 0.0);
}

/// Linux 6.13 and newer: madvise(2), MADV_GUARD_INSTALL.
fn guards_cost_no_mapping() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().and_then(|n| n.parse::<u32>().ok()).unwrap();
    (number(), number()) >= (6, 13)
}
