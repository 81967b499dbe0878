//! No path of this machine goes into the library: what rustc and the C compiler are told, beside what the user tells them.
//!
//! Panics carry the paths of source files, and C's assertions do. Those of the workspace are relative to it already. Crates that cargo fetched, files
//! that build scripts wrote, and path dependencies outside of the workspace get fixed names, so that the same sources and the same toolchain make
//! the same image everywhere. The flags go into variables that cargo prefers to all others; so they begin with the user's own, wherever those stand.

use std::collections::BTreeMap;
use std::env::var_os;
use std::path::PathBuf;

use cargo_metadata::Metadata;

use crate::base::files;
use crate::sig::{self, CARGO_HOME};

use super::BuildOptions;
use super::advice;
use super::cargo::Cargo;

/// What stands for the target folder, where build scripts write.
const TARGET: &str = "/cargo-target";

/// What stands for the workspace, to the C compiler.
const WORKSPACE: &str = "/cargo-workspace";

/// What stands for the folder of a path dependency outside of the workspace, with its name behind.
const OUTSIDE: &str = "/cargo-path";

/// What separates flags in `CARGO_ENCODED_RUSTFLAGS` (The Cargo Book, "Environment Variables").
const SEPARATOR: &str = "\x1f";

/// Folders of this machine, and what stands for them. Of several that fit a path, the last counts.
pub(super) struct Places {
    rust: Vec<(PathBuf, String)>,
    workspace: PathBuf,
}

impl Places {
    pub(super) fn of(o: &BuildOptions, workspace: &Metadata, all: Option<&Metadata>) -> Places {
        let root = workspace.workspace_root.as_std_path();
        let mut rust = Vec::new();
        rust.extend(sig::cargo_home().map(|home| (home, CARGO_HOME.to_owned())));
        let packages = all.into_iter().flat_map(|all| &all.packages);
        for package in packages.filter(|package| package.source.is_none()) {
            let folder = package.manifest_path.parent().map(|dir| dir.as_std_path());
            let outside = folder.filter(|dir| !dir.starts_with(root));
            rust.extend(outside.map(|dir| {
                let name = format!("{OUTSIDE}/{}-{}", package.name, package.version);
                (dir.to_path_buf(), name)
            }));
        }
        let target = o.target_dir.as_deref();
        let target = target.unwrap_or(workspace.target_directory.as_std_path());
        rust.push((target.to_path_buf(), TARGET.to_owned()));
        Places {
            rust,
            workspace: root.to_path_buf(),
        }
    }

    /// Where the source files are whose names stand for others.
    pub(super) fn sources(&self) -> Vec<(PathBuf, PathBuf)> {
        let places = self.rust.iter();
        places.map(|(from, to)| (to.into(), from.clone())).collect()
    }

    /// The variables for cargo. None when the user's flags cannot be told: then they alone count.
    pub(super) fn variables(
        &self,
        cargo: &Cargo,
        target: &str,
    ) -> Option<BTreeMap<String, String>> {
        let theirs = Theirs::ask(cargo, target)?;
        let ours = self.rust.iter();
        let ours = ours.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
        // Of several flags that fit, rustc takes the last: the user's win.
        let flags: Vec<String> = ours.chain(theirs.rust).collect();
        let mut all = BTreeMap::new();
        all.insert("CARGO_ENCODED_RUSTFLAGS".to_owned(), flags.join(SEPARATOR));
        for (name, flags) in theirs.c {
            all.extend(self.c_flags(&flags).map(|flags| (name, flags)));
        }
        Some(all)
    }

    /// Flags of the C compiler with ours before. None when ours cannot be said: words end at spaces.
    fn c_flags(&self, theirs: &str) -> Option<String> {
        let workspace = (self.workspace.clone(), WORKSPACE.to_owned());
        let mut words = Vec::new();
        for (from, to) in std::iter::once(&workspace).chain(&self.rust) {
            let from = from
                .to_str()
                .filter(|path| !path.contains(char::is_whitespace))?;
            words.push(format!("-fmacro-prefix-map={from}={to}"));
        }
        words.extend((!theirs.is_empty()).then(|| theirs.to_owned()));
        Some(words.join(" "))
    }
}

/// The user's own flags.
struct Theirs {
    rust: Vec<String>,
    /// Variables for the C compiler that shall have ours, too, and what they hold.
    c: Vec<(String, String)>,
}

impl Theirs {
    /// Finds them, wherever they stand. Cargo's rules for that are many (The Cargo Book, "Configuration", `build.rustflags`, `[env]`), and cargo
    /// tells what came of them to nobody but build scripts. So where there is a configuration file, the build script of an empty crate asks.
    fn ask(cargo: &Cargo, target: &str) -> Option<Theirs> {
        let names: Vec<String> = ["CFLAGS", "CXXFLAGS"]
            .iter()
            .flat_map(|kind| c_variables(kind, target))
            .collect();
        let told: Vec<Option<String>> = match configured(cargo, target) {
            true => probe(cargo, target, &names)?,
            false => {
                let rust = var_os("CARGO_ENCODED_RUSTFLAGS").or_else(|| {
                    let flags = var_os("RUSTFLAGS")?.into_string().ok()?;
                    Some(
                        flags
                            .split_whitespace()
                            .collect::<Vec<_>>()
                            .join(SEPARATOR)
                            .into(),
                    )
                });
                let all = std::iter::once(rust).chain(names.iter().map(var_os));
                all.map(|value| value.map(|v| v.to_string_lossy().into_owned()))
                    .collect()
            }
        };
        let (rust, values) = told.split_first()?;
        let rust = rust.iter().flat_map(|flags| flags.split(SEPARATOR));
        let mut c = Vec::new();
        for (names, values) in names.chunks(C_NAMES).zip(values.chunks(C_NAMES)) {
            let mut set = names.iter().zip(values);
            // The first that is set counts; of its kind, this one is for the target alone.
            let found = set.find_map(|(name, value)| Some((name.clone(), value.clone()?)));
            c.extend(found.or_else(|| Some((names.get(1)?.clone(), String::new()))));
        }
        Some(Theirs {
            rust: rust
                .filter(|flag| !flag.is_empty())
                .map(String::from)
                .collect(),
            c,
        })
    }
}

const C_NAMES: usize = 4;

/// The variables that the crate `cc` asks for flags, the first first.
fn c_variables(kind: &str, target: &str) -> [String; C_NAMES] {
    [
        format!("{kind}_{target}"),
        format!("{kind}_{}", target.replace('-', "_")),
        format!("TARGET_{kind}"),
        kind.to_owned(),
    ]
}

/// Whether anything but the two variables for rustc's flags may say something.
fn configured(cargo: &Cargo, target: &str) -> bool {
    let of_target = target.replace('-', "_").to_uppercase();
    let variables = [
        format!("CARGO_TARGET_{of_target}_RUSTFLAGS"),
        "CARGO_BUILD_RUSTFLAGS".to_owned(),
    ];
    variables.iter().any(|name| var_os(name).is_some())
        || advice::configs(&cargo.dir).iter().any(|path| path.exists())
}

/// Asks cargo, in the crate's folder: the encoded flags of rustc, then what the variables hold. None when cargo does not answer.
fn probe(cargo: &Cargo, target: &str, names: &[String]) -> Option<Vec<Option<String>>> {
    const MANIFEST: &str =
        "[package]\nname = \"rsyso-asks\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";
    const SCRIPT: &str = include_str!("asks.rs.in");
    let folder = tempfile::tempdir().ok()?;
    let path = |name: &str| folder.path().join(name);
    files::make_folder(&path("src")).ok()?;
    files::overwrite(&path("Cargo.toml"), MANIFEST.as_bytes()).ok()?;
    files::overwrite(&path("src/lib.rs"), b"").ok()?;
    files::overwrite(&path("build.rs"), SCRIPT.as_bytes()).ok()?;
    let asked: Vec<&str> = std::iter::once("CARGO_ENCODED_RUSTFLAGS")
        .chain(names.iter().map(String::as_str))
        .collect();
    let mut command = cargo.command();
    command
        .args(["check", "--quiet", "--offline", "--target", target])
        .arg("--manifest-path")
        .arg(path("Cargo.toml"))
        .arg("--target-dir")
        .arg(path("target"))
        .env("RSYSO_ASKS", asked.join(","))
        .env("RSYSO_ANSWERS", path("answers"));
    if !command.output().ok()?.status.success() {
        return None;
    }
    let answers = files::read_text(&path("answers")).ok()?;
    let answers = answers.split('\0');
    Some(
        answers
            .map(|a| a.strip_prefix('=').map(String::from))
            .collect(),
    )
}
