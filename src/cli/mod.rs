//! The command line: flags become validated options here, and clap's types go no further.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::options::base_name;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use text::Text;
use ui::{Ui, Verbosity};

mod build;
mod convert;
mod init;
mod inspect;
#[cfg(feature = "port")]
mod port;
mod settings;
mod text;
mod ui;
mod verify;

use build::Build;
use convert::Convert;
use init::Init;
use inspect::Inspect;

/// What `--version` prints behind the name.
static VERSION: LazyLock<String> = LazyLock::new(crate::read::runtime::version);

/// Turns a Rust static library into a Go package: no cgo, no C compiler, a static binary.
#[derive(Debug, Parser)]
#[command(name = "rsyso", version = VERSION.as_str(), arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(Box<Build>),
    Convert(Box<Convert>),
    Init(Init),
    Inspect(Box<Inspect>),
    #[cfg(feature = "port")]
    Port(port::Port),
    Verify(Verify),
}

/// Holds .syso files against the Go linker's rules, and proves that Go programs hold their images unharmed
#[derive(Args, Debug)]
struct Verify {
    /// .syso files and linked Go programs; a program given with .syso files must hold their images
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print a JSON object
    #[arg(long, conflicts_with = "sbom")]
    json: bool,
    /// Build the crate anew, elsewhere, and compare: the .syso is what these sources make
    #[arg(long, value_name = "CRATE_DIR")]
    rebuild: Option<PathBuf>,
    /// Print a software bill of materials: the crates in the images
    #[arg(long, value_name = "FORMAT")]
    sbom: Option<Sbom>,
}

/// Forms of a software bill of materials.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Sbom {
    /// CycloneDX 1.5, as JSON
    #[value(name = "cyclonedx")]
    CycloneDx,
}

/// How much is said, and in which form.
#[derive(Args, Debug)]
struct Output {
    /// Show nothing but warnings and errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Show finer steps, and the time and peak memory of each stage
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print what was made, or the error, as a JSON object on stdout
    #[arg(long)]
    json: bool,
}

impl Output {
    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let line: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&line) {
        Ok(cli) => cli,
        Err(e) => {
            // A closed pipe is no reason to fail, so what `print` returns does not matter.
            let _ = e.print();
            return if e.use_stderr() {
                status(Kind::Fault)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let ui = Ui::new(verbosity(&cli.command));
    let done = run(cli.command, &line, &ui);
    ui.stages();
    done.unwrap_or_else(|e| {
        ui.error(&fault(format!("{e:#}")), "print");
        status(Kind::Fault)
    })
}

fn status(kind: Kind) -> ExitCode {
    match kind {
        Kind::Fault => ExitCode::from(1),
        Kind::Unsupported => ExitCode::from(2),
    }
}

fn verbosity(command: &Command) -> Verbosity {
    match command {
        Command::Build(args) => args.output.verbosity(),
        Command::Convert(args) => args.output.verbosity(),
        #[cfg(feature = "port")]
        Command::Port(args) => args.output.verbosity(),
        Command::Init(args) if args.quiet => Verbosity::Quiet,
        _ => Verbosity::Normal,
    }
}

/// Carries a command out, whose words are `line`. Its own failure is a status; an error here is one of telling about it.
fn run(command: Command, line: &[OsString], ui: &Ui) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build(args) => {
            let action = build::action(&args);
            let json = args.output.json;
            finish(ui, &action, json, build::run(*args, line, ui), |_| None)
        }
        Command::Convert(args) => {
            let action = format!("convert {}", names(&args.inputs));
            let json = args.output.json;
            finish(ui, &action, json, convert::run(*args, ui), |_| None)
        }
        Command::Init(args) => {
            let action = format!("init {}", args.dir.display());
            let json = args.json;
            finish(ui, &action, json, init::run(args, ui), |_| None)
        }
        Command::Inspect(args) => {
            let action = format!("inspect {}", names(&args.inputs));
            let (json, top) = (args.json, args.top);
            let result = inspect::run(*args, ui);
            let folder = std::env::current_dir().unwrap_or_default();
            let text = |found: &_| {
                let folder = folder.as_path();
                Some(Text { found, folder, top }.to_string())
            };
            finish(ui, &action, json, result, text)
        }
        #[cfg(feature = "port")]
        Command::Port(args) => {
            let action = match args.dir.as_os_str() == "." {
                true => "port this package".into(),
                false => format!("port {}", args.dir.display()),
            };
            let json = args.output.json;
            finish(ui, &action, json, port::run(args, ui), |_| None)
        }
        Command::Verify(args) => {
            let action = format!("verify {}", names(&args.files));
            let result = verify::run(&args, ui);
            finish(ui, &action, args.json, result, |found| found.sbom.clone())
        }
    }
}

/// Prints the result, or the error, and gives the exit status.
fn finish<T: Serialize>(
    ui: &Ui,
    action: &str,
    json: bool,
    result: Result<T>,
    text: impl Fn(&T) -> Option<String>,
) -> anyhow::Result<ExitCode> {
    let (out, code) = match &result {
        Ok(value) if json => (Some(to_json(value)?), ExitCode::SUCCESS),
        Ok(value) => (text(value), ExitCode::SUCCESS),
        Err(error) => {
            ui.error(error, action);
            let out = json.then(|| to_json(&error_json(error))).transpose()?;
            (out, status(error.kind))
        }
    };
    if let Some(out) = out {
        print(&out)?;
    }
    Ok(code)
}

fn to_json(value: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(value).context("cannot write the report as JSON")?;
    Ok(text + "\n")
}

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to stdout"),
    }
}

fn fault(message: impl Into<String>) -> Error {
    Error::fault(Problem::new(message))
}

/// docs/JSON.md, "Errors".
fn error_json(error: &Error) -> serde_json::Value {
    let problems: Vec<_> = error
        .problems
        .iter()
        .map(|p| {
            serde_json::json!({
                "message": p.message,
                "place": p.place,
                "notes": p.notes,
                "help": p.help,
            })
        })
        .collect();
    let kind = match error.kind {
        Kind::Fault => "fault",
        Kind::Unsupported => "unsupported",
    };
    serde_json::json!({ "error": { "kind": kind, "problems": problems } })
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| base_name(p)).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests;
