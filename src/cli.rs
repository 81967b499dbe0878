//! The command line: flags become validated options here, and clap's types go no further.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use rsyso::diag::{Error, Kind, Problem, Result};
use rsyso::options::{
    ConvertOptions, DEFAULT_STACK_SIZE, InspectOptions, MAX_STACK_SIZE, MIN_STACK_SIZE, base_name,
};
use rsyso::report::{Progress, bytes, count};
use serde::Serialize;

use crate::inspect;
use crate::ui::{Ui, Verbosity};

mod verify;

/// Turns a Rust static library into a Go package: no cgo, no C compiler, a static binary.
#[derive(Debug, Parser)]
#[command(name = "rsyso", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(Box<Convert>),
    Inspect(Inspect),
    Verify(Verify),
}

/// Writes a Go package for a library
#[derive(Args, Debug)]
struct Convert {
    /// Static libraries (.a), .rlib and .o files, linked as one library
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// The folder of the Go package
    #[arg(short, value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,
    /// The package's name [default: $GOPACKAGE, the Go files in DIR, the library's name]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// The beginning of the written files' names [default: the library's name]
    #[arg(long, value_name = "NAME")]
    stem: Option<String>,
    /// The package's import path [default: found from go.mod]
    #[arg(long, value_name = "PATH")]
    import_path: Option<String>,
    /// Functions to export, by symbol [default: all of the library's own]
    #[arg(long = "export", value_name = "GLOB")]
    exports: Vec<String>,
    /// A prefix of symbols that Go names leave out
    #[arg(long, value_name = "P")]
    trim_prefix: Option<String>,
    /// A C header, as cbindgen writes it: signatures without debug information, or a check of those that there are
    #[arg(long = "header", value_name = "FILE.h")]
    headers: Vec<PathBuf>,
    /// Leave a pointer and its length (data, data_len) apart, instead of making a slice of them
    #[arg(long)]
    no_pairs: bool,
    /// Functions that can block, by symbol; `!GLOB` for those that do not; the last match counts
    #[arg(long, value_name = "GLOB")]
    blocking: Vec<String>,
    /// The stack of a call, a power of two from 256KiB to 1GiB [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    stack_size: Option<u64>,
    /// Show nothing but warnings and errors
    #[arg(short, conflicts_with = "verbose")]
    quiet: bool,
    /// Show finer steps
    #[arg(short, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print what was made, or the error, as a JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Shows the Go API that convert would write, the sizes of crates and functions, and what is missing
#[derive(Args, Debug)]
struct Inspect {
    /// Static libraries (.a), .rlib and .o files, linked as one library
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// The package's name [default: the library's name]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Functions to export, as for convert
    #[arg(long = "export", value_name = "GLOB")]
    exports: Vec<String>,
    /// A prefix of symbols that Go names leave out
    #[arg(long, value_name = "P")]
    trim_prefix: Option<String>,
    /// A C header, as for convert
    #[arg(long = "header", value_name = "FILE.h")]
    headers: Vec<PathBuf>,
    /// Leave a pointer and its length apart, as for convert
    #[arg(long)]
    no_pairs: bool,
    /// Functions that can block, as for convert
    #[arg(long, value_name = "GLOB")]
    blocking: Vec<String>,
    /// The stack of a call, as for convert [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    stack_size: Option<u64>,
    /// How many functions to list, the largest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Write a page to look at: a treemap of the image, the exports, and what keeps each function
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Holds .syso files against the Go linker's rules, and proves that Go programs hold their images unharmed
#[derive(Args, Debug)]
struct Verify {
    /// .syso files and linked Go programs; a program given with .syso files must hold their images
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(std::env::args_os()) {
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
    run(cli.command, &ui).unwrap_or_else(|e| {
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
        Command::Convert(args) if args.quiet => Verbosity::Quiet,
        Command::Convert(args) if args.verbose > 0 => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}

/// Carries a command out. Its own failure is a status; an error here is one of telling about it.
fn run(command: Command, ui: &Ui) -> anyhow::Result<ExitCode> {
    match command {
        Command::Convert(args) => {
            let action = format!("convert {}", names(&args.inputs));
            let json = args.json;
            finish(ui, &action, json, convert(*args, ui), |_| None)
        }
        Command::Inspect(args) => {
            let action = format!("inspect {}", names(&args.inputs));
            let (json, top) = (args.json, args.top);
            let result = inspect(args, ui);
            let folder = std::env::current_dir().unwrap_or_default();
            let text = |found: &_| {
                let folder = folder.as_path();
                Some(inspect::Text { found, folder, top }.to_string())
            };
            finish(ui, &action, json, result, text)
        }
        Command::Verify(args) => {
            let action = format!("verify {}", names(&args.files));
            let result = verify::run(&args.files, ui);
            finish(ui, &action, args.json, result, |_| None)
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

fn inspect(args: Inspect, ui: &Ui) -> Result<rsyso::report::Inspection> {
    let options = InspectOptions {
        stack_size: args
            .stack_size
            .map_or(Ok(DEFAULT_STACK_SIZE), |size| stack_size(size, ui))?,
        package: args.package,
        exports: args.exports,
        trim_prefix: args.trim_prefix,
        headers: args.headers,
        no_pairs: args.no_pairs,
        blocking: args.blocking,
        ..InspectOptions::new(args.inputs)
    };
    let found = rsyso::inspect(&options, ui)?;
    if let Some(file) = args.html {
        let folder = std::env::current_dir().unwrap_or_default();
        rsyso::page::write(&file, &found, &folder)?;
        ui.status("Finished", &file.display().to_string());
    }
    Ok(found)
}

fn convert(args: Convert, ui: &Ui) -> Result<rsyso::report::Converted> {
    let options = convert_options(args, ui)?;
    let made = rsyso::convert(&options, ui)?;
    ui.status(
        "Finished",
        &format!(
            "package {} ({}, {}) in {}",
            made.package,
            count(made.functions.len(), "function"),
            bytes(made.image_size),
            made.out_dir.display()
        ),
    );
    Ok(made)
}

fn convert_options(args: Convert, ui: &dyn Progress) -> Result<ConvertOptions> {
    let command = command_line(&args);
    let stack_size = match args.stack_size {
        Some(size) => stack_size(size, ui)?,
        None => DEFAULT_STACK_SIZE,
    };
    Ok(ConvertOptions {
        inputs: args.inputs,
        out_dir: args.out_dir,
        package: args.package,
        stem: args.stem,
        import_path: args.import_path,
        exports: args.exports,
        trim_prefix: args.trim_prefix,
        headers: args.headers,
        no_pairs: args.no_pairs,
        blocking: args.blocking,
        stack_size,
        command,
    })
}

/// The command for the comment in generated files. It names no folder, so that the same input gives the same bytes on every machine.
fn command_line(args: &Convert) -> String {
    let mut words = vec!["rsyso".to_string(), "convert".to_string()];
    let mut flag = |name: &str, value: &str| {
        words.push(name.to_string());
        words.push(quote(value));
    };
    let single = [
        ("--package", &args.package),
        ("--stem", &args.stem),
        ("--import-path", &args.import_path),
        ("--trim-prefix", &args.trim_prefix),
    ];
    for (name, value) in single {
        if let Some(value) = value {
            flag(name, value);
        }
    }
    for glob in &args.exports {
        flag("--export", glob);
    }
    for header in &args.headers {
        flag("--header", &base_name(header));
    }
    for glob in &args.blocking {
        flag("--blocking", glob);
    }
    if let Some(size) = args.stack_size {
        flag("--stack-size", &size.to_string());
    }
    words.extend(args.no_pairs.then(|| "--no-pairs".to_string()));
    words.extend(args.inputs.iter().map(|p| quote(&base_name(p))));
    words.join(" ")
}

/// A word of a shell's command line. Control characters cannot stand in a comment of one line.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=+:@,%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    let clean: String = word
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("'{}'", clean.replace('\'', r"'\''"))
}

/// `8MiB`, `8M` or `8388608`.
fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => {
            return Err(
                "a size is a number of bytes, or one of KiB, MiB or GiB, as in 8MiB".into(),
            );
        }
    };
    number
        .parse::<u64>()
        .map_err(|e| e.to_string())?
        .checked_mul(1 << shift)
        .ok_or_else(|| "number too large".into())
}

/// A lane is found by masking the stack pointer, so its size is a power of two.
fn stack_size(asked: u64, ui: &dyn Progress) -> Result<u64> {
    if !(MIN_STACK_SIZE..=MAX_STACK_SIZE).contains(&asked) {
        return Err(fault(format!(
            "a stack size of {asked} bytes is not between 256 KiB and 1 GiB"
        )));
    }
    let size = asked.next_power_of_two();
    if size != asked {
        ui.warn(
            &Problem::new(format!(
                "the stack size of {asked} bytes is rounded up to {size}"
            ))
            .note("a stack's size is a power of two"),
        );
    }
    Ok(size)
}

#[cfg(test)]
mod tests;
