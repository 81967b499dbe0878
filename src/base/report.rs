//! What the pipeline tells while it works ([`Progress`]) and when it is done: the reports that `--json` prints.
//!
//! The field names of the reports are part of the command's contract: docs/JSON.md lists them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::base::diag::Problem;

/// Hears what the pipeline does. The library never prints by itself.
pub trait Progress: Sync {
    /// A step, as a verb and its object: `Reading`, `libfoo.a (21.8 MB, 323 members)`.
    fn status(&self, verb: &str, what: &str);
    /// A finer step, for those who ask for detail.
    fn detail(&self, verb: &str, what: &str);
    /// Something the user should know that does not stop the work.
    fn warn(&self, problem: &Problem);
    /// Whether to measure stages: it takes a little time, and resets the peak memory that the system keeps of this process.
    fn measures(&self) -> bool {
        false
    }
    /// A stage is over, and was measured.
    fn stage(&self, _: &Stage) {}
}

/// A stage that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name in the pipeline.
    pub name: &'static str,
    /// How long it took.
    pub time: Duration,
    /// The most memory that the process had while it ran, in bytes; none where the system does not tell.
    pub peak_memory: Option<u64>,
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

/// A place in a source file, relative to `folder` if it lies below.
pub fn below<'a>(source: &'a str, folder: &Path) -> &'a str {
    let relative = folder
        .to_str()
        .and_then(|folder| source.strip_prefix(folder)?.strip_prefix('/'));
    relative.unwrap_or(source)
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
    /// The Rust source of what stands before the exports for cgo, if Go calls the library through that anywhere, and the end of its names.
    #[serde(skip)]
    pub shim: Option<(String, String)>,
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
    /// Name of the Go package.
    pub package: String,
    /// What it would offer: every exported declaration, in the order of the file.
    pub api: Vec<GoDeclaration>,
    /// Every export, supported or not, in the order of the symbols.
    pub exports: Vec<InspectedExport>,
    /// Bytes of what would be shipped.
    pub sizes: Sizes,
    /// Undefined symbols, by name.
    pub missing: Vec<Missing>,
    /// The image byte by byte; none when there are problems that leave no image.
    pub image: Option<Image>,
    /// Why there is no image.
    pub obstacles: Vec<String>,
    /// What would be shipped, in the order of the image.
    pub kept: Vec<Kept>,
    /// Input sections that nothing reaches.
    pub dropped: usize,
}

/// A declaration of the Go package that others may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GoDeclaration {
    /// `CountWords`, `Panic`, `Panic.Error`; of a group of constants the first.
    pub name: String,
    /// `func`, `type`, `const` or `var`.
    pub kind: String,
    /// The declaration without its body.
    pub text: String,
    /// Its comment.
    pub doc: String,
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
    /// Bytes of the stack that a call has; none when there is no image.
    pub stack_bytes: Option<u64>,
    /// What `--blocking` says of it: true, false, or nothing.
    pub declared: Option<bool>,
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

/// An undefined symbol.
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

/// Which bytes of the image belong to what. The sizes add up: of the items to their crate, of the crates to the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Bytes of the image, as `convert` would write it.
    pub size: u64,
    /// The same by kind.
    pub bytes: Bytes,
    /// The crates, the largest first.
    pub crates: Vec<CrateSize>,
    /// Functions, variables and tables, the largest first.
    pub items: Vec<Item>,
}

/// Bytes of the image by kind. Kinds that do not occur are left out of the JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Instructions.
    #[serde(skip_serializing_if = "none")]
    pub code: u64,
    /// Read-only data.
    #[serde(skip_serializing_if = "none")]
    pub rodata: u64,
    /// Data in the writable part: variables, and constants that hold addresses.
    #[serde(skip_serializing_if = "none")]
    pub data: u64,
    /// Variables that begin as zeros.
    #[serde(skip_serializing_if = "none")]
    pub zeros: u64,
    /// Unwind tables.
    #[serde(skip_serializing_if = "none")]
    pub unwind: u64,
    /// Names of functions, for messages.
    #[serde(skip_serializing_if = "none")]
    pub names: u64,
    /// What the linker makes: header, parameters, fix-ups, cells.
    #[serde(skip_serializing_if = "none")]
    pub tables: u64,
    /// Gaps.
    #[serde(skip_serializing_if = "none")]
    pub padding: u64,
}

/// For serde, which hands out references.
fn none(n: &u64) -> bool {
    *n == 0
}

impl Bytes {
    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.kinds().iter().map(|(_, n)| n).sum()
    }

    /// Each kind by the word that people read.
    pub fn kinds(&self) -> [(&'static str, u64); 8] {
        [
            ("code", self.code),
            ("read-only data", self.rodata),
            ("data", self.data),
            ("zeros", self.zeros),
            ("unwind tables", self.unwind),
            ("names", self.names),
            ("tables", self.tables),
            ("padding", self.padding),
        ]
    }
}

impl std::ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Bytes) {
        self.code += other.code;
        self.rodata += other.rodata;
        self.data += other.data;
        self.zeros += other.zeros;
        self.unwind += other.unwind;
        self.names += other.names;
        self.tables += other.tables;
        self.padding += other.padding;
    }
}

/// What a crate takes of the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CrateSize {
    /// The crate; `C` for the C code of the archive, `rsyso` and `rsyso_rt` for what rsyso adds.
    pub name: String,
    /// What sort of crate.
    pub group: Group,
    /// Bytes.
    pub size: u64,
    /// The same by kind.
    pub bytes: Bytes,
    /// Number of its items.
    pub items: usize,
}

/// Sorts of crates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// It holds exports.
    Library,
    /// What the library uses.
    #[default]
    Dependency,
    /// Part of Rust's standard library.
    Std,
    /// C code.
    C,
    /// The runtime, the wrappers and the linker's tables.
    Rsyso,
}

/// A function, a variable or a table of the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Demangled.
    pub name: String,
    /// The raw symbol, where it differs from the name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub symbol: String,
    /// Its crate, as in `crates`.
    #[serde(rename = "crate")]
    pub krate: String,
    /// The module below the crate, of C code the member of the archive; empty at the top.
    pub module: String,
    /// `libfoo.a(member.o)`; empty for what the linker makes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Bytes, those of its constants without names included.
    pub size: u64,
    /// The same by kind.
    pub bytes: Bytes,
    /// Index of the item that refers to it, on the shortest chain from a root; none for roots.
    pub kept_by: Option<usize>,
    /// Of a root: why it is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root: String,
}

#[cfg(test)]
mod tests {
    use super::{below, bytes, count};
    use std::path::Path;

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
    fn other_folders_are_told_whole() {
        let folder = Path::new("/home/me/text");
        assert_eq!(below("/home/me/text/src/lib.rs:1", folder), "src/lib.rs:1");
        let other = "/home/me/textile/lib.rs:1";
        assert_eq!(below(other, folder), other);
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(count(1, "export"), "1 export");
        assert_eq!(count(0, "export"), "0 exports");
    }
}
