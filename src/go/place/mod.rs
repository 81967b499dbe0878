//! Where the package goes and what it is called, what is there, and how it gets there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, MARK};
use crate::base::options::ConvertOptions;

use crate::base::identifiers as names;

mod cgo;
pub mod gitattributes;
mod gomod;
mod present;
mod write;

pub use cgo::{CgoPresent, cgo_present};
pub use present::{Present, agree, present};
pub use write::{write, write_text, write_tree};

/// Where the package goes and what it is called; resolved before anything else is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory; [`super::write`] creates it if need be.
    pub dir: PathBuf,
    /// What the names of the files begin with.
    pub stem: String,
    /// The name of the Go package.
    pub package: String,
    /// The path under which Go code imports it, when known.
    pub import_path: Option<String>,
}

/// What the go command takes for an operating system at the end of a file's name (internal/syslist, KnownOS, up to Go 1.27).
const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];

/// What it takes for a machine (KnownArch).
const ARCHES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// Whether the go command takes a word for an operating system or a machine.
pub fn is_platform(word: &str) -> bool {
    SYSTEMS.contains(&word) || ARCHES.contains(&word)
}

/// Whether the name of a file is for builds for linux and a machine (go/build, `goodOSArchFile`).
pub fn suits(file: &str, goarch: &str) -> bool {
    let name = file.split('.').next().unwrap_or_default();
    let parts: Vec<&str> = name.split('_').skip(1).collect();
    let parts = match parts.as_slice() {
        [rest @ .., "test"] => rest,
        all => all,
    };
    let fits = |part: &str| part == "linux" || part == goarch;
    match parts {
        [.., system, arch] if SYSTEMS.contains(system) && ARCHES.contains(arch) => {
            fits(system) && fits(arch)
        }
        [.., last] if is_platform(last) => fits(last),
        _ => true,
    }
}

impl Place {
    /// What tells the package from others: its import path, or its name where that is not known.
    pub fn identity(&self) -> &str {
        self.import_path.as_deref().unwrap_or(&self.package)
    }
}

/// Where `convert` puts the package, and what it calls it.
pub fn place_of(o: &ConvertOptions) -> Result<Place> {
    let env = std::env::var("GOPACKAGE").ok();
    place(
        &o.inputs,
        &o.out_dir,
        o.package.as_deref(),
        o.stem.as_deref(),
        o.import_path.as_deref(),
        env.as_deref(),
    )
}

/// Resolves names from the command line, the environment, the directory and the inputs, in the order of the contract.
pub fn place(
    inputs: &[PathBuf],
    dir: &Path,
    package: Option<&str>,
    stem: Option<&str>,
    import_path: Option<&str>,
    gopackage_env: Option<&str>,
) -> Result<Place> {
    if dir.exists() && !dir.is_dir() {
        return Err(fault("the output is not a directory").map(|p| p.at(dir.display().to_string())));
    }
    let library = names::library_name(inputs.first().map_or(Path::new(""), PathBuf::as_path));
    let stem = match stem {
        Some(stem) => checked_stem(stem, true)?,
        None => checked_stem(&library, false)?,
    };
    let import_path = match import_path {
        Some(path) if gomod::is_import_path(path) => Some(path.to_string()),
        Some(path) => {
            return Err(fault(format!("`{path}` is not a Go import path"))
                .map(|p| p.help("give `--import-path` a path like `example.com/module/foo`")));
        }
        None => gomod::import_path(dir),
    };
    Ok(Place {
        dir: dir.to_path_buf(),
        package: package_of(dir, &stem, &library, package, gopackage_env)?,
        stem,
        import_path,
    })
}

/// The place of a package that is shown, not written: called as `--package` says, or after the library.
pub fn nowhere(library: &str, package: Option<&str>) -> Result<Place> {
    let package = match package {
        Some(name) => checked_package(name, "--package")?,
        None => names::package_name(library),
    };
    Ok(Place {
        dir: PathBuf::new(),
        stem: library.to_string(),
        package,
        import_path: None,
    })
}

/// An error to be completed.
struct Fault(Problem);

fn fault(message: impl Into<String>) -> Fault {
    Fault(Problem::new(message))
}

impl Fault {
    fn map(self, f: impl FnOnce(Problem) -> Problem) -> Error {
        Error::fault(f(self.0))
    }
}

/// A stem must not change what the go command does with the files.
fn checked_stem(stem: &str, given: bool) -> Result<String> {
    let what = match given {
        true => format!("the stem `{stem}`"),
        false => format!("the library's name, `{stem}`,"),
    };
    let refuse = |why: String| {
        let help = "choose another name for the files with `--stem NAME`";
        Err(fault(format!("{what} {why}")).map(|p| p.help(help)))
    };
    if stem.is_empty() || !stem.chars().all(names::is_file_char) {
        return refuse("does not consist of letters, digits, `_` and `-`".into());
    }
    if stem.starts_with('_') {
        return refuse("begins with `_`: the go command ignores such files".into());
    }
    match stem.rsplit_once('_').map(|(_, last)| last) {
        Some("test") => refuse("ends in `_test`: the go command takes such files for tests".into()),
        Some(last) if is_platform(last) => refuse(format!(
            "ends in `_{last}`: the go command builds such files for that platform alone"
        )),
        _ => Ok(stem.to_string()),
    }
}

/// `--package`, `$GOPACKAGE`, the package clause in the directory, the library's name.
fn package_of(
    dir: &Path,
    stem: &str,
    library: &str,
    given: Option<&str>,
    env: Option<&str>,
) -> Result<String> {
    let found = clauses(dir, stem)?;
    // Both would declare the same names.
    if let Some(other) = found.iter().find(|clause| clause.generated && !clause.ours) {
        let before = other.file.trim_end_matches(".go");
        let parts = ["_unsupported", "_norace", "_race", "_cgo"].iter();
        let before = parts
            .filter_map(|part| before.strip_suffix(part))
            .next()
            .unwrap_or(before);
        return Err(
            fault("the directory holds a package that rsyso made of another library").map(|p| {
                p.at(dir.join(&other.file).display().to_string()).help(format!(
                    "choose another directory with `-o`; if it is the same library, keep the files' name with `--stem {before}`, or remove them"
                ))
            }),
        );
    }
    let chosen = match (given, env.filter(|name| !name.is_empty())) {
        (Some(name), _) => Some((checked_package(name, "--package")?, "--package")),
        (None, Some(name)) => Some((checked_package(name, "$GOPACKAGE")?, "$GOPACKAGE")),
        (None, None) => None,
    };
    let mut others = found.iter().filter(|clause| !clause.ours);
    let first = others.next();
    if let Some(first) = first
        && let Some(second) = others.find(|clause| clause.package != first.package)
    {
        return Err(fault(format!(
            "the directory holds two packages, `{}` and `{}`",
            first.package, second.package
        ))
        .map(|p| {
            p.at(dir.display().to_string())
                .note(format!("package {} in {}", first.package, first.file))
                .note(format!("package {} in {}", second.package, second.file))
                .help("choose another directory with `-o`")
        }));
    }
    match (chosen, first) {
        (Some((name, source)), Some(clause)) if name != clause.package => Err(fault(format!(
            "{source} says package `{name}`, but the directory holds package `{}`",
            clause.package
        ))
        .map(|p| {
            p.at(dir.join(&clause.file).display().to_string())
                .help("choose another directory with `-o`, or its package with `--package`")
        })),
        (Some((name, _)), _) => Ok(name),
        (None, Some(clause)) => Ok(clause.package.clone()),
        // Nothing but what an earlier run wrote.
        (None, None) => Ok(found
            .first()
            .map_or_else(|| names::package_name(library), |ours| ours.package.clone())),
    }
}

fn checked_package(name: &str, source: &str) -> Result<String> {
    // The go command ignores files of package "documentation" (go/build, Context.Import).
    if names::is_identifier(name) && name != "documentation" {
        return Ok(name.to_string());
    }
    Err(fault(format!(
        "{source}: `{name}` cannot be the name of a Go package"
    ))
    .map(|p| p.help("a package name is a short word in lower case")))
}

/// The package that the Go files of a directory make up, if there are any.
pub fn package_in(dir: &Path) -> Result<Option<String>> {
    Ok(clauses(dir, "")?.into_iter().next().map(|c| c.package))
}

/// The package clause of one file.
struct Clause {
    file: String,
    package: String,
    /// Whether rsyso wrote the file.
    generated: bool,
    /// Whether this run is going to replace it.
    ours: bool,
}

/// The clauses of the Go files in `dir` that the go command would build together, by file name.
fn clauses(dir: &Path, stem: &str) -> Result<Vec<Clause>> {
    let own =
        ["", "_unsupported", "_race", "_norace", "_cgo"].map(|part| format!("{stem}{part}.go"));
    let unreadable = |path: &Path, e: std::io::Error| {
        fault(format!("cannot be read: {e}")).map(|p| p.at(path.display().to_string()))
    };
    let entries = match files::list(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(dir, e)),
    };
    let mut found = Vec::new();
    for path in entries {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_go = path.extension() == Some(OsStr::new("go"));
        if !is_go || file.starts_with(['_', '.']) || !path.is_file() {
            continue;
        }
        let bytes = files::read(&path).map_err(|e| unreadable(&path, e))?;
        let text = String::from_utf8_lossy(&bytes);
        let Some(package) = package_clause(&text) else {
            continue;
        };
        let external_test = file.ends_with("_test.go") && package.ends_with("_test");
        if !external_test && package != "documentation" {
            let generated = text.lines().next().is_some_and(|l| l.contains(MARK));
            found.push(Clause {
                generated,
                ours: generated && own.contains(&file),
                file,
                package: package.to_string(),
            });
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// The name in the package clause. None for what is no Go file, and for files that no build takes (`//go:build ignore`).
fn package_clause(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("//") {
            let (line, after) = comment.split_once('\n').unwrap_or((comment, ""));
            let constraint = line
                .strip_prefix("go:build")
                .or_else(|| line.trim_start().strip_prefix("+build"));
            let ignored = |c: &str| c.split_whitespace().next() == Some("ignore");
            if constraint.is_some_and(ignored) {
                return None;
            }
            rest = after.trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1.trim_start();
        } else {
            break;
        }
    }
    let rest = rest.strip_prefix("package")?;
    let name = rest.trim_start();
    if name.len() == rest.len() {
        return None;
    }
    let end = name
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(name.len());
    let name = name.get(..end)?;
    names::is_identifier(name).then_some(name)
}

#[cfg(test)]
mod tests;
