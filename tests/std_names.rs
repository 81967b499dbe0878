//! Every C name that the installed std and its companions refer to is provided by the runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Companions of std that no library links by itself, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[(
    "profiler_builtins",
    "only in libraries built with -C instrument-coverage or -C profile-generate; it writes its files with stdio",
)];

/// Names that the linker resolves itself.
const LINKER: &[(&str, &str)] = &[(
    "__tls_get_addr",
    "thread-locals are found from the stack pointer; every call to it is rewritten",
)];

/// Names that are not provided. Each must be a weak reference, which std looks at before it uses it.
const GAPS: &[(&str, &str)] = &[];

/// What one symbol table says of its global names.
#[derive(Default)]
struct Names {
    defined: BTreeSet<String>,
    /// Whether any reference is strong, and who refers to it.
    undefined: BTreeMap<String, (bool, String)>,
}

impl Names {
    /// Adds the global names of every object in an archive.
    fn add(&mut self, library: &str, data: &[u8]) {
        let archive = ArchiveFile::parse(data).unwrap();
        for member in archive.members() {
            let member = member.unwrap();
            let Ok(file) = object::File::parse(member.data(data).unwrap()) else {
                // The metadata of the crate.
                continue;
            };
            for symbol in file.symbols().filter(|s| s.is_global() || s.is_undefined()) {
                let name = symbol.name().unwrap().to_owned();
                if !symbol.is_undefined() {
                    self.defined.insert(name);
                } else if !name.is_empty() {
                    let entry = self
                        .undefined
                        .entry(name)
                        .or_insert((false, library.into()));
                    entry.0 |= !symbol.is_weak();
                }
            }
        }
    }
}

fn std_libraries() -> Vec<(String, PathBuf)> {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .expect("rustc runs");
    let folder = String::from_utf8(output.stdout).unwrap();
    let mut libraries: Vec<_> = std::fs::read_dir(folder.trim())
        .expect("the target is installed")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rlib"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let name = stem.strip_prefix("lib").unwrap();
            let name = name.rsplit_once('-').map_or(name, |(name, _hash)| name);
            (name.to_owned(), path)
        })
        .collect();
    libraries.sort();
    libraries
}

/// Names of C, not of Rust's own mangling.
fn is_plain(name: &str) -> bool {
    !name.starts_with("_R") && !name.starts_with("_ZN")
}

#[test]
fn the_runtime_provides_every_name_that_std_refers_to() {
    let libraries = std_libraries();
    let mut std = Names::default();
    for (name, path) in &libraries {
        if LEFT_OUT.iter().all(|(left_out, _)| left_out != name) {
            std.add(name, &std::fs::read(path).unwrap());
        }
    }
    let mut runtime = Names::default();
    runtime.add("rt", rsyso::runtime::archive("amd64").unwrap());

    let wanted: BTreeMap<_, _> = std
        .undefined
        .iter()
        .filter(|(name, _)| is_plain(name) && !std.defined.contains(*name))
        .collect();
    assert!(
        wanted.len() > 150 && wanted.contains_key(&"pthread_create".to_owned()),
        "the list of std's names was read: {} names",
        wanted.len()
    );
    let listed = |list: &[(&str, &str)], name: &str| list.iter().any(|(listed, _)| *listed == name);
    let missing: Vec<_> = wanted
        .iter()
        .filter(|(name, _)| !runtime.defined.contains(**name))
        .filter(|(name, _)| !listed(LINKER, name))
        .filter(|(name, (strong, _))| *strong || !listed(GAPS, name))
        .map(|(name, (_, library))| format!("{name} (needed by {library})"))
        .collect();
    assert!(
        missing.is_empty(),
        "the runtime lacks: {}",
        missing.join(", ")
    );

    for (name, reason) in LINKER.iter().chain(GAPS) {
        assert!(
            wanted.contains_key(&(*name).to_owned()) && !runtime.defined.contains(*name),
            "{name} is listed here ({reason}), but std does not ask for it, or the runtime has it"
        );
    }
    for (left_out, reason) in LEFT_OUT {
        assert!(
            libraries.iter().any(|(name, _)| name == left_out),
            "{left_out} is left out ({reason}), but there is no such library"
        );
    }
}
