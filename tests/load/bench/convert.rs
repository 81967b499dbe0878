//! What a conversion costs: beside other linkers, and as inputs grow. Both take a build of the tool for release, and CPU time alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::libc;

use super::synthetic::{self, Many};
use crate::common;
use crate::common::inputs::write_archive;
use crate::common::process::run;

/// What a program took.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    /// Seconds of CPU time, in the program and in the kernel.
    cpu: f64,
    /// The most memory that was resident at once, in bytes.
    memory: u64,
}

/// Runs programs one after the other; the times are added.
#[allow(
    clippy::zombie_processes,
    reason = "wait4 waits for them, and tells what they took"
)]
fn took(commands: &mut [Command]) -> Took {
    let mut all = Took::default();
    for command in commands {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = child.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let mut status = 0;
        // SAFETY: rusage consists of numbers, for which zeros are values.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to variables of these types, which live until the call returns; nobody else waits for this child.
        let ended = unsafe { libc::wait4(child.id() as i32, &mut status, 0, &mut usage) };
        assert_eq!(
            (ended, status),
            (child.id() as i32, 0),
            "{command:?} failed"
        );
        let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
        all.cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        all.memory = all.memory.max(usage.ru_maxrss as u64 * 1024);
    }
    all
}

/// The tool as people install it.
fn tool() -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let built = cargo.args(["build", "--release", "--quiet", "--bin", "rsyso"]);
    run(built.current_dir(common::root()), Duration::from_secs(1800)).success();
    common::root().join("target/release/rsyso")
}

/// rustc's own copy of lld, and what else is installed.
fn linker(name: &str) -> Option<PathBuf> {
    let sysroot = run(
        Command::new("rustc").args(["--print", "sysroot"]),
        Duration::from_secs(60),
    )
    .success();
    let own = format!("lib/rustlib/x86_64-unknown-linux-gnu/bin/{name}");
    let own = Path::new(sysroot.stdout.trim()).join(own);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all =
        std::iter::once(own).chain(std::env::split_paths(&path).map(|dir| dir.join(name)));
    all.find(|path| path.is_file())
}

/// A row: what it is called, and the programs that it takes.
type Row = (String, Vec<Command>);

/// The ways to link the functions that a library exports, and what these reach: all of them from `dir`, over and over.
fn rows(tool: &Path, dir: &Path, archive: &Path, exports: &[String]) -> Vec<Row> {
    let in_dir = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir);
        command
    };
    let asked = |mut command: Command| {
        exports.iter().for_each(|e| _ = command.args(["-u", e]));
        command.arg(archive);
        command
    };
    let with = |mut command: Command| {
        command.arg(archive);
        command
    };
    let map = format!("{{ global: {}; local: *; }};\n", exports.join("; "));
    std::fs::write(dir.join("exports.map"), map).unwrap();
    let shared = [
        "-shared",
        "--gc-sections",
        "--strip-debug",
        "--version-script",
        "exports.map",
        "-o",
        "out.so",
    ];
    let ld = Path::new("ld");
    let mut rows = vec![
        (
            "rsyso convert".to_owned(),
            vec![with(in_dir(tool, &["convert", "-q", "-o", "package"]))],
        ),
        (
            "rsyso inspect".to_owned(),
            vec![with(in_dir(tool, &["inspect"]))],
        ),
        (
            "ld -r --gc-sections, strip".to_owned(),
            vec![
                asked(in_dir(ld, &["-r", "--gc-sections", "-o", "out.o"])),
                in_dir(Path::new("strip"), &["--strip-debug", "out.o"]),
            ],
        ),
        (
            "ld -shared --gc-sections".to_owned(),
            vec![asked(in_dir(ld, &shared))],
        ),
    ];
    if let Some(lld) = linker("rust-lld") {
        let flags = [&["-flavor", "gnu"], &shared[..]].concat();
        rows.push((
            "lld -shared --gc-sections".to_owned(),
            vec![asked(in_dir(&lld, &flags))],
        ));
    }
    if let Some(mold) = linker("mold") {
        // The process that links is a child of the one that is started, else, and is left behind at work.
        let flags = [&["--no-fork"], &shared[..]].concat();
        rows.push((
            "mold -shared --gc-sections".to_owned(),
            vec![asked(in_dir(&mold, &flags))],
        ));
    }
    rows.push(("cat".to_owned(), vec![with(in_dir(Path::new("cat"), &[]))]));
    rows
}

/// Prints what `convert` and `inspect` take for two fixtures, beside linkers that do part of the same work: in turns, the least and the median.
#[test]
#[ignore = "make bench"]
fn linkers() {
    let _alone = crate::alone();
    const TURNS: usize = 15;
    let tool = tool();
    for fixture in ["text", "clib"] {
        let archive = common::archive(fixture);
        let dir = common::scratch();
        let told = run(
            Command::new(&tool)
                .args(["inspect", "--json"])
                .arg(&archive),
            Duration::from_secs(60),
        )
        .success();
        let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        let exports = told["exports"].as_array().unwrap().iter();
        let exports: Vec<String> = exports
            .map(|e| e["symbol"].as_str().unwrap().to_owned())
            .collect();
        let mut rows = rows(&tool, dir.path(), &archive, &exports);
        let mut all: Vec<Vec<Took>> = vec![Vec::new(); rows.len()];
        for _ in 0..TURNS {
            for ((_, commands), all) in rows.iter_mut().zip(&mut all) {
                all.push(took(commands));
            }
        }
        let size = std::fs::metadata(&archive).unwrap().len() as f64;
        println!("lib{fixture}.a, {:.0} MB", size / 1e6);
        println!(
            "{:>28} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "CPU time in ms", "least", "median", "convert", "memory", "of file"
        );
        let least = |all: &[Took]| all.iter().map(|t| t.cpu).fold(f64::MAX, f64::min);
        let ours = least(&all[0]);
        for ((name, _), all) in rows.iter().zip(&mut all) {
            all.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
            let memory = all.iter().map(|t| t.memory).min().unwrap() as f64;
            println!(
                "{name:>28} {:9.1} {:9.1} {:9.2} {:6.0} MB {:8.2}",
                least(all) * 1e3,
                all[TURNS / 2].cpu * 1e3,
                ours / least(all),
                memory / 1e6,
                memory / size
            );
        }
    }
}

/// Prints what one thing costs when there are many of it: where the time for one grows with their number, something looks through all of them for each.
#[test]
#[ignore = "make bench"]
fn straight_lines() {
    let _alone = crate::alone();
    /// How much more one thing may take among ten times as many: caches do not hold them all. A stage that is quadratic takes ten times as much.
    const GROWTH: f64 = 3.0;
    let tool = tool();
    let mut bent = Vec::new();
    println!("{:>14} {:>10} {:>12}", "microseconds", "of them", "for one");
    for (many, largest) in Many::ALL {
        let mut last: Option<f64> = None;
        let mut n = 1000;
        while n <= *largest {
            let one = for_one(&tool, *many, n);
            println!("{:>14} {n:10} {:12.3}", format!("{many:?}"), one * 1e6);
            if let Some(last) = last.filter(|last| one > last * GROWTH) {
                bent.push(format!(
                    "{many:?}: {:.3} of {n}, {:.3} of a tenth",
                    one * 1e6,
                    last * 1e6
                ));
            }
            last = Some(one);
            n *= 10;
        }
    }
    assert!(bent.is_empty(), "{}", bent.join("\n"));
}

/// Seconds of CPU time that one of `n` takes.
fn for_one(tool: &Path, many: Many, n: usize) -> f64 {
    const TURNS: usize = 3;
    let dir = common::scratch();
    let convert = |n: usize| {
        let input = synthetic::input(many, n);
        std::fs::write(dir.path().join("lib.a"), write_archive(&input.members)).unwrap();
        std::fs::write(dir.path().join("lib.h"), &input.header).unwrap();
        let mut command = Command::new(tool);
        command.args([
            "convert", "-q", "lib.a", "--header", "lib.h", "-o", "package",
        ]);
        let mut commands = [command];
        commands[0].current_dir(dir.path());
        let all = (0..TURNS).map(|_| took(&mut commands).cpu);
        all.fold(f64::MAX, f64::min)
    };
    let nothing = convert(1);
    (convert(n) - nothing).max(0.0) / n as f64
}
