//! What the terminal shows: status lines and errors on stderr, in cargo's manner.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::base::diag::{Error, Problem};
use crate::base::report::{Progress, Stage, bytes};
use anstyle::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const DETAIL: Style = AnsiColor::Cyan.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Green.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const MARK: Style = AnsiColor::Blue.on_default().bold();
const BOLD: Style = Style::new().bold();

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// A line per step.
    Normal,
    /// Finer steps too.
    Verbose,
}

/// The terminal. What cannot be written to stderr is dropped: there is nobody left to tell.
pub struct Ui {
    verbosity: Verbosity,
    live: Option<Mutex<Live>>,
    /// What the stages of the pipeline took.
    stages: Mutex<Vec<Stage>>,
}

/// The last line of a terminal, which shows the finer steps of long work one over the other.
struct Live {
    /// When the line may be written again.
    due: Instant,
    /// Whether it shows anything.
    shown: bool,
}

/// Work that takes less than this is not worth a moving line, nor is it moved more often.
const PATIENCE: Duration = Duration::from_millis(300);

impl Ui {
    pub fn new(verbosity: Verbosity) -> Self {
        let live = verbosity == Verbosity::Normal && io::stderr().is_terminal();
        Ui {
            verbosity,
            stages: Mutex::default(),
            live: live.then(|| {
                Mutex::new(Live {
                    due: Instant::now() + PATIENCE,
                    shown: false,
                })
            }),
        }
    }

    /// Writes whole lines, after the live line has been wiped.
    fn print(&self, text: &str) {
        let mut err = anstream::stderr().lock();
        if let Some(mut live) = self.live.as_ref().and_then(|l| l.lock().ok()) {
            if live.shown {
                let _ = write!(err, "\r\x1b[K");
            }
            live.shown = false;
            live.due = Instant::now() + PATIENCE;
        }
        let _ = err.write_all(text.as_bytes());
        let _ = err.flush();
    }

    /// Something worth knowing that is not wrong.
    pub fn note(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print(&block("note", NOTE, &Problem::new(text)));
        }
    }

    /// Plain text.
    pub fn text(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print(text);
        }
    }

    /// What each stage took, for those who ask for detail.
    pub fn stages(&self) {
        if let Ok(stages) = self.stages.lock()
            && !stages.is_empty()
        {
            self.print(&stage_table(&stages));
        }
    }

    /// All problems, each as a block of its own, and a last line when there are several. `action` completes "could not ...".
    pub fn error(&self, error: &Error, action: &str) {
        let mut text = String::new();
        for (i, problem) in error.problems.iter().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            text.push_str(&block("error", ERROR, problem));
        }
        if error.problems.len() > 1 {
            let last = Problem::new(format!(
                "could not {action}: {} problems",
                error.problems.len()
            ));
            text.push('\n');
            text.push_str(&block("error", ERROR, &last));
        }
        self.print(&text);
    }
}

impl Progress for Ui {
    fn status(&self, verb: &str, what: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print(&status_line(verb, GOOD, what));
        }
    }

    fn detail(&self, verb: &str, what: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.print(&status_line(verb, DETAIL, what));
        } else if let Some(mut live) = self.live.as_ref().and_then(|l| l.lock().ok())
            && Instant::now() >= live.due
        {
            let mut line = status_line(verb, DETAIL, &first_line(what, 60));
            line.truncate(line.trim_end().len());
            let mut err = anstream::stderr().lock();
            let _ = write!(err, "\r\x1b[K{line}");
            let _ = err.flush();
            live.shown = true;
            live.due = Instant::now() + PATIENCE;
        }
    }

    fn warn(&self, problem: &Problem) {
        self.print(&block("warning", WARNING, problem));
    }

    fn measures(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    fn stage(&self, stage: &Stage) {
        if let Ok(mut stages) = self.stages.lock() {
            stages.push(stage.clone());
        }
    }
}

/// At most `limit` characters of the first line, so that it fits a terminal's line.
fn first_line(text: &str, limit: usize) -> String {
    text.lines()
        .next()
        .unwrap_or("")
        .chars()
        .take(limit)
        .collect()
}

/// The verb right-aligned in twelve columns, as cargo has it.
fn status_line(verb: &str, style: Style, what: &str) -> String {
    format!("{style}{verb:>12}{style:#} {what}\n")
}

/// A line per stage, and the sum: names where status lines have their verbs.
fn stage_table(stages: &[Stage]) -> String {
    let row = |name: &str, style: Style, time: &str, memory: &str| {
        status_line(name, style, &format!("{time:>9}  {memory:>11}"))
    };
    let line = |name: &str, style: Style, time: Duration, memory: Option<u64>| {
        let time = format!("{:.1} ms", time.as_secs_f64() * 1e3);
        row(
            name,
            style,
            &time,
            &memory.map_or_else(|| "-".into(), bytes),
        )
    };
    let mut text = row("stage", BOLD, "time", "peak memory");
    for stage in stages {
        text += &line(stage.name, DETAIL, stage.time, stage.peak_memory);
    }
    let time = stages.iter().map(|s| s.time).sum();
    let memory = stages.iter().filter_map(|s| s.peak_memory).max();
    text + &line("all", BOLD, time, memory)
}

/// `error: message`, the place, the notes and the help. Lines of one entry after the first are indented under it.
fn block(label: &str, style: Style, problem: &Problem) -> String {
    let message = indent(&problem.message, "       ");
    let mut text = format!("{style}{label}{style:#}{BOLD}: {message}{BOLD:#}\n");
    if let Some(place) = &problem.place {
        text.push_str(&format!("  {MARK}-->{MARK:#} {place}\n"));
    }
    let notes = problem.notes.iter().map(|n| ("note", n));
    let help = problem.help.iter().map(|h| ("help", h));
    for (label, entry) in notes.chain(help) {
        let entry = indent(entry, "          ");
        text.push_str(&format!(
            "  {MARK}={MARK:#} {BOLD}{label}{BOLD:#}: {entry}\n"
        ));
    }
    text
}

fn indent(text: &str, by: &str) -> String {
    text.replace('\n', &format!("\n{by}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn verbs_are_right_aligned() {
        let line = plain(&status_line(
            "Reading",
            GOOD,
            "libfoo.a (21.8 MB, 323 members)",
        ));
        assert_eq!(line, "     Reading libfoo.a (21.8 MB, 323 members)\n");
    }

    #[test]
    fn stages_are_a_table() {
        let stage = |name, ms, peak_memory| Stage {
            name,
            time: Duration::from_micros(ms),
            peak_memory,
        };
        let stages = [
            stage("read", 1_234, Some(21_812_000)),
            stage("signatures", 1_500_000, Some(312_000_000)),
            stage("layout", 40, None),
        ];
        let want = "       stage      time  peak memory
        read    1.2 ms      21.8 MB
  signatures 1500.0 ms     312.0 MB
      layout    0.0 ms            -
         all 1501.3 ms     312.0 MB
";
        assert_eq!(plain(&stage_table(&stages)), want);
    }

    #[test]
    fn problems_are_blocks() {
        let problem = Problem::new("`parse` takes a `u128`")
            .at("src/lib.rs:12")
            .note("first\nsecond")
            .help("leave it out with `--export`");
        assert_eq!(
            plain(&block("error", ERROR, &problem)),
            "error: `parse` takes a `u128`\n  --> src/lib.rs:12\n  = note: first\n          second\n  = help: leave it out with `--export`\n"
        );
    }
}
