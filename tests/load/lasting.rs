//! Calls that last, of which nothing is declared: does the rest of the program feel them no more than it feels calls by cgo?
//!
//! `RSYSO_NAPS` sets how many sleep at once (`make blocked`: ten thousand).

use crate::common;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::blocked::Report;
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::workspace::workspace;

fn beside_cgo(release: Release) {
    let _alone = crate::alone();
    go::need_c_compiler();
    let naps = common::seconds("RSYSO_NAPS", 1000).to_string();
    let out = common::scratch();
    let ours = go::program(release, "lasts", out.path());
    let cgo = out.path().join("cgo");
    let mut build = go::command(release, &workspace().programs(), true);
    build.args(["build", "-tags", "usecgo", "-o"]).arg(&cgo);
    go::succeed(&mut build, &["./lasts"]);
    for processors in ["1", "2", "8"] {
        let report = |program: &Path| {
            let mut lasts = Command::new(program);
            lasts.arg(&naps).env("GOMAXPROCS", processors);
            let ran = run(&mut lasts, Duration::from_secs(300)).success();
            Report(ran.stdout.trim().to_owned())
        };
        let (ours, cgo) = (report(&ours), report(&cgo));
        let version = release.version();
        println!("Go {version}, GOMAXPROCS={processors}, rsyso: {}", ours.0);
        println!("Go {version}, GOMAXPROCS={processors}, cgo:   {}", cgo.0);
        // That they end at all says the most. A machine that has other work makes each of them slow at times: so there is time to spare, but not as much as the
        // half second for which Go waits where a call stays what it is.
        for (measure, spare) in [
            ("collection_us", 250_000.0),
            ("read_us", 250_000.0),
            ("naps_ms", 1000.0),
        ] {
            let (ours, cgo) = (ours.number(measure), cgo.number(measure));
            assert!(ours <= cgo * 5.0 + spare, "{measure}: {ours}, by cgo {cgo}");
        }
        let (naps, declared) = (ours.number("naps_ms"), ours.number("declared_naps_ms"));
        assert!(
            naps <= declared * 5.0 + 1000.0,
            "naps: {naps}, declared {declared}"
        );
        // The measure itself: it tells the calls that Go waits for.
        assert!(ours.0.contains("bare_waited true"), "{}", ours.0);
    }
}

#[test]
fn on_the_newest_go() {
    beside_cgo(Release::Newest);
}

#[test]
fn on_the_oldest_go() {
    beside_cgo(Release::Oldest);
}
