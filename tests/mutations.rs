//! Thousands of damaged archives, each of which must be converted or refused: no panic, no file left behind, no endless loop.
//!
//! Seeds are fixed, so that a failure can be repeated: `RSYSO_SEED=123 cargo test --test mutations FIXTURE`. `RSYSO_MUTATIONS`
//! sets how many there are for each fixture. If the process is killed (out of memory, say), its last seeds are the names of the
//! directories that it left in target/tmp.

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::inputs::{Miniature, miniature};
use common::mutate::{Mutation, parts};
use common::process::run;
use common::{archive, rsyso, scratch};
use rsyso::options::ConvertOptions;
use rsyso::report::Silent;

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

fn seeds(usual: u64) -> Vec<u64> {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    match number("RSYSO_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("RSYSO_MUTATIONS").unwrap_or(usual)).collect(),
    }
}

/// Converts `bytes` in this process. What is wrong with the tool, if anything; why the input was refused, if it was.
fn attempt(
    fixture: &str,
    exports: &[String],
    bytes: &[u8],
    dir: &Path,
) -> Result<Option<String>, String> {
    let out = dir.join("out");
    std::fs::create_dir_all(&out).unwrap();
    let input = dir.join(format!("lib{fixture}.a"));
    std::fs::write(&input, bytes).unwrap();
    let mut options = ConvertOptions::new(vec![input]);
    options.out_dir.clone_from(&out);
    options.exports = exports.to_vec();
    let result = catch_unwind(AssertUnwindSafe(|| rsyso::convert(&options, &Silent)));
    let files = std::fs::read_dir(&out).unwrap().count();
    match result {
        Err(_) => Err("a panic, printed above".to_owned()),
        Ok(Ok(_)) if files != 4 => Err(format!("{files} files were written")),
        Ok(Ok(_)) => Ok(None),
        Ok(Err(_)) if files != 0 => Err(format!("{files} files were left behind")),
        Ok(Err(e)) if e.problems.is_empty() => Err("an error without a problem".to_owned()),
        Ok(Err(e)) => Ok(Some(e.to_string())),
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
    watch();
    let whole = std::fs::read(archive(fixture)).unwrap();
    let Miniature {
        archive: input,
        exports,
    } = miniature(&whole, &format!("{fixture}-"));
    drop(whole);
    let dir = scratch();
    let sound = attempt(fixture, &exports, &input, &dir.path().join("sound"));
    assert_eq!(sound, Ok(None), "the undamaged input must convert");

    let parts = parts(&input);
    let refused = AtomicUsize::new(0);
    let seeds = seeds(2000);
    let fault = |seed: u64| {
        let mutation = Mutation::new(seed, &input, &parts);
        let damaged = mutation.apply(&input);
        let what = format!("{fixture}: seed {seed}, {mutation:?}");
        RUNNING.lock().unwrap().insert(what.clone(), Instant::now());
        let dir = dir.path().join(format!("seed-{seed}"));
        let outcome = attempt(fixture, &exports, &damaged, &dir);
        RUNNING.lock().unwrap().remove(&what);
        std::fs::remove_dir_all(&dir).unwrap();
        match outcome {
            Ok(why) => {
                refused.fetch_add(usize::from(why.is_some()), Ordering::Relaxed);
                None
            }
            Err(fault) => Some(format!("{what}: {fault}")),
        }
    };
    let faults = in_parallel(&seeds, fault);
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

#[test]
fn abi() {
    mutate("abi");
}

/// The same through the command: the exit status is one of the contract's, and stderr says why.
#[test]
fn through_the_command() {
    let whole = std::fs::read(archive("data")).unwrap();
    let Miniature {
        archive: input,
        exports,
    } = miniature(&whole, "data-");
    let parts = parts(&input);
    for seed in 100_000..100_060 {
        let mutation = Mutation::new(seed, &input, &parts);
        let dir = scratch();
        let library = dir.path().join("libdata.a");
        std::fs::write(&library, mutation.apply(&input)).unwrap();
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let mut command = rsyso();
        command.arg("convert").arg(&library).arg("-o").arg(&out);
        command.args(exports.iter().flat_map(|e| ["--export", e]));
        let ran = run(&mut command, PATIENCE);
        let files = std::fs::read_dir(&out).unwrap().count();
        match ran.status.code() {
            Some(0) => assert_eq!(files, 4, "seed {seed}"),
            Some(1 | 2) => {
                assert_eq!(files, 0, "seed {seed}");
                assert!(ran.stderr.contains("error"), "seed {seed}: {}", ran.stderr);
            }
            _ => panic!("seed {seed}: {}\n{}", ran.status, ran.stderr),
        }
    }
}
