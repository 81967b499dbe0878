//! Running cargo.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::{ArtifactDebuginfo, Message, Metadata, MetadataCommand, PackageId};

use crate::base::diag::{Error, Problem, Result};
use crate::base::files;
use crate::base::options::base_name;

use super::krate::Crate;
use super::{BuildOptions, Says};

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

    fn tool(&self, variable: &str, name: &str) -> Command {
        let program = std::env::var_os(variable).filter(|p| !p.is_empty());
        let mut command = Command::new(program.unwrap_or_else(|| OsString::from(name)));
        command.current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// Cargo's description of the workspace, without its dependencies.
    pub(super) fn metadata(&self, o: &BuildOptions) -> Result<Metadata> {
        self.described(o, &["--no-deps".to_owned()])
    }

    /// Cargo's description of a crate and of all that it depends on for a target.
    pub(super) fn dependencies(
        &self,
        krate: &Crate,
        o: &BuildOptions,
        target: &str,
    ) -> Result<Metadata> {
        let manifest = std::path::absolute(krate.dir.join("Cargo.toml"));
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

    /// Builds the crate's library for a target.
    pub(super) fn staticlib(
        &self,
        krate: &Crate,
        o: &BuildOptions,
        target: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Staticlib> {
        let mut command = self.command();
        command
            .args(arguments(krate, o, target))
            .envs(profile_variables(&o.profile))
            .envs(variables)
            .stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| missing("cargo", &e))?;
        let stdout = child.stdout.take();
        let messages = stdout
            .into_iter()
            .flat_map(|out| Message::parse_stream(BufReader::new(out)));
        let mut archive = None;
        let mut overridden = Vec::new();
        let mut built = HashSet::new();
        let mut unread = None;
        for message in messages {
            match message {
                Ok(Message::CompilerArtifact(made)) => {
                    let full = made.profile.debuginfo == ArtifactDebuginfo::Full;
                    // What is built for this machine alone (build scripts, macros) has a profile of its own.
                    let of_target = |f: &Utf8PathBuf| f.components().any(|c| c.as_str() == target);
                    let inside = made.filenames.iter().any(of_target);
                    if inside {
                        built.insert(made.package_id.clone());
                    }
                    if !full && inside {
                        // A library has the name of its package, but for a few.
                        overridden.push(match made.package_id == krate.id {
                            true => krate.name.clone(),
                            false => made.target.name.clone(),
                        });
                    }
                    let mut files = made.filenames.into_iter();
                    if made.package_id == krate.id {
                        archive = files.find(|f| f.extension() == Some("a")).or(archive);
                    }
                }
                Ok(_) => {}
                // Without its reader cargo stops by itself.
                Err(e) => {
                    unread = Some(e);
                    break;
                }
            }
        }
        let status = child.wait().map_err(|e| missing("cargo", &e))?;
        if let Some(e) = unread {
            let message = format!("cannot read what cargo says: {e}");
            return Err(Error::fault(Problem::new(message)));
        }
        if !status.success() {
            let message = format!("cargo could not build `{}` for {target}", krate.name);
            return Err(Error::fault(
                Problem::new(message).help("what cargo says is above; no Go file was written"),
            ));
        }
        let archive = archive.map(PathBuf::from).ok_or_else(|| {
            Error::fault(Problem::new(format!(
                "cargo built `{}` for {target}, but names no static library",
                krate.name
            )))
        })?;
        Ok(Staticlib {
            archive,
            built,
            overridden,
        })
    }
}

/// What cargo built.
pub(super) struct Staticlib {
    /// The static library.
    pub(super) archive: PathBuf,
    /// The packages that were compiled for the target.
    pub(super) built: HashSet<PackageId>,
    /// Crates in it that the profile gives other debug information than all were to have.
    pub(super) overridden: Vec<String>,
}

/// `cargo rustc` is `cargo build` for one target of one package, and can be told another crate type.
fn arguments(krate: &Crate, o: &BuildOptions, target: &str) -> Vec<String> {
    let spec = format!("{}@{}", krate.name, krate.version);
    let mut words: Vec<String> = ["rustc", "--lib", "--crate-type=staticlib"]
        .map(String::from)
        .into();
    words.extend(["--message-format=json-render-diagnostics".into()]);
    let pairs = [
        ("--package", spec.as_str()),
        ("--target", target),
        ("--profile", &o.profile),
    ];
    words.extend(pairs.map(|(flag, value)| format!("{flag}={value}")));
    words.extend(features(o));
    let flags = [
        ("--quiet", o.says == Says::Little),
        ("--verbose", o.says == Says::Much),
    ];
    words.extend(flags.iter().filter(|f| f.1).map(|f| f.0.to_string()));
    words.extend(network(o).map(String::from));
    words.extend(
        o.target_dir
            .iter()
            .map(|dir| format!("--target-dir={}", dir.display())),
    );
    words.extend(KEEP_APART.map(String::from));
    words
}

fn features(o: &BuildOptions) -> Vec<String> {
    let flags = [
        ("--no-default-features", o.no_default_features),
        ("--all-features", o.all_features),
    ];
    let flags = flags.iter().filter(|f| f.1).map(|f| f.0.to_owned());
    let features = o.features.iter().map(|f| format!("--features={f}"));
    features.chain(flags).collect()
}

/// What rustc is told for the crate itself: LLVM merges functions that do the same, and keeps the debug information of one of them
/// (llvm/lib/Transforms/IPO/MergeFunctions.cpp). Of a flag that `RUSTFLAGS` sets as well, LLVM takes the last.
const KEEP_APART: [&str; 3] = [
    "--",
    "-Cllvm-args=-mergefunc-use-aliases=false",
    "-Cllvm-args=-mergefunc-preserve-debug-info",
];

fn network(o: &BuildOptions) -> impl Iterator<Item = &'static str> {
    let flags = [("--locked", o.locked), ("--offline", o.offline)];
    flags.into_iter().filter(|f| f.1).map(|f| f.0)
}

/// What the profile must say for signatures to be found in the archive; all else stays as the user has it
/// (The Cargo Book, "Configuration", `profile.<name>`).
fn profile_variables(profile: &str) -> [(String, &'static str); 3] {
    let name = profile.replace('-', "_").to_uppercase();
    [
        ("DEBUG", "2"),
        ("STRIP", "none"),
        ("SPLIT_DEBUGINFO", "off"),
    ]
    .map(|(key, value)| (format!("CARGO_PROFILE_{name}_{key}"), value))
}

/// A program of the toolchain that cannot be started.
fn missing(name: &str, e: &io::Error) -> Error {
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
    fn profiles_become_variables() {
        let names = |profile| profile_variables(profile).map(|(name, _)| name);
        assert_eq!(
            names("release"),
            [
                "CARGO_PROFILE_RELEASE_DEBUG",
                "CARGO_PROFILE_RELEASE_STRIP",
                "CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO"
            ]
        );
        assert_eq!(names("my-small")[0], "CARGO_PROFILE_MY_SMALL_DEBUG");
    }

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
