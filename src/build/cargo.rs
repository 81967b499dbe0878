//! Running cargo.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cargo_metadata::{Metadata, MetadataCommand};

use crate::base::diag::{Error, Problem, Result};
use crate::base::files;
use crate::base::options::base_name;

use super::BuildOptions;

/// Whether cargo takes the crate in a folder as it is: as a member of the workspace above it, or as one of its own.
pub fn is_taken(dir: &Path) -> bool {
    Cargo::at(dir).is_ok_and(|cargo| cargo.metadata(&BuildOptions::new(dir)).is_ok())
}

/// Cargo, in the folder of a `Cargo.toml`: its configuration and the toolchain that rustup chooses depend on where it is started.
pub(super) struct Cargo {
    /// Where `Cargo.toml` lies.
    pub(super) dir: PathBuf,
}

impl Cargo {
    /// Looks for `Cargo.toml` in a folder and in those above it, as cargo does.
    pub(super) fn at(dir: &Path) -> Result<Cargo> {
        let place = dir.display().to_string();
        if !dir.is_dir() {
            let message = match dir.exists() {
                true => "is not a folder",
                false => "no such folder",
            };
            let help = "name the folder of a crate, the one that holds Cargo.toml";
            return Err(Error::fault(Problem::new(message).at(place).help(help)));
        }
        // A short path stays short in what is printed.
        if dir.join("Cargo.toml").is_file() {
            return Ok(Cargo {
                dir: dir.to_path_buf(),
            });
        }
        let above = std::path::absolute(dir).ok().and_then(|dir| {
            let mut above = dir.ancestors();
            above
                .find(|dir| dir.join("Cargo.toml").is_file())
                .map(Path::to_path_buf)
        });
        above.map(|dir| Cargo { dir }).ok_or_else(|| {
            Error::fault(
                Problem::new("not a crate: there is no Cargo.toml in this folder, nor above it")
                    .at(place)
                    .help("name the crate's folder, as in `rsyso build path/to/crate`; `rsyso init` writes a first crate"),
            )
        })
    }

    /// The command, to be completed. `$CARGO` is set where cargo itself is the caller, and then it is the one to use.
    pub(super) fn command(&self) -> Command {
        self.tool("CARGO", "cargo")
    }

    pub(super) fn tool(&self, variable: &str, name: &str) -> Command {
        let program = std::env::var_os(variable).filter(|p| !p.is_empty());
        let mut command = Command::new(program.unwrap_or_else(|| OsString::from(name)));
        command.current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// Cargo's description of the workspace, without its dependencies.
    pub(super) fn metadata(&self, o: &BuildOptions) -> Result<Metadata> {
        self.described(o, &["--no-deps".to_owned()])
    }

    /// Cargo's description of the crate in a folder and of all that it depends on for a target.
    pub(super) fn dependencies(
        &self,
        dir: &Path,
        o: &BuildOptions,
        target: &str,
    ) -> Result<Metadata> {
        let manifest = std::path::absolute(dir.join("Cargo.toml"));
        let manifest = manifest.unwrap_or_default();
        let mut words = vec![
            format!("--manifest-path={}", manifest.display()),
            format!("--filter-platform={target}"),
        ];
        words.extend(features(o));
        self.described(o, &words)
    }

    /// The folder of the toolchain.
    pub(super) fn sysroot(&self) -> Option<PathBuf> {
        let mut rustc = self.tool("RUSTC", "rustc");
        let output = rustc.args(["--print", "sysroot"]).output().ok()?;
        let folder = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(folder.trim()))
    }

    /// The target of this machine.
    pub(super) fn host(&self) -> Result<String> {
        let mut rustc = self.tool("RUSTC", "rustc");
        let output = rustc
            .arg("-vV")
            .output()
            .map_err(|e| missing("rustc", &e))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let host = said.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).ok_or_else(|| {
            Error::fault(Problem::new(
                "`rustc -vV` does not say what this machine is",
            ))
        })
    }

    fn described(&self, o: &BuildOptions, words: &[String]) -> Result<Metadata> {
        let mut command = self.command();
        command.args(["metadata", "--format-version=1"]).args(words);
        command.args(network(o));
        let output = command.output().map_err(|e| missing("cargo", &e))?;
        if !output.status.success() {
            return Err(Error::fault(
                refused("cargo does not take this crate", &output).at(self
                    .dir
                    .join("Cargo.toml")
                    .display()
                    .to_string()),
            ));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        MetadataCommand::parse(text).map_err(|e| {
            Error::fault(
                Problem::new(format!("cannot understand `cargo metadata`: {e}"))
                    .help("is this cargo very old? Cargo 1.64 or newer is needed"),
            )
        })
    }

    /// Whether Rust's std is installed for a target.
    pub(super) fn has_target(&self, target: &str) -> Result<bool> {
        let mut rustc = self.tool("RUSTC", "rustc");
        rustc.args(["--print", "target-libdir", "--target", target]);
        let output = rustc.output().map_err(|e| missing("rustc", &e))?;
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_string();
        let std = |path: &PathBuf| base_name(path).starts_with("libstd-");
        let listed = files::list(Path::new(&folder));
        Ok(output.status.success() && listed.is_ok_and(|all| all.iter().any(std)))
    }
}

pub(super) fn features(o: &BuildOptions) -> Vec<String> {
    let flags = [
        ("--no-default-features", o.no_default_features),
        ("--all-features", o.all_features),
    ];
    let flags = flags.iter().filter(|f| f.1).map(|f| f.0.to_owned());
    let features = o.features.iter().map(|f| format!("--features={f}"));
    features.chain(flags).collect()
}

pub(super) fn network(o: &BuildOptions) -> impl Iterator<Item = &'static str> {
    let flags = [("--locked", o.locked), ("--offline", o.offline)];
    flags.into_iter().filter(|f| f.1).map(|f| f.0)
}

/// A program of the toolchain that cannot be started.
pub(super) fn missing(name: &str, e: &io::Error) -> Error {
    let problem = match e.kind() {
        io::ErrorKind::NotFound => Problem::new(format!("there is no `{name}` on PATH"))
            .help("install Rust, from https://rustup.rs or from your distribution"),
        _ => Problem::new(format!("cannot run `{name}`: {e}")),
    };
    Error::fault(problem)
}

/// A refusal of cargo's, in its words.
fn refused(message: &str, output: &Output) -> Problem {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    Problem::new(message).note(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_crate_is_a_fault_that_names_the_folder() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("a file");
        for path in [dir.path().join("none"), file] {
            let error = Cargo::at(&path).err().expect("no crate");
            let place = error.problems.first().and_then(|p| p.place.clone());
            assert_eq!(place, Some(path.display().to_string()));
        }
    }
}
