//! From a crate's folder to a Go package: cargo builds a static library for each target, [`crate::pipeline::convert`] does the rest.
//!
//! The crate is left as it is. Its type and its debug information are asked for on cargo's command line and in its environment.

mod advice;
mod cargo;
mod cgo;
mod compile;
mod dest;
mod flags;
mod inside;
mod krate;
mod rebuild;
mod restore;
mod targets;

use std::path::PathBuf;

use cargo_metadata::Metadata;
use serde::Serialize;

use crate::arch::Arch;

use crate::base::diag::Result;
use crate::base::options::{ConvertOptions, base_name};
use crate::base::report::{Converted, Progress};
use crate::go;

pub use cargo::is_taken;
pub use rebuild::{find_again, rebuild};

pub use cgo::BuiltCgo;

use cargo::Cargo;
use compile::{For, Staticlib};
use flags::Places;
use krate::Crate;
use restore::Before;

/// How much cargo says on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Says {
    /// Warnings and errors.
    Little,
    /// A line per crate.
    #[default]
    Normal,
    /// Its commands too.
    Much,
}

/// Options of `build`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The crate's folder, or one below it.
    pub dir: PathBuf,
    /// Where the Go package goes; docs/BUILD.md says where when absent.
    pub out_dir: Option<PathBuf>,
    /// Targets of rustc. Empty: those that rsyso knows and that are installed.
    pub targets: Vec<String>,
    /// Cargo's profile.
    pub profile: String,
    /// The member of a workspace to build.
    pub member: Option<String>,
    /// Features to turn on.
    pub features: Vec<String>,
    /// Leave the default features off.
    pub no_default_features: bool,
    /// Turn all features on.
    pub all_features: bool,
    /// `Cargo.lock` must stand as it is.
    pub locked: bool,
    /// Cargo must not use the network.
    pub offline: bool,
    /// How much cargo says.
    pub says: Says,
    /// Where cargo builds; its own choice when absent.
    pub target_dir: Option<PathBuf>,
    /// Write the licence texts of what is inside.
    pub notice: bool,
    /// Make an archive for cgo for this machine, too.
    pub cgo: bool,
    /// What `convert` is told. `inputs`, `out_dir`, `sources` and `inside` are filled in here.
    pub convert: ConvertOptions,
}

impl BuildOptions {
    /// The options of a plain `rsyso build DIR`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        BuildOptions {
            dir: dir.into(),
            out_dir: None,
            targets: Vec::new(),
            profile: "release".into(),
            member: None,
            features: Vec::new(),
            no_default_features: false,
            all_features: false,
            locked: false,
            offline: false,
            says: Says::default(),
            target_dir: None,
            notice: false,
            cgo: false,
            convert: ConvertOptions {
                command: "rsyso build".into(),
                ..ConvertOptions::new(Vec::new())
            },
        }
    }
}

/// What a crate says of its Go package by itself, under `[package.metadata.rsyso]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The table, as it stands; null when there is none.
    pub table: serde_json::Value,
    /// Where `Cargo.toml` lies: what paths of the table are relative to.
    pub dir: PathBuf,
    /// `Cargo.toml`, for messages.
    pub manifest: PathBuf,
}

/// Reads the settings of the crate that `build` would build.
pub fn settings(o: &BuildOptions) -> Result<Settings> {
    let krate = Crate::find(&Cargo::at(&o.dir)?, o)?;
    Ok(Settings {
        table: krate.settings,
        manifest: krate.dir.join("Cargo.toml"),
        dir: krate.dir,
    })
}

/// What `build` made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Built {
    /// The crate's name, as in its `Cargo.toml`.
    #[serde(rename = "crate")]
    pub krate: String,
    /// Its version.
    pub version: String,
    /// The profile it was built with.
    pub profile: String,
    /// Name of the Go package.
    pub package: String,
    /// Where it lies.
    pub out_dir: PathBuf,
    /// One entry per target.
    pub targets: Vec<BuiltTarget>,
    /// One entry per archive for cgo.
    pub cgo: Vec<BuiltCgo>,
}

/// What `build` made for one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuiltTarget {
    /// The target of rustc.
    pub target: String,
    /// GOARCH.
    pub goarch: String,
    /// The static library that cargo built.
    pub archive: PathBuf,
    /// What `convert` made of it.
    #[serde(flatten)]
    pub converted: Converted,
}

/// Builds a crate and converts it. Cargo's progress and the compiler's diagnostics go to stderr.
pub fn build(o: &BuildOptions, progress: &dyn Progress) -> Result<Built> {
    let cargo = Cargo::at(&o.dir)?;
    let workspace = cargo.metadata(o)?;
    let krate = Crate::among(&workspace, &cargo, o)?;
    let chosen = targets::choose(&cargo, &o.targets, o.cgo)?;
    let (targets, platforms) = (chosen.native, chosen.cgo);
    // What is wrong with the name or the place shows before anything is compiled.
    let env = std::env::var("GOPACKAGE").ok().filter(|p| !p.is_empty());
    let out_dir = dest::folder(o, &krate, env.is_some())?;
    let place = go::place(
        &[format!("lib{}.a", krate.library).into()],
        &out_dir,
        o.convert.package.as_deref(),
        o.convert.stem.as_deref(),
        o.convert.import_path.as_deref(),
        env.as_deref(),
    )?;
    // All targets are compiled before the first is converted: a crate that does not compile changes nothing.
    let archives = targets
        .iter()
        .map(|arch| compiled(&cargo, &krate, o, &workspace, *arch, progress))
        .collect::<Result<Vec<_>>>()?;
    let libraries = platforms
        .into_iter()
        .map(|platform| cgo::library(&cargo, &krate, o, &workspace, platform, progress))
        .collect::<Result<Vec<_>>>()?;
    let before = Before::take(&out_dir, targets.len() + libraries.len())?;
    let mut made = Vec::new();
    for (arch, (built, described, sources)) in targets.iter().zip(archives) {
        let options = ConvertOptions {
            inputs: vec![built.archive.clone()],
            out_dir: out_dir.clone(),
            inside: inside::find(&cargo, &krate, o, &described, &built.built, progress),
            sources,
            cgo: libraries.iter().map(|l| l.machine.clone()).collect(),
            ..o.convert.clone()
        };
        let what = format!("{} for linux/{}", base_name(&built.archive), arch.goarch());
        progress.status("Converting", &what);
        match crate::pipeline::convert(&options, progress) {
            Ok(converted) => made.push(BuiltTarget {
                target: arch.rust_target().into(),
                goarch: arch.goarch().into(),
                archive: built.archive,
                converted,
            }),
            Err(mut error) => {
                let seen = advice::Seen {
                    dir: &cargo.dir,
                    profile: &o.profile,
                    target: arch.rust_target(),
                    overridden: &built.overridden,
                };
                advice::correct(&mut error, &seen);
                let files = made.iter().flat_map(|t: &BuiltTarget| &t.converted.files);
                error.problems.extend(before.restore(files));
                return Err(error);
            }
        }
    }
    let shim = made.first().and_then(|t| t.converted.shim.as_ref());
    let archives = cgo::finish(&cargo, &libraries, &place, shim, progress);
    let archives = archives.map_err(|(mut error, archives)| {
        let files = made.iter().flat_map(|t| &t.converted.files);
        error
            .problems
            .extend(before.restore(files.chain(&archives)));
        error
    })?;
    let package = made.first().map(|t| t.converted.package.clone());
    Ok(Built {
        krate: krate.name,
        version: krate.version,
        profile: o.profile.clone(),
        package: package.unwrap_or_default(),
        out_dir,
        targets: made,
        cgo: archives,
    })
}

/// The crate's library for one target, what cargo says of its dependencies, and where its sources are.
type Compiled = (Staticlib, Result<Metadata>, Vec<(PathBuf, PathBuf)>);

/// Compiles the crate for one target.
fn compiled(
    cargo: &Cargo,
    krate: &Crate,
    o: &BuildOptions,
    workspace: &Metadata,
    arch: &dyn Arch,
    progress: &dyn Progress,
) -> Result<Compiled> {
    let target = arch.rust_target();
    let what = format!("{} v{} for {target}", krate.name, krate.version);
    progress.status("Building", &what);
    let described = cargo.dependencies(&krate.dir, o, target);
    let places = Places::of(o, workspace, described.as_ref().ok());
    let variables = places.variables(cargo, target).unwrap_or_default();
    let built = compile::staticlib(cargo, krate, o, target, &variables, For::Native)?;
    Ok((built, described, places.sources()))
}
