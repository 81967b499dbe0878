//! The command `inspect`.

use std::path::PathBuf;

use crate::base::diag::Result;
use crate::base::identifiers::Style;
use crate::base::options::{DEFAULT_POOL, DEFAULT_STACK_SIZE, InspectOptions};
use crate::base::report::{Inspection, Progress};
use clap::Args;

use super::convert::{HeaderFlags, parse_size, stack_size, styles};
use super::ui::Ui;

/// Shows the Go API that convert would write, the sizes of crates and functions, and what is missing
#[derive(Args, Debug)]
pub struct Inspect {
    /// Static libraries (.a), .rlib and .o files, linked as one library
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The package's name [default: the library's name]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Functions to export, as for convert
    #[arg(long = "export", value_name = "GLOB")]
    exports: Vec<String>,
    /// A prefix of symbols that Go names leave out
    #[arg(long, value_name = "P")]
    trim_prefix: Option<String>,
    /// How names are spelled, as for convert [default: go]
    #[arg(long, value_name = "STYLE", value_parser = styles())]
    names: Option<Style>,
    #[command(flatten)]
    headers: HeaderFlags,
    /// Leave a pointer and its length apart, as for convert
    #[arg(long)]
    no_pairs: bool,
    /// Keep what prints backtraces, as for convert
    #[arg(long)]
    backtrace: bool,
    /// Functions that take handles for good, as for convert
    #[arg(long, value_name = "GLOB")]
    consumes: Vec<String>,
    /// Functions whose `*const c_char` parameters are strings, as for convert
    #[arg(long, value_name = "GLOB")]
    cstr: Vec<String>,
    /// Functions that keep the function pointers they are given, as for convert
    #[arg(long, value_name = "GLOB")]
    keeps: Vec<String>,
    /// Functions that take user data in front of function pointers, as for convert
    #[arg(long, value_name = "GLOB")]
    user_data: Vec<String>,
    /// Go functions of one type at a time, as for convert [default: 64]
    #[arg(long, value_name = "N")]
    pool: Option<u32>,
    /// Undefined functions that Go provides, as for convert
    #[arg(long = "import", value_name = "GLOB")]
    imports: Vec<String>,
    /// Functions whose arguments are not looked at, as for convert
    #[arg(long, value_name = "GLOB")]
    trust: Vec<String>,
    /// Functions that can block, as for convert
    #[arg(long, value_name = "GLOB")]
    blocking: Vec<String>,
    /// Functions whose calls keep their thread, as for convert
    #[arg(long, value_name = "GLOB")]
    bare: Vec<String>,
    /// The stack of a call, as for convert [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    stack_size: Option<u64>,
    /// How many functions to list, the largest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Write a page to look at: a treemap of the image, the exports, and what keeps each function
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Looks into a library, and writes the page if asked to.
pub fn run(args: Inspect, ui: &Ui) -> Result<Inspection> {
    let options = InspectOptions {
        stack_size: args
            .stack_size
            .map_or(Ok(DEFAULT_STACK_SIZE), |size| stack_size(size, ui))?,
        package: args.package,
        exports: args.exports,
        trim_prefix: args.trim_prefix,
        names: args.names.unwrap_or_default(),
        headers: args.headers.into_options(),
        no_pairs: args.no_pairs,
        backtrace: args.backtrace,
        consumes: args.consumes,
        cstr: args.cstr,
        keeps: args.keeps,
        user_data: args.user_data,
        pool: args.pool.unwrap_or(DEFAULT_POOL),
        imports: args.imports,
        trust: args.trust,
        blocking: args.blocking,
        bare: args.bare,
        ..InspectOptions::new(args.inputs)
    };
    let found = crate::pipeline::inspect(&options, ui)?;
    if let Some(file) = args.html {
        let folder = std::env::current_dir().unwrap_or_default();
        crate::page::write(&file, &found, &folder)?;
        ui.status("Finished", &file.display().to_string());
    }
    Ok(found)
}
