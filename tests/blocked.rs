//! Ten thousand calls that block at once: does the rest of the program go on as it does beside ten thousand calls by cgo?

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::go::{self, Release};
use common::process::run;
use common::workspace::workspace;

/// Runs of each; the machine is shared with others.
const RUNS: usize = 3;

/// What a run printed: `name value` pairs.
struct Report(String);

impl Report {
    fn of(program: &Path) -> Report {
        let ran = run(&mut Command::new(program), Duration::from_secs(120)).success();
        Report(ran.stdout.trim().to_owned())
    }

    #[track_caller]
    fn number(&self, name: &str) -> f64 {
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
