//! The runtime's C names: none that the installed std and its companions refer to is missing, and none ends up in itself. What crates ask
//! for is there, or stands in docs/LIBC.md.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SectionKind};

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
    runtime.add(
        "rt",
        rsyso::internals::read::runtime::archive("amd64").unwrap(),
    );

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

/// The names in the lists of a page: between backticks, after a heading.
fn listed_in<'p>(page: &'p str, heading: &str) -> BTreeSet<&'p str> {
    let lists = page.split(heading).nth(1).expect("the heading is there");
    // The reasons name functions that are provided: they stand in the paragraph that begins with `**`.
    lists
        .split("\n\n")
        .filter(|paragraph| !paragraph.starts_with("**"))
        .flat_map(|list| list.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_c_name_that_crates_ask_for_is_provided_or_has_its_reason() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let asked = std::fs::read_to_string(root.join("tests/c_names/asked.txt")).unwrap();
    let asked: BTreeMap<&str, &str> = asked
        .lines()
        .map(|line| line.split_once(' ').expect("a name, and who asks for it"))
        .collect();
    assert!(asked.len() > 900 && asked.contains_key("memcpy"));
    let page = std::fs::read_to_string(root.join("docs/LIBC.md")).unwrap();
    let refused = listed_in(&page, "## Not provided");
    let mut runtime = Names::default();
    runtime.add(
        "rt",
        rsyso::internals::read::runtime::archive("amd64").unwrap(),
    );

    let missing: Vec<_> = asked
        .iter()
        .filter(|(name, _)| !runtime.defined.contains(**name) && !refused.contains(**name))
        .filter(|(name, _)| LINKER.iter().all(|(linker, _)| linker != *name))
        .map(|(name, who)| format!("{name} ({who})"))
        .collect();
    assert!(
        missing.is_empty(),
        "neither provided nor in docs/LIBC.md: {}",
        missing.join(", ")
    );
    for name in refused {
        assert!(
            asked.contains_key(name) && !runtime.defined.contains(name),
            "docs/LIBC.md says that {name} is not provided; it is, or nobody asks for it"
        );
    }
}

/// A compiler may see through a function and replace its body by a call of the C function that does the same: itself.
#[test]
fn no_c_name_of_the_runtime_calls_itself() {
    let data = rsyso::internals::read::runtime::archive("amd64").unwrap();
    let archive = ArchiveFile::parse(data).unwrap();
    let own = archive
        .members()
        .map(|member| member.unwrap())
        .find(|member| member.name().starts_with(b"rsyso_rt-"))
        .expect("the runtime's own object");
    let file = object::File::parse(own.data(data).unwrap()).unwrap();
    let calls = calls(&file);
    let exported: Vec<_> = file
        .symbols()
        .filter(|s| s.is_global() && s.is_definition())
        .filter_map(|s| Some((s.name().unwrap(), s.section_index()?)))
        .filter(|(_, section)| calls.contains_key(section))
        .collect();
    assert!(
        exported.len() > 500,
        "the names were read: {}",
        exported.len()
    );
    // What finds a lane for another copy of the package begins again there (`rt/src/enter/copies.rs`), which cannot go on.
    let again = ["rsyso_lane_slow"];
    for (name, section) in exported {
        if again.contains(&name) {
            continue;
        }
        assert!(
            !reachable(&calls, section).contains(&section),
            "{name} ends up in itself"
        );
    }
}

type Calls = HashMap<SectionIndex, HashSet<SectionIndex>>;

/// For each function (each has a section of its own), the functions that it refers to.
fn calls(file: &object::File<'_>) -> Calls {
    let is_code = |index| {
        file.section_by_index(index)
            .is_ok_and(|section| section.kind() == SectionKind::Text)
    };
    file.sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .map(|section| {
            let targets = section.relocations().filter_map(|(_, relocation)| {
                let index = match relocation.target() {
                    RelocationTarget::Symbol(symbol) => {
                        file.symbol_by_index(symbol).unwrap().section_index()?
                    }
                    RelocationTarget::Section(index) => index,
                    _ => return None,
                };
                is_code(index).then_some(index)
            });
            (section.index(), targets.collect())
        })
        .collect()
}

/// Everything that can be reached from a function.
fn reachable(calls: &Calls, from: SectionIndex) -> HashSet<SectionIndex> {
    let mut seen = HashSet::new();
    let mut open: Vec<_> = calls[&from].iter().copied().collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(calls.get(&next).into_iter().flatten());
        }
    }
    seen
}
