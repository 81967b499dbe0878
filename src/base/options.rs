//! What the pipeline is asked to do, validated: the command line turns its flags into these, a build script fills them in itself.

use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::identifiers::Style;

/// Bytes of a lane unless the user says otherwise.
pub const DEFAULT_STACK_SIZE: u64 = 8 << 20;

/// The smallest lane: the guard, the blocks at its top and a stack worth having must fit.
pub const MIN_STACK_SIZE: u64 = 256 << 10;

/// The largest lane. Thread-locals are found by a 32-bit mask of SP, and each running M takes a region of this size.
pub const MAX_STACK_SIZE: u64 = 1 << 30;

/// How many Go functions of one type the library can have at a time, unless the user says otherwise, where it takes no user data for them.
pub const DEFAULT_POOL: u32 = 64;

/// The most of them that `--pool` can ask for.
pub const MAX_POOL: u32 = 1 << 16;

/// Options of `convert`. More may come: begin with [`ConvertOptions::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvertOptions {
    /// Archives, rlibs and objects, linked as one library. At least one.
    pub inputs: Vec<PathBuf>,
    /// Where the package goes.
    pub out_dir: PathBuf,
    /// The Go package's name; found as the contract says when absent.
    pub package: Option<String>,
    /// NAME of the written files; the library's name when absent.
    pub stem: Option<String>,
    /// The Go import path; found from the nearest go.mod when absent.
    pub import_path: Option<String>,
    /// Globs of symbols to export; after a `!`, of symbols to leave out. The last that matches counts. Empty: what the library's own Rust crates
    /// export; that is also what a first glob after a `!` takes from.
    pub exports: Vec<String>,
    /// A prefix of symbols that Go names leave out.
    pub trim_prefix: Option<String>,
    /// How Go names are spelled.
    pub names: Style,
    /// C headers: signatures where there is no debug information, and a second witness where there is.
    pub headers: Headers,
    /// Leave pointers and their lengths apart, instead of making slices of them.
    pub no_pairs: bool,
    /// Globs of exports that take the handles given to them by `*mut` for good; after a `!`, of exports that do not. The last that matches counts.
    pub consumes: Vec<String>,
    /// Globs of exports whose `*const c_char` parameters are strings in Go, copied for the call; after a `!`, of exports whose are pointers. The last
    /// that matches counts.
    pub cstr: Vec<String>,
    /// Globs of exports whose function pointers the library keeps beyond the call; after a `!`, of exports whose it does not. The last that matches counts.
    pub keeps: Vec<String>,
    /// Globs of exports that take user data in front of the function pointer that it is for; after a `!`, of exports that do not. The last that matches
    /// counts.
    pub user_data: Vec<String>,
    /// How many Go functions of one type the library can have at a time, where it takes no user data for them: from 1 to [`MAX_POOL`].
    pub pool: u32,
    /// Globs of undefined functions that Go provides; after a `!`, of others. The last that matches counts.
    pub imports: Vec<String>,
    /// Globs of exports whose arguments are not looked at before a call; after a `!`, of exports whose are. The last that matches counts.
    pub trust: Vec<String>,
    /// Globs of exports that block; after a `!`, of exports that do not. The last that matches counts.
    pub blocking: Vec<String>,
    /// Globs of exports whose calls never become system calls of Go's while they run; after a `!`, of exports whose may. The last that matches counts.
    pub bare: Vec<String>,
    /// Whether reports of panics can have a backtrace (`RUST_BACKTRACE`).
    pub backtrace: bool,
    /// Bytes of a lane: a power of two from [`MIN_STACK_SIZE`] to [`MAX_STACK_SIZE`].
    pub stack_size: u64,
    /// The command for the comment in generated files: base names and flags, no absolute paths, e.g. `rsyso convert libfoo.a`.
    pub command: String,
    /// Folders that stand for others in the library's debug information, and where these are.
    pub sources: Vec<(PathBuf, PathBuf)>,
    /// What the library is made of, where that is known.
    pub inside: Option<Inside>,
    /// The machines that archives for cgo are made for beside the image.
    pub cgo: Vec<CgoMachine>,
}

/// A machine on which Go calls the library through cgo, and what is known of the archive for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgoMachine {
    /// As Go names it.
    pub goos: String,
    /// As Go names it.
    pub goarch: String,
    /// The library that was built for it.
    pub library: PathBuf,
    /// What the linker is told beside the archive: `-lm`.
    pub libs: Vec<String>,
    /// The symbol that functions call which a panic may not leave.
    pub cannot_unwind: Option<String>,
}

impl CgoMachine {
    /// The name of the archive.
    pub fn archive(&self, stem: &str) -> String {
        format!("{stem}_{}_{}.a", self.goos, self.goarch)
    }
}

/// What goes into an image, and beside it, to tell what is inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The list of crates, as it stands in images.
    pub crates: Vec<u8>,
    /// The licence texts, to be written beside the image.
    pub notice: Option<String>,
}

impl Inside {
    /// The file of the licence texts: its name and its bytes.
    pub fn notice_file(&self, stem: &str) -> Option<(String, Vec<u8>)> {
        let text = self.notice.as_ref()?;
        Some((format!("NOTICE_{stem}.txt"), text.clone().into_bytes()))
    }
}

impl ConvertOptions {
    /// The options of a plain `rsyso convert <INPUT>...` into the current directory.
    pub fn new(inputs: Vec<PathBuf>) -> Self {
        let mut command = String::from("rsyso convert");
        for input in &inputs {
            command.push(' ');
            command.push_str(&base_name(input));
        }
        ConvertOptions {
            inputs,
            out_dir: PathBuf::from("."),
            package: None,
            stem: None,
            import_path: None,
            exports: Vec::new(),
            trim_prefix: None,
            names: Style::default(),
            headers: Headers::default(),
            no_pairs: false,
            backtrace: false,
            consumes: Vec::new(),
            cstr: Vec::new(),
            keeps: Vec::new(),
            user_data: Vec::new(),
            pool: DEFAULT_POOL,
            imports: Vec::new(),
            trust: Vec::new(),
            blocking: Vec::new(),
            bare: Vec::new(),
            stack_size: DEFAULT_STACK_SIZE,
            command,
            sources: Vec::new(),
            inside: None,
            cgo: Vec::new(),
        }
    }
}

impl ConvertOptions {
    /// Refuses what cannot be done before any file is read.
    pub fn check(&self) -> Result<()> {
        let faults = faults_of(&self.inputs, &self.headers, self.stack_size, self.pool);
        Error::check(Kind::Fault, faults, ())
    }

    /// The globs of exports, and those of imports.
    pub fn named(&self) -> (&[String], &[String]) {
        (&self.exports, &self.imports)
    }
}

/// What is said of C headers where the feature `header` is off.
#[cfg(not(feature = "header"))]
pub fn no_headers() -> Problem {
    let what = "C headers cannot be read: this rsyso was built without its feature `header`";
    let help = "build it with `--features header`, which takes a C compiler";
    Problem::new(what).help(help)
}

/// C headers, and what a compiler would be told with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headers {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Folders of the files that they include, where these are not beside them (`-I`).
    pub include_dirs: Vec<PathBuf>,
    /// Macros that are defined: `NAME`, or `NAME=VALUE` (`-D`).
    pub defines: Vec<String>,
    /// Macros that are known to be undefined (`-U`).
    pub undefines: Vec<String>,
}

impl Headers {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn faults(&self) -> Vec<Problem> {
        let is_name = |name: &str| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        let name_of = |define: &String| define.split('=').next().unwrap_or_default().to_owned();
        let defines = self.defines.iter().map(|d| ("-D", d, name_of(d)));
        let undefines = self.undefines.iter().map(|u| ("-U", u, u.clone()));
        let mut faults = Vec::new();
        #[cfg(not(feature = "header"))]
        if !self.is_empty() {
            faults.push(no_headers());
        }
        for (flag, value, name) in defines.chain(undefines) {
            if name.is_empty() || !is_name(&name) {
                let what = format!("`{flag} {value}`: `{name}` is no name of a macro");
                faults.push(Problem::new(what).help("macros with parameters cannot be given"));
            }
        }
        faults
    }
}

/// What every command that links can be told wrong.
fn faults_of(inputs: &[PathBuf], headers: &Headers, stack_size: u64, pool: u32) -> Vec<Problem> {
    let mut faults = headers.faults();
    if !(1..=MAX_POOL).contains(&pool) {
        faults.push(Problem::new(format!(
            "a pool of {pool} Go functions is not one of 1 to {MAX_POOL}"
        )));
    }
    if inputs.is_empty() {
        faults.push(Problem::new("no input files"));
    }
    if !stack_size.is_power_of_two() || !(MIN_STACK_SIZE..=MAX_STACK_SIZE).contains(&stack_size) {
        faults.push(Problem::new(format!(
            "a stack size of {stack_size} bytes is not a power of two from 256 KiB to 1 GiB"
        )));
    }
    faults
}

/// Options of `inspect`: those of `convert` on which the API and the image depend. More may come: begin with [`InspectOptions::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectOptions {
    /// Archives, rlibs and objects, linked as one library. At least one.
    pub inputs: Vec<PathBuf>,
    /// The Go package's name; the library's when absent.
    pub package: Option<String>,
    /// Globs of symbols to export; after a `!`, of symbols to leave out. The last that matches counts. Empty: what the library's own Rust crates
    /// export; that is also what a first glob after a `!` takes from.
    pub exports: Vec<String>,
    /// A prefix of symbols that Go names leave out.
    pub trim_prefix: Option<String>,
    /// As for `convert`.
    pub names: Style,
    /// C headers, as for `convert`.
    pub headers: Headers,
    /// As for `convert`.
    pub no_pairs: bool,
    /// As for `convert`.
    pub backtrace: bool,
    /// As for `convert`.
    pub consumes: Vec<String>,
    /// As for `convert`.
    pub cstr: Vec<String>,
    /// As for `convert`.
    pub keeps: Vec<String>,
    /// As for `convert`.
    pub user_data: Vec<String>,
    /// As for `convert`.
    pub pool: u32,
    /// As for `convert`.
    pub imports: Vec<String>,
    /// As for `convert`.
    pub trust: Vec<String>,
    /// As for `convert`.
    pub blocking: Vec<String>,
    /// As for `convert`.
    pub bare: Vec<String>,
    /// Bytes of a lane, as for `convert`.
    pub stack_size: u64,
}

impl InspectOptions {
    /// The options of a plain `rsyso inspect <INPUT>...`.
    pub fn new(inputs: Vec<PathBuf>) -> Self {
        InspectOptions {
            inputs,
            package: None,
            exports: Vec::new(),
            trim_prefix: None,
            names: Style::default(),
            headers: Headers::default(),
            no_pairs: false,
            backtrace: false,
            consumes: Vec::new(),
            cstr: Vec::new(),
            keeps: Vec::new(),
            user_data: Vec::new(),
            pool: DEFAULT_POOL,
            imports: Vec::new(),
            trust: Vec::new(),
            blocking: Vec::new(),
            bare: Vec::new(),
            stack_size: DEFAULT_STACK_SIZE,
        }
    }

    /// The globs of exports, and those of imports.
    pub fn named(&self) -> (&[String], &[String]) {
        (&self.exports, &self.imports)
    }

    /// Refuses what cannot be done before any file is read.
    pub fn check(&self) -> Result<()> {
        let faults = faults_of(&self.inputs, &self.headers, self.stack_size, self.pool);
        Error::check(Kind::Fault, faults, ())
    }
}

/// The file name of the library that the inputs are.
pub fn library_file(inputs: &[PathBuf]) -> String {
    base_name(inputs.first().map_or(Path::new(""), PathBuf::as_path))
}

/// The last component of a path, for messages and for comments in generated files, which must not carry a machine's paths.
pub fn base_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let mut o = ConvertOptions::new(vec!["target/release/libfoo.a".into()]);
        assert_eq!(o.command, "rsyso convert libfoo.a");
        assert_eq!(o.check(), Ok(()));
        o.stack_size = 3 << 20;
        o.headers.defines = vec!["A=1".into(), "B".into(), "C(x)=x".into()];
        o.headers.undefines = vec!["1D".into()];
        let problems = o.check().unwrap_err().problems;
        let told: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "`-D C(x)=x`: `C(x)` is no name of a macro",
                "`-U 1D`: `1D` is no name of a macro",
                "a stack size of 3145728 bytes is not a power of two from 256 KiB to 1 GiB"
            ]
        );
        assert_eq!(o.check().unwrap_err().kind, Kind::Fault);
    }
}
