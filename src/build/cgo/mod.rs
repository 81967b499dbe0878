//! The archives that Go links through cgo: the crate's static library for the target, with the shim in front of its exports.
//!
//! The shim is compiled by the crate's own compiler into one object of the archive. It calls std's functions by their names, so the library is built
//! without link-time optimisation, which would leave them out.

mod archive;

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use serde::Serialize;

use crate::arch::Platform;
use crate::base::diag::{Error, Problem, Result};
use crate::base::files;
use crate::base::options::CgoMachine;
use crate::base::report::Progress;
use crate::go::{self, Place};

use super::cargo::{Cargo, missing};
use super::compile::{self, For};
use super::flags::Places;
use super::krate::Crate;
use super::{BuildOptions, targets};

/// An archive that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuiltCgo {
    /// The target of rustc.
    pub target: String,
    /// GOOS.
    pub goos: String,
    /// GOARCH.
    pub goarch: String,
    /// The archive.
    pub file: PathBuf,
}

/// The crate's library for one target, before there is a shim.
pub(super) struct Library {
    platform: Platform,
    /// What cargo built.
    archive: Vec<u8>,
    /// Where what is made for it alone goes.
    folder: PathBuf,
    /// What is known of it.
    pub(super) machine: CgoMachine,
}

/// Builds the crate's library for a target, apart from the one that native code is made from.
pub(super) fn library(
    cargo: &Cargo,
    krate: &Crate,
    o: &BuildOptions,
    workspace: &Metadata,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<Library> {
    let target = platform.target;
    let what = format!("{} v{} for cgo on {target}", krate.name, krate.version);
    progress.status("Building", &what);
    if !cargo.has_target(target)? {
        return Err(Error::fault(targets::not_installed(target)));
    }
    let described = cargo.dependencies(&krate.dir, o, target);
    let places = Places::of(o, workspace, described.as_ref().ok());
    let target_dir = o.target_dir.as_deref();
    let target_dir = target_dir.unwrap_or(workspace.target_directory.as_std_path());
    let folder = target_dir.join("rsyso-cgo");
    let apart = BuildOptions {
        target_dir: Some(folder.clone()),
        ..o.clone()
    };
    let folder = folder.join(target).join("rsyso");
    let failed = |e: std::io::Error| {
        let place = folder.display().to_string();
        Error::fault(Problem::new(format!("cannot be made: {e}")).at(place))
    };
    files::make_folders(&folder).map_err(failed)?;
    let told = std::path::absolute(folder.join(format!("{}.libs", krate.library)));
    let told = told.map_err(failed)?;
    let variables = places.variables(cargo, target).unwrap_or_default();
    let built = compile::staticlib(cargo, krate, &apart, target, &variables, For::Cgo(&told))?;
    let read = |path: &Path| {
        files::read(path).map_err(|e| {
            let problem = Problem::new(format!("cannot be read: {e}"));
            Error::fault(problem.at(path.display().to_string()))
        })
    };
    let archive = read(&built.archive)?;
    let libs = String::from_utf8_lossy(&read(&told)?).into_owned();
    let machine = CgoMachine {
        goos: platform.goos.to_owned(),
        goarch: platform.goarch.to_owned(),
        library: built.archive.clone(),
        libs: libs.split_whitespace().map(str::to_owned).collect(),
        cannot_unwind: archive::cannot_unwind(&archive, &built.archive)?,
    };
    Ok(Library {
        platform,
        archive,
        folder,
        machine,
    })
}

/// Makes the archives of a package and puts them beside the other files. With an error come those that were written.
pub(super) fn finish(
    cargo: &Cargo,
    libraries: &[Library],
    place: &Place,
    shim: Option<&(String, String)>,
    progress: &dyn Progress,
) -> std::result::Result<Vec<BuiltCgo>, (Error, Vec<PathBuf>)> {
    let mut all: Vec<BuiltCgo> = Vec::new();
    let (source, id) = shim.map_or(("", ""), |(source, id)| (source, id));
    for library in libraries {
        match archive(cargo, library, place, (source, id), progress) {
            Ok(archive) => all.push(archive),
            Err(error) => return Err((error, all.into_iter().map(|a| a.file).collect())),
        }
    }
    Ok(all)
}

/// Makes one archive.
fn archive(
    cargo: &Cargo,
    library: &Library,
    place: &Place,
    (source, id): (&str, &str),
    progress: &dyn Progress,
) -> Result<BuiltCgo> {
    let Platform {
        target,
        goos,
        goarch,
    } = library.platform;
    let name = library.machine.archive(&place.stem);
    progress.status("Linking", &format!("{name} for cgo"));
    let object = shim(cargo, library, source, id)?;
    let made = archive::slim(&library.archive, object, id, &library.machine)?;
    let written = go::write(place, &[(name, made)], &archive::is_ours)?;
    Ok(BuiltCgo {
        target: target.to_owned(),
        goos: goos.to_owned(),
        goarch: goarch.to_owned(),
        file: written.into_iter().next().unwrap_or_default(),
    })
}

/// Compiles the shim into an object.
fn shim(cargo: &Cargo, library: &Library, source: &str, id: &str) -> Result<Vec<u8>> {
    let target = library.platform.target;
    let path = |end: &str| std::path::absolute(library.folder.join(format!("shim_{id}.{end}")));
    let failed = |what: String| Error::fault(Problem::new(what));
    let unnamed = |e: std::io::Error| failed(format!("cannot name the shim's file: {e}"));
    let (text, object) = (path("rs").map_err(unnamed)?, path("o").map_err(unnamed)?);
    files::overwrite(&text, source.as_bytes())
        .map_err(|e| failed(format!("cannot write the shim: {e}")))?;
    let mut rustc = cargo.tool("RUSTC", "rustc");
    rustc
        .args([
            "--edition=2021",
            "--crate-type=lib",
            "--crate-name=rsyso_shim",
        ])
        .args([
            "-Copt-level=3",
            "-Ccodegen-units=1",
            "-Cpanic=unwind",
            "-Cdebuginfo=0",
        ])
        .arg(format!("--target={target}"))
        .arg(format!("--emit=obj={}", object.display()))
        // No path of this machine.
        .arg(format!("--remap-path-prefix={}=rsyso", text.display()))
        .arg(&text);
    let output = rustc.output().map_err(|e| missing("rustc", &e))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let message = format!("the functions cannot be called through cgo on {target}");
        return Err(Error::fault(Problem::new(message).note(said)));
    }
    files::read(&object).map_err(|e| failed(format!("cannot read the shim: {e}")))
}
