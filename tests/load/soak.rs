//! 200 goroutines, all fixtures mixed, for a long time: right answers only, and neither memory nor threads nor descriptors grow.
//!
//! `RSYSO_SOAK_SECONDS` sets how long (`make soak`, `make soak-long`).

use crate::common;
use std::fmt;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::seconds;

/// What the program measures, and how much more of it the later half may have: so much, and so many percent.
const MEASURED: [(&str, u64, u64); 4] = [
    // Each of 200 threads has a stack in each image; now and then one is used deeper than ever before.
    ("rss", 8 << 10, 3),
    ("go-heap", 1 << 10, 2),
    // Go starts another when it is short of one for a moment.
    ("threads", 4, 0),
    ("descriptors", 1, 0),
];

/// How a measure went: the medians of the earlier and of the later half.
#[derive(Debug, PartialEq, Eq)]
struct Course {
    early: u64,
    late: u64,
}

impl Course {
    /// The first quarter still belongs to the warm-up.
    fn of(values: &[u64]) -> Course {
        let warm = &values[values.len() / 4..];
        let (early, late) = warm.split_at(warm.len() / 2);
        Course {
            early: median(early),
            late: median(late),
        }
    }

    fn grew(&self, margin: u64, percent: u64) -> bool {
        self.late > self.early + margin + self.early * percent / 100
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.early, self.late)
    }
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// The values of one measure, in the lines `sample 3: rss 1234 KiB, threads 12`.
fn values(output: &str, measure: &str) -> Vec<u64> {
    let samples = output.lines().filter(|l| l.starts_with("sample "));
    samples
        .map(|line| {
            let (_, rest) = line
                .split_once(&format!(" {measure} "))
                .unwrap_or_else(|| panic!("no {measure} in {line:?}"));
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            digits.parse().unwrap()
        })
        .collect()
}

fn soak(release: Release, seconds: u64) {
    let _among_others = crate::among_others();
    let out = common::scratch();
    let program = go::program(release, "soak", out.path());
    let mut soak = Command::new(&program);
    soak.arg(format!("-seconds={seconds}"))
        .env("TMPDIR", out.path())
        .env_remove("RUST_BACKTRACE");
    // Measuring takes its time, too, on a machine that has other work.
    let limit = Duration::from_secs(seconds * 3 + 240);
    let ran = run(&mut soak, limit).success();
    println!("Go {}:\n{}", release.version(), ran.stdout.trim());
    assert!(
        ran.stdout.contains(" right answers: "),
        "the soak said {}",
        ran.stdout
    );
    for (measure, margin, percent) in MEASURED {
        let values = values(&ran.stdout, measure);
        assert!(values.len() >= 8, "too few samples: {values:?}");
        let course = Course::of(&values);
        println!("{measure}: {course}");
        assert!(
            !course.grew(margin, percent),
            "{measure} grew: {course}, {values:?}"
        );
    }
}

#[test]
fn on_the_newest_go() {
    soak(Release::Newest, seconds("RSYSO_SOAK_SECONDS", 12));
}

#[test]
fn on_the_oldest_go() {
    soak(Release::Oldest, seconds("RSYSO_SOAK_SECONDS", 6));
}

/// The judge itself.
#[test]
fn growth_is_noticed() {
    let output = "warm\nsample 0: rss 10 KiB, threads 7\nsample 1: rss 200 KiB, threads 7\n7 right answers: rss 9";
    assert_eq!(values(output, "rss"), [10, 200]);
    assert_eq!(values(output, "threads"), [7, 7]);

    let flat = Course::of(&[1, 50, 90, 110, 100, 400, 101, 99]);
    let (early, late) = (100, 101);
    assert_eq!(flat, Course { early, late });
    assert!(flat.grew(0, 0) && !flat.grew(1, 0) && !flat.grew(0, 1));

    // Some 300 bytes for each of 4,000 jobs a second, for two minutes.
    let leak: Vec<u64> = (0..16).map(|i| 180_000 + i * 120 / 16 * 1_200).collect();
    let (_, margin, percent) = MEASURED[0];
    assert!(Course::of(&leak).grew(margin, percent));
    // One thread or descriptor for each sample.
    let leak: Vec<u64> = (0..16).map(|i| 211 + i).collect();
    for (_, margin, percent) in &MEASURED[2..] {
        assert!(Course::of(&leak).grew(*margin, *percent));
    }
}
