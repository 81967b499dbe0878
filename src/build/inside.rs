//! What is inside the library that cargo built: the crates, and the licence texts that must go along with them.
//!
//! Cargo's description of the dependencies knows names, licences and who uses whom, but also what is only used by tests, by build scripts or inside
//! the compiler. What cargo said it compiled for the target is exact. What both name, and normal dependencies lead to, is inside.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, Node, Package, PackageId};

use crate::base::diag::{Error, Problem, Result};
use crate::base::files;
use crate::base::options::{Inside, base_name};
use crate::base::report::Progress;
use crate::crates::{self, Crate as Inner, Crates, Texts};

use super::BuildOptions;
use super::cargo::Cargo;
use super::krate::Crate;

/// Licence files, by the beginnings of their names.
const LICENCES: &[&str] = &[
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];

/// Finds what is inside, by cargo's description of the dependencies and by what it compiled. When it could not tell, that is a warning, and the package
/// goes without.
pub(super) fn find(
    cargo: &Cargo,
    krate: &Crate,
    o: &BuildOptions,
    described: &Result<Metadata>,
    built: &HashSet<PackageId>,
    progress: &dyn Progress,
) -> Option<Inside> {
    let metadata = match described {
        Ok(metadata) => metadata,
        Err(error) => {
            progress.warn(&untold(error));
            return None;
        }
    };
    let packages = reached(metadata, &krate.id, built);
    let notice = o.notice.then(|| {
        let texts: Vec<Texts> = packages.iter().map(|p| texts(p)).collect();
        let std = cargo.sysroot().map(|folder| standard_library(&folder));
        crates::notice(&krate.library, &texts, &std.unwrap_or_default())
    });
    Some(Inside {
        crates: list(metadata, &packages, &krate.id)
            .with(crates::runtime())
            .packed(),
        notice,
    })
}

fn untold(error: &Error) -> Problem {
    let mut problem = Problem::new("the image will not tell which crates are inside");
    for cause in &error.problems {
        problem = problem.note(&cause.message);
        problem.notes.extend(cause.notes.iter().cloned());
    }
    problem.help("`cargo fetch` gets what cargo needs to describe the crate's dependencies")
}

/// The packages that were compiled for the target and that normal dependencies lead to, in an order that does not depend on folders.
fn reached<'m>(
    metadata: &'m Metadata,
    root: &PackageId,
    built: &HashSet<PackageId>,
) -> Vec<&'m Package> {
    let nodes = nodes(metadata);
    let mut found: HashSet<&PackageId> = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id).filter(|node| built.contains(&node.id)) else {
            continue;
        };
        if found.insert(&node.id) {
            open.extend(normal(node));
        }
    }
    let packages = metadata.packages.iter();
    let mut packages: Vec<&Package> = packages.filter(|p| found.contains(&p.id)).collect();
    packages.sort_by_key(|p| (p.name.to_string(), p.version.clone(), source(p), &p.id));
    packages
}

fn nodes(metadata: &Metadata) -> HashMap<&PackageId, &Node> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    nodes.map(|node| (&node.id, node)).collect()
}

/// The normal dependencies of a package: neither of its tests nor of its build script.
fn normal(node: &Node) -> impl Iterator<Item = &PackageId> {
    let deps = node.deps.iter();
    let normal = deps.filter(|dep| {
        let mut kinds = dep.dep_kinds.iter();
        kinds.any(|kind| kind.kind == DependencyKind::Normal)
    });
    normal.map(|dep| &dep.pkg)
}

fn list(metadata: &Metadata, packages: &[&Package], root: &PackageId) -> Crates {
    let nodes = nodes(metadata);
    let place = |id: &PackageId| packages.iter().position(|p| p.id == *id);
    let krate = |package: &&Package| {
        let node = nodes.get(&package.id).copied();
        let mut dependencies: Vec<usize> = node
            .into_iter()
            .flat_map(normal)
            .filter_map(place)
            .collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        Inner {
            name: package.name.to_string(),
            version: package.version.to_string(),
            source: source(package).to_owned(),
            license: package.license.clone(),
            dependencies,
            root: package.id == *root,
        }
    };
    let packages = packages.iter().map(krate).collect();
    Crates { packages }
}

/// Where a package comes from, in cargo-auditable's words.
fn source(package: &Package) -> &'static str {
    match &package.source {
        None => "local",
        Some(source) if source.is_crates_io() => "crates.io",
        Some(source) if source.repr.starts_with("git+") => "git",
        Some(_) => "registry",
    }
}

/// The licence texts in a package.
fn texts(package: &Package) -> Texts {
    let folder = package.manifest_path.parent();
    let folder = folder.map(|dir| dir.as_std_path()).unwrap_or(Path::new(""));
    let mut paths: Vec<PathBuf> = files::list(folder).unwrap_or_default();
    paths.retain(|path| {
        let name = base_name(path).to_lowercase();
        LICENCES.iter().any(|kind| name.starts_with(kind))
    });
    paths.extend(package.license_file().map(PathBuf::from));
    paths.sort();
    paths.dedup();
    Texts {
        name: package.name.to_string(),
        version: package.version.to_string(),
        license: package.license.clone(),
        authors: package.authors.clone(),
        // Folders of that name are passed over.
        files: paths
            .iter()
            .filter_map(|p| files::read_text(p).ok())
            .collect(),
    }
}

/// The licences of Rust's own library and of the crates in it, as the toolchain documents them (share/doc/rust).
fn standard_library(sysroot: &Path) -> Vec<Texts> {
    let folder = sysroot.join("share/doc/rust");
    let read = |name: &str| files::read_text(&folder.join(name)).ok();
    let mut all = vec![Texts {
        name: "Rust's standard library (The Rust Project Developers)".into(),
        version: String::new(),
        license: Some("MIT OR Apache-2.0".into()),
        authors: Vec::new(),
        files: ["licenses/MIT.txt", "licenses/Apache-2.0.txt"]
            .iter()
            .filter_map(|name| read(name))
            .collect(),
    }];
    let page = read("COPYRIGHT-library.html").unwrap_or_default();
    all.extend(
        page.split("<h3>")
            .skip(1)
            .filter_map(|part| {
                let (title, rest) = part.split_once("</h3>")?;
                let title = title.trim_start_matches(|c: char| !c.is_ascii()).trim();
                let digit = |at: usize| title[at + 1..].starts_with(|c: char| c.is_ascii_digit());
                let (at, _) = title.match_indices('-').find(|(at, _)| digit(*at))?;
                let (name, version) = (&title[..at], &title[at + 1..]);
                let license = rest.split_once("<b>License:</b>")?.1.split('<').next()?;
                let texts = rest
                    .split("<pre>")
                    .skip(1)
                    .filter_map(|text| text.split("</pre>").next());
                Some((name, version, license, texts))
            })
            .filter(|(name, ..)| !ELSEWHERE.iter().any(|other| name.starts_with(other)))
            .map(|(name, version, license, texts)| Texts {
                name: format!("{name} (in Rust's standard library)"),
                version: version.into(),
                license: Some(license.trim().into()),
                authors: Vec::new(),
                files: texts.map(unescaped).collect(),
            }),
    );
    all
}

/// Crates of the standard library that only other platforms have, or only its tests and build scripts, by the beginnings of their names.
const ELSEWHERE: &[&str] = &[
    "cc", "fortanix", "getopts", "hermit", "moto", "r-efi", "rand", "shlex", "vex", "wasi",
    "windows", "wit",
];

fn unescaped(html: &str) -> String {
    let marks = [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ];
    marks.iter().fold(html.to_owned(), |text, (mark, plain)| {
        text.replace(mark, plain)
    })
}
