//! Which functions of a library with std can wait: what `inspect` and `convert` say, as text and as JSON.

use crate::common;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use crate::common::inputs::std_library;
use crate::common::process::{Ran, run};
use serde_json::Value;

/// Each function, and the end of the chain by which it can wait; empty for those that cannot.
const WAITS: &[(&str, &str)] = &[
    ("accepts", "accept4"),
    ("adds", ""),
    ("asks_the_environment", ""),
    ("catches", ""),
    ("counts_bytes", ""),
    ("joins", "pthread_join"),
    ("locks", "futex"),
    ("looks_up", ""),
    ("looks_up_slowly", "clock_nanosleep"),
    ("panics", ""),
    ("prints", "futex"),
    ("reads", "read"),
    ("receives", "futex"),
    ("remembers", ""),
    ("runs_jobs", "clock_nanosleep"),
    ("sleeps", "clock_nanosleep"),
    ("starts", ""),
    ("tells_an_error", ""),
    ("tries_a_file_lock", ""),
    ("tries_a_lock", ""),
];

struct Probe {
    _dir: tempfile::TempDir,
    library: PathBuf,
}

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let dir = common::scratch();
    let source = include_str!("probe.rs");
    let library = std_library(dir.path(), "probe", source);
    Probe { _dir: dir, library }
});

fn rsyso(args: &[&str], out: Option<&Path>) -> Ran {
    let mut command = common::rsyso();
    command.arg(args[0]).arg(&PROBE.library).args(&args[1..]);
    if let Some(out) = out {
        command.arg("-o").arg(out);
    }
    run(&mut command, Duration::from_secs(60))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn inspect_tells_what_waits_and_nothing_else() {
    let found = json(&rsyso(&["inspect", "--json"], None).success());
    let exports = found["exports"].as_array().unwrap();
    assert_eq!(exports.len(), WAITS.len());
    for (export, (name, last)) in exports.iter().zip(WAITS) {
        assert_eq!(export["symbol"], *name);
        let wait = &export["wait"];
        if last.is_empty() {
            assert_eq!(*wait, Value::Null, "{name}");
            continue;
        }
        let chain: Vec<_> = wait["chain"].as_array().expect(name).iter().collect();
        assert_eq!(*chain.first().expect(name), name);
        assert_eq!(*chain.last().expect(name), last, "{chain:?}");
        assert!(
            wait["why"].as_str().is_some_and(|w| !w.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn inspect_tells_it_in_words() {
    let text = rsyso(&["inspect"], None).success().stdout;
    let count = WAITS.iter().filter(|(_, last)| !last.is_empty()).count();
    for part in [
        format!("\ncan block: {count}\n"),
        "  sleeps can sleep\n    by sleeps -> std::thread::".into(),
        "sleep -> clock_nanosleep\n".into(),
        "-> vtable of probe::Slow -> <probe::Slow as probe::Job>::run ->".into(),
    ] {
        assert!(text.contains(&part), "no {part:?} in\n{text}");
    }
    let row = |name: &str| {
        let rows = text
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>());
        let mut rows = rows.filter(|r| r.first() == Some(&name));
        rows.next().unwrap_or_else(|| panic!("no {name}"))[2]
    };
    assert_eq!((row("sleeps"), row("adds")), ("yes", "-"));
}

#[test]
fn convert_warns_of_what_is_declared_bare_and_waits() {
    let out = common::scratch();
    let ran = rsyso(&["convert", "-q"], Some(out.path())).success();
    assert_eq!(ran.stderr, "", "what waits becomes a system call");

    let args = [
        "convert",
        "-q",
        "--json",
        "--blocking",
        "!*s",
        "--blocking",
        "!adds",
        "--bare",
        "looks*",
    ];
    let ran = rsyso(&args, Some(out.path())).success();
    let warnings: Vec<_> = ran.stderr.lines().collect();
    let [message, place, by, help] = warnings.as_slice() else {
        panic!("{}", ran.stderr);
    };
    assert_eq!(
        *message,
        "warning: looks_up_slowly can sleep, and with --bare Go's garbage collector waits with it"
    );
    assert!(place.contains("probe.rs:"), "{place}");
    assert!(
        by.contains("looks_up_slowly -> ") && by.contains("nanosleep"),
        "{by}"
    );
    assert!(help.contains("--bare '!looks_up_slowly'"), "{help}");

    let told = json(&ran);
    let waits = told["waits"].as_array().unwrap();
    let of = |name: &str| waits.iter().find(|w| w["symbol"] == name);
    let slow = of("looks_up_slowly").expect("it waits");
    assert_eq!(slow["declared"], Value::Null);
    assert_eq!(slow["wait"]["why"], "sleep");
    assert_eq!(of("sleeps").expect("it waits")["declared"], false);
    let adds = of("adds").expect("it is declared");
    assert_eq!(
        (&adds["declared"], &adds["wait"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert!(of("counts_bytes").is_some(), "declared by *s");
    assert!(of("looks_up").is_none(), "it neither waits nor is declared");
}

#[test]
fn many_are_told_together() {
    let out = common::scratch();
    let args = ["convert", "-q", "--bare", "*"];
    let stderr = rsyso(&args, Some(out.path())).success().stderr;
    let sleep: Vec<_> = stderr.lines().filter(|l| l.contains("can sleep")).collect();
    assert_eq!(
        sleep,
        ["warning: 3 functions can sleep, and with --bare Go's garbage collector waits with them"]
    );
    let names = "  = note: looks_up_slowly, runs_jobs, sleeps";
    assert!(stderr.lines().any(|l| l == names), "{stderr}");
}
