//! What is inside: the crates that an image is made of, as `rsyso build` hears of them from cargo.
//!
//! The list is cargo-auditable's: JSON, compressed with zlib. It lies in the fixed part of the image, where [`crate::verify`] finds it in a linked
//! program, and in a section of the `.syso`, where scanners of Rust programs look.

mod cyclonedx;
mod notice;
mod runtime;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

pub use cyclonedx::{Holder, cyclonedx};
pub use notice::{Texts, notice};
pub use runtime::runtime;

/// The section of an object that has the list (cargo-auditable, PARSING.md).
pub const SECTION: &str = ".dep-v0";

/// More JSON than any list has; what unpacks to more is damaged, or means harm.
const MAX_JSON: u64 = 8 << 20;

/// A crate that is inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `crates.io`, `registry` (another one), `git` or `local`.
    pub source: String,
    /// Its licence, an SPDX expression, if its `Cargo.toml` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The crates that it uses, by their places in the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<usize>,
    /// Whether it is the crate that was built.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
}

/// The crates of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crates {
    /// The list.
    pub packages: Vec<Crate>,
}

impl Crates {
    /// The list with that of `others` behind it. The crate that was built uses the first of them.
    pub fn with(mut self, others: Crates) -> Crates {
        let first = self.packages.len();
        for krate in self.packages.iter_mut().filter(|krate| krate.root) {
            krate.dependencies.push(first);
        }
        self.packages
            .extend(others.packages.into_iter().map(|mut krate| {
                for dependency in &mut krate.dependencies {
                    *dependency += first;
                }
                krate
            }));
        self
    }

    /// As it stands in images.
    pub fn packed(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let _ = packed.write_all(&json);
        packed.finish().unwrap_or_default()
    }

    /// Reads what [`Crates::packed`] made. None when it is damaged.
    pub fn unpacked(packed: &[u8]) -> Option<Crates> {
        let mut json = Vec::new();
        let mut bytes = ZlibDecoder::new(packed).take(MAX_JSON);
        bytes.read_to_end(&mut json).ok()?;
        let crates: Crates = serde_json::from_slice(&json).ok()?;
        let known = 0..crates.packages.len();
        let mut used = crates.packages.iter().flat_map(|krate| &krate.dependencies);
        used.all(|at| known.contains(at)).then_some(crates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Crates {
        let krate = |name: &str, dependencies: &[usize], root: bool| Crate {
            name: name.into(),
            version: "1.0.0".into(),
            source: "crates.io".into(),
            license: (!root).then(|| String::from("MIT OR Apache-2.0")),
            dependencies: dependencies.into(),
            root,
        };
        let packages = vec![krate("foo", &[1], true), krate("memchr", &[], false)];
        Crates { packages }
    }

    #[test]
    fn reads_what_it_packed_and_refuses_the_rest() {
        let packed = list().packed();
        assert_eq!(Crates::unpacked(&packed), Some(list()));
        assert_eq!(Crates::unpacked(&packed[..packed.len() / 2]), None);
        assert_eq!(Crates::unpacked(b"no zlib"), None);
        let mut wrong = list();
        wrong.packages[0].dependencies = vec![2];
        assert_eq!(Crates::unpacked(&wrong.packed()), None);
    }

    #[test]
    fn the_format_is_that_of_cargo_auditable() {
        let json = serde_json::to_string(&list()).expect("JSON");
        let expected = r#"{"packages":[{"name":"foo","version":"1.0.0","source":"crates.io","dependencies":[1],"root":true},{"name":"memchr","version":"1.0.0","source":"crates.io","license":"MIT OR Apache-2.0"}]}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn the_crate_that_was_built_uses_the_runtime() {
        let all = list().with(runtime());
        assert_eq!(all.packages[0].dependencies, [1, 2]);
        assert_eq!(all.packages[2].name, "rsyso-rt");
        let uses = &all.packages[2].dependencies;
        assert!(uses.iter().all(|at| *at > 2), "{uses:?}");
        let names: Vec<_> = uses.iter().map(|at| &all.packages[*at].name).collect();
        assert!(names.iter().any(|name| *name == "dlmalloc"), "{names:?}");
        assert_eq!(Crates::unpacked(&all.packed()), Some(all));
    }
}
