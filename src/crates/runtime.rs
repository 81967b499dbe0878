//! The crates of the runtime, which are in every image: `build.rs` has them from their manifests.

use super::{Crate, Crates, Texts};

/// A crate of the runtime.
struct Vendored {
    name: &'static str,
    version: &'static str,
    license: &'static str,
    /// Names of the crates that it uses.
    dependencies: &'static [&'static str],
    /// Names and texts of its licence files.
    texts: &'static [(&'static str, &'static str)],
}

/// The runtime itself first.
const VENDORED: &[Vendored] = include!(concat!(env!("OUT_DIR"), "/rsyso_rt_crates.rs"));

/// The runtime and what it uses.
pub fn runtime() -> Crates {
    let place = |name: &&str| VENDORED.iter().position(|krate| krate.name == *name);
    let krate = |(at, krate): (usize, &Vendored)| Crate {
        name: krate.name.into(),
        version: krate.version.into(),
        source: if at == 0 { "local" } else { "crates.io" }.into(),
        license: Some(krate.license.into()),
        dependencies: krate.dependencies.iter().filter_map(place).collect(),
        root: false,
    };
    let packages = VENDORED.iter().enumerate().map(krate).collect();
    Crates { packages }
}

/// Their licences.
pub(super) fn texts() -> Vec<Texts> {
    let text = |krate: &Vendored| Texts {
        name: krate.name.into(),
        version: krate.version.into(),
        license: Some(krate.license.into()),
        authors: Vec::new(),
        files: krate
            .texts
            .iter()
            .map(|(_, text)| (*text).to_owned())
            .collect(),
    };
    VENDORED.iter().map(text).collect()
}
