//! What the driver tells while it works ([`Progress`]) and when it is done: the reports that `--json` prints.
//!
//! The field names of the reports are part of the command's contract: docs/JSON.md lists them.

use std::path::PathBuf;

use serde::Serialize;

use crate::diag::Problem;

/// Hears what the driver does. The library never prints by itself.
pub trait Progress: Sync {
    /// A step, as a verb and its object: `Reading`, `libfoo.a (21.8 MB, 323 members)`.
    fn status(&self, verb: &str, what: &str);
    /// A finer step, for those who ask for detail.
    fn detail(&self, verb: &str, what: &str);
    /// Something the user should know that does not stop the work.
    fn warn(&self, problem: &Problem);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn status(&self, _: &str, _: &str) {}
    fn detail(&self, _: &str, _: &str) {}
    fn warn(&self, _: &Problem) {}
}

/// A number of bytes as people read it: `512 B`, `1.2 kB`, `21.8 MB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 and up would print as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number of things: `1 function`, `2 functions`.
pub fn count(n: usize, thing: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{s}")
}

/// What `convert` made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Converted {
    /// Name of the Go package.
    pub package: String,
    /// Its import path, when it is known.
    pub import_path: Option<String>,
    /// Where the files lie, as given with `-o`.
    pub out_dir: PathBuf,
    /// The files written, `.syso` first.
    pub files: Vec<PathBuf>,
    /// The Go declarations of the functions, e.g. `func CountWords(text string) uint`.
    pub functions: Vec<String>,
    /// Bytes of the image.
    pub image_size: u64,
    /// Input sections in the image.
    pub kept: usize,
    /// Input sections left out because nothing reaches them.
    pub dropped: usize,
    /// The functions that can wait, or about which `--blocking` says something.
    pub waits: Vec<Waiting>,
}

/// A function that can wait, or about which `--blocking` says something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The symbol in the library.
    pub symbol: String,
    /// What `--blocking` says of it: true, false, or nothing.
    pub declared: Option<bool>,
    /// How it can wait, when it can.
    pub wait: Option<Wait>,
}

/// A wait that a function reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// Completes "it can ...": `sleep`, `wait for another thread`.
    pub why: String,
    /// From the function to the system call, demangled.
    pub chain: Vec<String>,
}

/// What `inspect` found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The library's name: `foo` of `libfoo.a`.
    pub library: String,
    /// `linux/amd64`.
    pub target: String,
    /// The version of the compiler, as in `1.95.0 (59807616e 2026-04-14)`; empty when unknown.
    pub rustc: String,
    /// Every export, supported or not, in the order of the symbols.
    pub exports: Vec<InspectedExport>,
    /// Bytes of what would be shipped.
    pub sizes: Sizes,
    /// Symbols that nobody provides, by name.
    pub missing: Vec<Missing>,
    /// What would be shipped, in the order of the image.
    pub kept: Vec<Kept>,
    /// Input sections that nothing reaches.
    pub dropped: usize,
}

/// One exported function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InspectedExport {
    /// The symbol in the library.
    pub symbol: String,
    /// The Go declaration; empty when the function is not supported.
    pub go: String,
    /// The Rust signature, as far as it is known; else the path or the symbol.
    pub rust: String,
    /// `src/lib.rs:12`, when known.
    pub source: Option<String>,
    /// Where it runs: `lane` or `goroutine`.
    pub stack: String,
    /// Why it runs there, in one sentence.
    pub why: String,
    /// Bytes of the function itself.
    pub size_own: u64,
    /// Bytes of everything it reaches, itself included.
    pub size_reach: u64,
    /// How it can wait, when it can.
    pub wait: Option<Wait>,
    /// Why the function cannot be converted; empty when it can.
    pub unsupported: Vec<String>,
}

/// Bytes by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Instructions.
    pub code: u64,
    /// Read-only data.
    pub rodata: u64,
    /// Initialised writable data.
    pub data: u64,
    /// Writable data that begins as zeros.
    pub bss: u64,
    /// The thread-local template.
    pub tls: u64,
}

/// A symbol that nobody provides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The symbol.
    pub name: String,
    /// Who refers to it: at most three places.
    pub needed_by: Vec<String>,
    /// From the export down to the reference, demangled.
    pub chain: Vec<String>,
}

/// A piece of the library that is shipped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Demangled; the section's name where there is no symbol.
    pub name: String,
    /// The raw symbol; empty where there is none.
    pub symbol: String,
    /// Bytes.
    pub size: u64,
    /// The input section, e.g. `.text._ZN3foo3bar17h...E`.
    pub section: String,
    /// `libfoo.a(member.o)`.
    pub place: String,
    /// Who keeps it: `export`, or the demangled name of what refers to it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::{bytes, count};

    #[test]
    fn bytes_are_readable() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (21_812_000, "21.8 MB"),
            (5_000_000_000_000_000, "5000.0 TB"),
        ];
        for (n, text) in table {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(count(1, "export"), "1 export");
        assert_eq!(count(0, "export"), "0 exports");
    }
}
