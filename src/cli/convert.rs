//! The command `convert`, and the options of Go packages that `build` shares with it.

use std::path::PathBuf;

use crate::base::diag::{Problem, Result};
use crate::base::identifiers::Style;
use crate::base::options::{
    ConvertOptions, DEFAULT_POOL, DEFAULT_STACK_SIZE, Headers, MAX_STACK_SIZE, MIN_STACK_SIZE,
    base_name,
};
use crate::base::report::{Converted, Progress, bytes, count};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::ui::Ui;
use super::{Output, fault};

/// Writes a Go package for a library
#[derive(Args, Debug)]
pub struct Convert {
    /// Static libraries (.a), .rlib and .o files, linked as one library
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The folder of the Go package
    #[arg(short, value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,
    #[command(flatten)]
    go: Go,
    #[command(flatten)]
    pub output: Output,
}

/// What the Go package is to be.
#[derive(Args, Debug)]
pub struct Go {
    /// The package's name [default: $GOPACKAGE, the Go files in DIR, the library's name]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// The beginning of the written files' names [default: the library's name]
    #[arg(long, value_name = "NAME")]
    stem: Option<String>,
    /// The package's import path [default: found from go.mod]
    #[arg(long, value_name = "PATH")]
    import_path: Option<String>,
    /// Functions to export, by symbol [default: all of the library's own]; `!GLOB` for those to leave out; the last match counts
    #[arg(long = "export", value_name = "GLOB")]
    exports: Vec<String>,
    /// A prefix of symbols that Go names leave out
    #[arg(long, value_name = "P")]
    trim_prefix: Option<String>,
    /// How names are spelled: as Go has them, or as C has them but for a first letter in upper case, and then no function is a method [default: go]
    #[arg(long, value_name = "STYLE", value_parser = styles())]
    names: Option<Style>,
    #[command(flatten)]
    headers: HeaderFlags,
    /// Leave a pointer and its length (data, data_len) apart, instead of making a slice of them
    #[arg(long)]
    no_pairs: bool,
    /// Keep what prints backtraces (RUST_BACKTRACE=1) in reports of panics: about 200 kB of the package
    #[arg(long)]
    backtrace: bool,
    /// Functions that take the handle they are given by `*mut` for good, by symbol, as one that takes a Box does; `!GLOB` for those that do not; the last match counts
    #[arg(long, value_name = "GLOB")]
    consumes: Vec<String>,
    /// Functions whose `*const c_char` parameters are strings in Go, copied for the call, by symbol; `!GLOB` for others; the last match counts
    #[arg(long, value_name = "GLOB")]
    cstr: Vec<String>,
    /// Functions that keep the function pointers they are given and call them later, by symbol; `!GLOB` for those that do not; the last match counts
    #[arg(long, value_name = "GLOB")]
    keeps: Vec<String>,
    /// Functions that take user data in front of the function pointer that it is for, not behind it, by symbol; `!GLOB` for others; the last match counts
    #[arg(long, value_name = "GLOB")]
    user_data: Vec<String>,
    /// Go functions of one type that the library can have at a time where it takes no user data for them [default: 64]
    #[arg(long, value_name = "N")]
    pool: Option<u32>,
    /// Undefined functions that Go provides, by symbol: each has a SetXxx(func ...) in Go; `!GLOB` for those that Go does not provide; the last match counts
    #[arg(long = "import", value_name = "GLOB")]
    imports: Vec<String>,
    /// Functions whose arguments are not looked at before a call, by symbol; `!GLOB` for those whose are; the last match counts
    #[arg(long, value_name = "GLOB")]
    trust: Vec<String>,
    /// Functions that can block, by symbol; `!GLOB` for those that do not; the last match counts
    #[arg(long, value_name = "GLOB")]
    blocking: Vec<String>,
    /// Functions whose calls always keep their thread, by symbol: they are so short that Go can wait for them; `!GLOB` for others; the last match counts
    #[arg(long, value_name = "GLOB")]
    bare: Vec<String>,
    /// The stack of a call, a power of two from 256KiB to 1GiB [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    stack_size: Option<u64>,
}

/// The flags of C headers, which `inspect` has too.
#[derive(Args, Debug)]
pub struct HeaderFlags {
    /// A C header, as cbindgen writes it: signatures without debug information, or a check of those that there are
    #[arg(long = "header", value_name = "FILE.h")]
    headers: Vec<PathBuf>,
    /// A folder of files that headers include, as for a C compiler
    #[arg(short = 'I', value_name = "DIR")]
    include_dirs: Vec<PathBuf>,
    /// A macro that is defined for headers, as for a C compiler
    #[arg(short = 'D', value_name = "NAME[=V]")]
    defines: Vec<String>,
    /// A macro that is undefined for headers, as for a C compiler
    #[arg(short = 'U', value_name = "NAME")]
    undefines: Vec<String>,
}

impl HeaderFlags {
    /// What the pipeline is told of them.
    pub fn into_options(self) -> Headers {
        Headers {
            files: self.headers,
            include_dirs: self.include_dirs,
            defines: self.defines,
            undefines: self.undefines,
        }
    }

    fn words(&self) -> Vec<(&'static str, String)> {
        let paths = |flag, paths: &[PathBuf]| {
            let words = paths.iter().map(|p| (flag, base_name(p)));
            words.collect::<Vec<_>>()
        };
        let texts = |flag, texts: &[String]| {
            let words = texts.iter().map(|t| (flag, t.clone()));
            words.collect::<Vec<_>>()
        };
        let mut words = paths("--header", &self.headers);
        words.extend(paths("-I", &self.include_dirs));
        words.extend(texts("-D", &self.defines));
        words.extend(texts("-U", &self.undefines));
        words
    }
}

/// Converts, and tells what came of it.
pub fn run(args: Convert, ui: &Ui) -> Result<Converted> {
    let options = options(args, ui)?;
    let made = crate::pipeline::convert(&options, ui)?;
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
    hint(&made.files, ui);
    Ok(made)
}

/// What git should know of the files.
pub fn hint(files: &[PathBuf], ui: &Ui) {
    if let Some(text) = crate::go::gitattributes::hint(files) {
        ui.note(&text);
    }
}

pub fn options(args: Convert, ui: &dyn Progress) -> Result<ConvertOptions> {
    let names = args.inputs.iter().map(|p| quote(&base_name(p)));
    let words = args.go.words().into_iter().chain(names);
    let command = ["rsyso".into(), "convert".into()].into_iter().chain(words);
    let command = command.collect::<Vec<String>>().join(" ");
    let options = ConvertOptions {
        inputs: args.inputs,
        out_dir: args.out_dir,
        command,
        ..ConvertOptions::new(Vec::new())
    };
    args.go.into_options(options, ui)
}

impl Go {
    /// Fills in all that is not about inputs and output.
    pub fn into_options(
        self,
        options: ConvertOptions,
        ui: &dyn Progress,
    ) -> Result<ConvertOptions> {
        let stack_size = match self.stack_size {
            Some(size) => stack_size(size, ui)?,
            None => DEFAULT_STACK_SIZE,
        };
        Ok(ConvertOptions {
            package: self.package,
            stem: self.stem,
            import_path: self.import_path,
            exports: self.exports,
            trim_prefix: self.trim_prefix,
            names: self.names.unwrap_or_default(),
            headers: self.headers.into_options(),
            no_pairs: self.no_pairs,
            consumes: self.consumes,
            cstr: self.cstr,
            keeps: self.keeps,
            user_data: self.user_data,
            pool: self.pool.unwrap_or(DEFAULT_POOL),
            imports: self.imports,
            trust: self.trust,
            blocking: self.blocking,
            bare: self.bare,
            backtrace: self.backtrace,
            stack_size,
            ..options
        })
    }

    /// The flags for the comment in generated files. They name no folder, so that the same input gives the same bytes on every machine.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut flag = |name: &str, value: &str| {
            words.push(name.to_string());
            words.push(quote(value));
        };
        let single = [
            ("--package", &self.package),
            ("--stem", &self.stem),
            ("--import-path", &self.import_path),
            ("--trim-prefix", &self.trim_prefix),
        ];
        for (name, value) in single {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        if self.names == Some(Style::C) {
            flag("--names", "c");
        }
        for glob in &self.exports {
            flag("--export", glob);
        }
        for (name, value) in self.headers.words() {
            flag(name, &value);
        }
        for glob in &self.consumes {
            flag("--consumes", glob);
        }
        for glob in &self.cstr {
            flag("--cstr", glob);
        }
        for glob in &self.keeps {
            flag("--keeps", glob);
        }
        for glob in &self.user_data {
            flag("--user-data", glob);
        }
        if let Some(pool) = self.pool {
            flag("--pool", &pool.to_string());
        }
        for glob in &self.imports {
            flag("--import", glob);
        }
        for glob in &self.trust {
            flag("--trust", glob);
        }
        for glob in &self.blocking {
            flag("--blocking", glob);
        }
        for glob in &self.bare {
            flag("--bare", glob);
        }
        if let Some(size) = self.stack_size {
            flag("--stack-size", &size.to_string());
        }
        words.extend(self.no_pairs.then(|| "--no-pairs".to_string()));
        words.extend(self.backtrace.then(|| "--backtrace".to_string()));
        words
    }
}

/// A word of a shell's command line. Control characters cannot stand in a comment of one line.
pub fn quote(word: &str) -> String {
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

/// The words of a line that [`quote`] made.
pub fn unquoted(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut inside = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                inside = !inside;
                word.get_or_insert_default();
            }
            '\\' if !inside => word.get_or_insert_default().extend(chars.next()),
            ' ' if !inside => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// `go` or `c`.
pub fn styles() -> impl TypedValueParser<Value = Style> {
    PossibleValuesParser::new(["go", "c"]).map(|style| match style.as_str() {
        "c" => Style::C,
        _ => Style::Go,
    })
}

/// `8MiB`, `8M` or `8388608`.
pub fn parse_size(text: &str) -> std::result::Result<u64, String> {
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
pub(super) fn stack_size(asked: u64, ui: &dyn Progress) -> Result<u64> {
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
