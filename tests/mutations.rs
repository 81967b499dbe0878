//! Thousands of damaged archives, each of which must be converted or refused, and shown by `inspect` or refused: no panic, no file left
//! behind, no endless loop. They are made of fixtures, and of small crates of every shape (`common/shapes.rs`).
//!
//! Seeds are fixed, so that a failure can be repeated: `RSYSO_SEED=123 cargo test --test mutations FIXTURE`. `RSYSO_MUTATIONS`
//! sets how many runs there are in all. If the process is killed (out of memory, say), its last seeds are the names of the
//! directories that it left in target/tmp.

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::inputs::{Miniature, miniatures};
use common::mutate::{Mutation, parts};
use common::process::run;
use common::shapes::{SHAPES, Shape};
use common::{archive, rsyso, scratch};
use rsyso::internals::base::options::{ConvertOptions, InspectOptions};
use rsyso::internals::base::report::Silent;

/// The longest that one conversion may take; the slowest need a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is being converted, since when.
static RUNNING: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// Ends the process when a conversion does not end.
fn watch() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                for (what, since) in RUNNING.lock().unwrap().iter() {
                    if since.elapsed() > PATIENCE {
                        // Not by the macro, whose output the test harness would keep to itself.
                        let _ = writeln!(std::io::stderr(), "{what} does not end");
                        std::process::exit(101);
                    }
                }
            }
        });
    });
}

/// Fixtures that are mutated.
const FIXTURES: u64 = 4;

/// Inputs made of each fixture. They are large and slow, so that a longer test is one of more small crates.
const OF_A_FIXTURE: u64 = 2000;

/// Of so many inputs made of a fixture, `inspect` looks at one.
const LOOKED_AT: u64 = 16;

/// Inputs made of each small crate, all of which `inspect` looks at, unless the environment says how many there are in all.
const OF_A_SHAPE: u64 = 250;

/// The seeds of one fixture, or of one of the small crates.
fn seeds(is_fixture: bool) -> Vec<u64> {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    match number("RSYSO_SEED") {
        Some(seed) => vec![seed],
        None if is_fixture => (0..OF_A_FIXTURE).collect(),
        None => {
            let of_fixtures = FIXTURES * (OF_A_FIXTURE + OF_A_FIXTURE / LOOKED_AT);
            let each = |all: u64| {
                let of_shapes = all.saturating_sub(of_fixtures);
                of_shapes.div_ceil(2 * SHAPES.len() as u64)
            };
            let each = number("RSYSO_MUTATIONS").map(each);
            (0..each.unwrap_or(OF_A_SHAPE)).collect()
        }
    }
}

/// Why an input was refused, if it was. An error is one of the tool itself.
type Outcome = Result<Option<String>, String>;

fn outcome<T>(result: std::thread::Result<rsyso::internals::base::diag::Result<T>>) -> Outcome {
    match result {
        Err(_) => Err("a panic, printed above".to_owned()),
        Ok(Err(e)) if e.problems.is_empty() => Err("an error without a problem".to_owned()),
        Ok(result) => Ok(result.err().map(|e| e.to_string())),
    }
}

/// Shows what is in `dir`, in this process.
fn look(fixture: &str, exports: &[String], dir: &Path) -> Outcome {
    let mut options = InspectOptions::new(vec![dir.join(format!("lib{fixture}.a"))]);
    options.exports = exports.to_vec();
    outcome(catch_unwind(AssertUnwindSafe(|| {
        rsyso::internals::inspect(&options, &Silent)
    })))
}

/// Converts `bytes` in this process.
fn attempt(fixture: &str, exports: &[String], bytes: &[u8], dir: &Path) -> Outcome {
    let out = dir.join("out");
    std::fs::create_dir_all(&out).unwrap();
    let input = dir.join(format!("lib{fixture}.a"));
    std::fs::write(&input, bytes).unwrap();
    let mut options = ConvertOptions::new(vec![input]);
    options.out_dir.clone_from(&out);
    options.exports = exports.to_vec();
    let result = catch_unwind(AssertUnwindSafe(|| {
        rsyso::internals::convert(&options, &Silent)
    }));
    let files = std::fs::read_dir(&out).unwrap().count();
    match outcome(result)? {
        // Packages with handles have two files more, for the race detector.
        None if files != 4 && files != 6 => Err(format!("{files} files were written")),
        Some(_) if files != 0 => Err(format!("{files} files were left behind")),
        refused => Ok(refused),
    }
}

/// What `f` finds, on as many threads as there are processors. Not on rayon's, which the tool uses: while a conversion waits there, its thread
/// would begin others, and all their time would count as its own.
fn in_parallel(seeds: &[u64], f: impl Fn(u64) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| seeds.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.filter_map(|&seed| f(seed)).collect::<Vec<_>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let found = all.into_iter().map(|thread| thread.join().unwrap());
        found.flatten().collect()
    })
}

fn mutate(fixture: &str) {
    let whole = std::fs::read(archive(fixture)).unwrap();
    mutate_miniatures(fixture, &miniatures(&whole, &format!("{fixture}-")));
}

/// Each has its part of the seeds: as many inputs are made of all together as of one.
fn mutate_miniatures(fixture: &str, miniatures: &[Miniature]) {
    let parts = miniatures.len() as u64;
    for (part, miniature) in (0..).zip(miniatures) {
        let Miniature {
            archive: input,
            exports,
        } = miniature;
        let dir = scratch();
        let sound = dir.path().join("sound");
        assert_eq!(attempt(fixture, exports, input, &sound), Ok(None));
        assert_eq!(look(fixture, exports, &sound), Ok(None));
        let seeds = seeds(true).into_iter();
        let seeds: Vec<u64> = seeds.filter(|seed| seed % parts == part).collect();
        let looked_at = |seed: u64| (seed / parts).is_multiple_of(LOOKED_AT);
        damage(fixture, exports, input, &seeds, looked_at);
    }
}

/// As [`mutate`], for one of the small crates.
fn mutate_shape(shape: &Shape) {
    let dir = scratch();
    let input = shape.archive(dir.path());
    let sound = dir.path().join("sound");
    for (converts, outcome) in [
        (shape.converts, attempt(shape.name, &[], &input, &sound)),
        (shape.shows, look(shape.name, &[], &sound)),
    ] {
        let refused = outcome.unwrap();
        assert_eq!(refused.is_none(), converts, "{}: {refused:?}", shape.name);
    }
    damage(shape.name, &[], &input, &seeds(false), |_| true);
}

/// Converts a sound input with the damage of each seed. Those that are to be looked at are inspected, too.
fn damage(
    fixture: &str,
    exports: &[String],
    input: &[u8],
    seeds: &[u64],
    looked_at: impl Fn(u64) -> bool + Sync,
) {
    watch();
    let dir = scratch();
    let parts = parts(input);
    let refused = AtomicUsize::new(0);
    let fault = |seed: u64| {
        let mutation = Mutation::new(seed, input, &parts);
        let damaged = mutation.apply(input);
        let what = format!("{fixture}: seed {seed}, {mutation:?}");
        RUNNING.lock().unwrap().insert(what.clone(), Instant::now());
        let dir = dir.path().join(format!("seed-{seed}"));
        let converted = attempt(fixture, exports, &damaged, &dir);
        let shown = match looked_at(seed) {
            true => look(fixture, exports, &dir),
            false => Ok(None),
        };
        RUNNING.lock().unwrap().remove(&what);
        std::fs::remove_dir_all(&dir).unwrap();
        match converted.and_then(|converted| Ok((converted, shown?))) {
            // Whatever can be converted can be shown.
            Ok((None, Some(_))) => Some(format!("{what}: converted, but not shown")),
            Ok((converted, _)) => {
                refused.fetch_add(usize::from(converted.is_some()), Ordering::Relaxed);
                None
            }
            Err(fault) => Some(format!("{what}: {fault}")),
        }
    };
    let faults = in_parallel(seeds, fault);
    let refused = refused.into_inner();
    println!(
        "{fixture}: {} bytes, {} mutations, {refused} refused",
        input.len(),
        seeds.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // Damage that is never noticed would mean that nothing was aimed at what the tool reads.
    assert!(seeds.len() < 100 || refused > seeds.len() / 10);
}

#[test]
fn plusone() {
    mutate("plusone");
}

#[test]
fn data() {
    mutate("data");
}

#[test]
fn text() {
    mutate("text");
}

/// All of `abi` is one object, most of it debug information of 310 functions: reading that would take nearly all the time. So it is
/// compiled in parts, each with some of its exports.
#[test]
fn abi() {
    const PARTS: usize = 10;
    let dir = scratch();
    let sources = common::root().join("fixtures/abi/src");
    for file in ["lib.rs", "view.rs"] {
        std::fs::copy(sources.join(file), dir.path().join(file)).unwrap();
    }
    let generated = std::fs::read_to_string(sources.join("generated.rs")).unwrap();
    const EXPORTED: &str = "#[unsafe(no_mangle)]\n";
    let pieces: Vec<&str> = generated.split(EXPORTED).collect();
    assert!(pieces.len() > 300, "{} exports", pieces.len() - 1);
    let part = |part: usize| {
        let mut source = pieces[0].to_owned();
        for piece in pieces[1..].iter().skip(part).step_by(PARTS) {
            source += EXPORTED;
            source += piece;
        }
        std::fs::write(dir.path().join("generated.rs"), source).unwrap();
        // As cargo does in a release.
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args([
                "--edition=2024",
                "--crate-type=staticlib",
                "--crate-name=abi",
            ])
            .args([
                "-Copt-level=3",
                "-Cdebuginfo=full",
                "-Cextra-filename=-part",
            ])
            .args(["--out-dir", ".", "lib.rs"])
            .current_dir(dir.path());
        run(&mut rustc, Duration::from_secs(300)).success();
        let whole = std::fs::read(dir.path().join("libabi-part.a")).unwrap();
        miniatures(&whole, "abi-part")
    };
    let parts: Vec<Miniature> = (0..PARTS).flat_map(part).collect();
    let exports: usize = parts.iter().map(|part| part.exports.len()).sum();
    assert_eq!(exports, pieces.len() - 1);
    mutate_miniatures("abi", &parts);
}

#[test]
fn small_crates() {
    SHAPES.iter().for_each(mutate_shape);
}

/// What `convert` writes for a library called `data`.
const WRITTEN: [&str; 4] = [
    "data.go",
    "data_linux_amd64.s",
    "data_linux_amd64.syso",
    "data_unsupported.go",
];

/// The same for one with handles.
const WRITTEN_WITH_HANDLES: [&str; 6] = [
    "data.go",
    "data_linux_amd64.s",
    "data_linux_amd64.syso",
    "data_norace.go",
    "data_race.go",
    "data_unsupported.go",
];

/// The same through the command: the exit status is one of the contract's, and stderr says why.
#[test]
fn through_the_command() {
    let whole = std::fs::read(archive("data")).unwrap();
    let miniatures = miniatures(&whole, "data-");
    for (seed, miniature) in (100_000..100_060).zip(miniatures.iter().cycle()) {
        let Miniature {
            archive: input,
            exports,
        } = miniature;
        let mutation = Mutation::new(seed, input, &parts(input));
        let dir = scratch();
        let library = dir.path().join("libdata.a");
        std::fs::write(&library, mutation.apply(input)).unwrap();
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let mut command = rsyso();
        command.arg("convert").arg(&library).arg("-o").arg(&out);
        command.args(exports.iter().flat_map(|e| ["--export", e]));
        let ran = run(&mut command, PATIENCE);
        let mut files: Vec<_> = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        match ran.status.code() {
            // Where the signatures still tell of handles, there are two files for the race detector.
            Some(0) => assert!(
                files == WRITTEN || files == WRITTEN_WITH_HANDLES,
                "seed {seed}: {files:?}"
            ),
            Some(1 | 2) => {
                assert!(files.is_empty(), "seed {seed}: {files:?}");
                assert!(ran.stderr.contains("error"), "seed {seed}: {}", ran.stderr);
            }
            _ => panic!("seed {seed}: {}\n{}", ran.status, ran.stderr),
        }
    }
}

/// What `inspect` prints of a damaged input is text, or an error with its exit status.
#[test]
fn shown_by_the_command() {
    for shape in SHAPES {
        let dir = scratch();
        let input = shape.archive(dir.path());
        let parts = parts(&input);
        let library = dir.path().join(format!("lib{}.a", shape.name));
        for seed in 200_000..200_012 {
            let mutation = Mutation::new(seed, &input, &parts);
            std::fs::write(&library, mutation.apply(&input)).unwrap();
            let mut command = rsyso();
            command.arg("inspect").arg(&library);
            let ran = run(&mut command, PATIENCE);
            let what = format!("{}: seed {seed}, {mutation:?}: {}", shape.name, ran.stderr);
            match ran.status.code() {
                Some(0) => assert!(!ran.stdout.is_empty(), "{what}"),
                Some(1 | 2) => assert!(ran.stderr.contains("error"), "{what}"),
                _ => panic!("{what}"),
            }
        }
    }
}
