//! Running programs with a time limit, and reports that say all when one fails.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that ended.
#[derive(Debug)]
pub struct Ran {
    /// As one would type it.
    pub line: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Panics unless the exit status is 0.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(
            self.status.success(),
            "{}\nended with {}\n{}{}",
            self.line,
            self.status,
            tail(&self.stdout),
            tail(&self.stderr)
        );
        self
    }

    /// Panics unless the program failed by itself (not by a signal); gives the exit status.
    #[track_caller]
    pub fn failure(&self) -> i32 {
        match self.status.code() {
            Some(code) if code != 0 => code,
            _ => panic!(
                "{}\nshould have failed, but ended with {}\n{}",
                self.line,
                self.status,
                tail(&self.stderr)
            ),
        }
    }
}

/// The end of a long text: where programs say why they stopped.
fn tail(text: &str) -> &str {
    const KEPT: usize = 12_000;
    let mut from = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// Runs a program to its end, or kills it and panics when `limit` has passed.
#[track_caller]
pub fn run(command: &mut Command, limit: Duration) -> Ran {
    let line = format!("{command:?}");
    // Files, not pipes: nobody has to read them while the program runs.
    let mut stdout = tempfile::tempfile().unwrap();
    let mut stderr = tempfile::tempfile().unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().unwrap())
        .stderr(stderr.try_clone().unwrap())
        .spawn();
    let mut child = child.unwrap_or_else(|e| panic!("{line}\ncannot be started: {e}"));
    let started = Instant::now();
    let (status, late) = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break (status, false);
        }
        if started.elapsed() > limit {
            child.kill().unwrap();
            break (child.wait().unwrap(), true);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let ran = Ran {
        stdout: text(&mut stdout),
        stderr: text(&mut stderr),
        line,
        status,
    };
    assert!(
        !late,
        "{}\nwas killed after {limit:?}\n{}{}",
        ran.line,
        tail(&ran.stdout),
        tail(&ran.stderr)
    );
    ran
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
