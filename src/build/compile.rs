//! Compiling a crate into a static library, with cargo.

use std::collections::{BTreeMap, HashSet};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::{ArtifactDebuginfo, Message, PackageId};

use crate::base::diag::{Error, Problem, Result};

use super::cargo::{Cargo, features, missing, network};
use super::krate::Crate;
use super::{BuildOptions, Says};

/// What cargo built.
pub(super) struct Staticlib {
    /// The static library.
    pub(super) archive: PathBuf,
    /// The packages that were compiled for the target.
    pub(super) built: HashSet<PackageId>,
    /// Crates in it that the profile gives other debug information than all were to have.
    pub(super) overridden: Vec<String>,
}

/// What a library is built for.
#[derive(Clone, Copy)]
pub(super) enum For<'a> {
    /// To be converted.
    Native,
    /// To be linked through cgo. The file that is told what the linker needs beside it.
    Cgo(&'a Path),
}

/// `cargo rustc` is `cargo build` for one target of one package, and can be told another crate type.
fn arguments(krate: &Crate, o: &BuildOptions, target: &str, to: For<'_>) -> Vec<String> {
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
    if let For::Cgo(told) = to {
        words.push(format!("--print=native-static-libs={}", told.display()));
    }
    words
}

/// Builds the crate's library for a target.
pub(super) fn staticlib(
    cargo: &Cargo,
    krate: &Crate,
    o: &BuildOptions,
    target: &str,
    variables: &BTreeMap<String, String>,
    to: For<'_>,
) -> Result<Staticlib> {
    let mut command = cargo.command();
    command
        .args(arguments(krate, o, target, to))
        .envs(profile_variables(&o.profile, to))
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

/// What rustc is told for the crate itself: LLVM merges functions that do the same, and keeps the debug information of one of them
/// (llvm/lib/Transforms/IPO/MergeFunctions.cpp). Of a flag that `RUSTFLAGS` sets as well, LLVM takes the last.
const KEEP_APART: [&str; 3] = [
    "--",
    "-Cllvm-args=-mergefunc-use-aliases=false",
    "-Cllvm-args=-mergefunc-preserve-debug-info",
];

/// What the profile must say for signatures to be found in the archive; all else stays as the user has it
/// (The Cargo Book, "Configuration", `profile.<name>`).
fn profile_variables(profile: &str, to: For<'_>) -> Vec<(String, &'static str)> {
    let name = profile.replace('-', "_").to_uppercase();
    let all: &[(&str, &str)] = match to {
        For::Native => &[
            ("DEBUG", "2"),
            ("STRIP", "none"),
            ("SPLIT_DEBUGINFO", "off"),
        ],
        // The shim calls functions of std's that link-time optimisation leaves out.
        For::Cgo(_) => &[
            ("DEBUG", "2"),
            ("STRIP", "none"),
            ("SPLIT_DEBUGINFO", "off"),
            ("LTO", "off"),
        ],
    };
    let all = all.iter();
    all.map(|(key, value)| (format!("CARGO_PROFILE_{name}_{key}"), *value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_become_variables() {
        let names = |profile| -> Vec<String> {
            let all = profile_variables(profile, For::Native).into_iter();
            all.map(|(name, _)| name).collect()
        };
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
}
