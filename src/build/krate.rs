//! Which crate is built, and whether it can be.

use cargo_metadata::{Metadata, Package, PackageId, TargetKind};
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Problem, Result};

use super::BuildOptions;
use super::cargo::Cargo;

/// A crate with a library.
pub(super) struct Crate {
    /// As cargo's messages name it.
    pub(super) id: PackageId,
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// The library's name, an identifier.
    pub(super) library: String,
    /// Where its `Cargo.toml` lies, as short as the user gave it.
    pub(super) dir: PathBuf,
    /// `[package.metadata.rsyso]`; null when there is none.
    pub(super) settings: serde_json::Value,
}

impl Crate {
    /// The crate of the folder, or the member of its workspace that is asked for.
    pub(super) fn find(cargo: &Cargo, o: &BuildOptions) -> Result<Crate> {
        let metadata = cargo.metadata(o)?;
        Crate::among(&metadata, cargo, o)
    }

    /// The same, where cargo has described the workspace already.
    pub(super) fn among(metadata: &Metadata, cargo: &Cargo, o: &BuildOptions) -> Result<Crate> {
        let package = match &o.member {
            Some(name) => member(metadata, name, &cargo.dir)?,
            None => own(metadata, &cargo.dir)?,
        };
        let library = library(package)?;
        let manifest = package.manifest_path.as_std_path();
        let dir = match manifest.parent() {
            Some(dir) if !same(manifest, &cargo.dir.join("Cargo.toml")) => short(dir),
            _ => cargo.dir.clone(),
        };
        Ok(Crate {
            id: package.id.clone(),
            name: package.name.to_string(),
            version: package.version.to_string(),
            library,
            dir,
            settings: package.metadata["rsyso"].clone(),
        })
    }
}

/// A folder as seen from the current one, if it lies below.
fn short(dir: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    match dir.strip_prefix(here) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_path_buf(),
        Err(_) => dir.to_path_buf(),
    }
}

/// Whether two paths lead to one file.
fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The package whose manifest lies in the folder.
fn own<'m>(metadata: &'m Metadata, dir: &Path) -> Result<&'m Package> {
    let manifest = dir.join("Cargo.toml");
    let mut packages = metadata.packages.iter();
    let found = packages.find(|p| same(p.manifest_path.as_std_path(), &manifest));
    found.ok_or_else(|| {
        Error::fault(
            members(metadata, Problem::new("this is a workspace, not a crate"))
                .at(manifest.display().to_string())
                .help("say which crate to build, with `-p NAME`"),
        )
    })
}

fn member<'m>(metadata: &'m Metadata, name: &str, dir: &Path) -> Result<&'m Package> {
    let mut packages = metadata.workspace_packages().into_iter();
    packages.find(|p| p.name.as_str() == name).ok_or_else(|| {
        let message = format!("the workspace has no crate `{name}`");
        let place = dir.join("Cargo.toml").display().to_string();
        Error::fault(members(metadata, Problem::new(message)).at(place))
    })
}

/// Adds the members that could be built.
fn members(metadata: &Metadata, problem: Problem) -> Problem {
    let packages = metadata.workspace_packages().into_iter();
    let names: Vec<String> = packages
        .filter(|p| library(p).is_ok())
        .map(|p| p.name.to_string())
        .collect();
    match names.is_empty() {
        true => problem.note("no crate of it has a library"),
        false => problem.note(format!("crates with a library: {}", names.join(", "))),
    }
}

/// The name of the package's library. Whatever its crate type is, cargo can be asked for a static library.
fn library(package: &Package) -> Result<String> {
    let problem = |message: String| Problem::new(message).at(package.manifest_path.to_string());
    let kinds = [
        TargetKind::Lib,
        TargetKind::RLib,
        TargetKind::DyLib,
        TargetKind::CDyLib,
        TargetKind::StaticLib,
    ];
    let mut targets = package.targets.iter();
    let found = targets.find(|t| kinds.iter().any(|kind| t.is_kind(kind.clone())));
    if let Some(target) = found {
        return Ok(target.name.replace('-', "_"));
    }
    let name = &package.name;
    Err(Error::fault(
        match package.targets.iter().any(|t| t.is_proc_macro()) {
            true => problem(format!(
                "`{name}` is a proc-macro crate: it runs inside the compiler, not in a program"
            ))
            .help("export functions from a crate with an ordinary library"),
            false => problem(format!(
                "`{name}` has no library, and Go can call only a library"
            ))
            .help("put the functions into src/lib.rs; src/main.rs may stay beside it"),
        },
    ))
}
