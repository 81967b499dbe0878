//! What is shipped, held against the garbage collection of another linker: `ld -r --gc-sections` with the same roots.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::process::run;
use crate::common::{archive, rsyso, scratch};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, SectionFlags, elf};

/// How many sections of a name a member has, by (member, section).
type Sections = BTreeMap<(String, String), usize>;

fn inspect(library: &Path) -> serde_json::Value {
    let mut command = rsyso();
    // The other linker leaves nothing out that is referred to.
    command
        .args(["inspect", "--json", "--backtrace"])
        .arg(library);
    let ran = run(&mut command, Duration::from_secs(120)).success();
    serde_json::from_str(&ran.stdout).unwrap()
}

fn text<'v>(value: &'v serde_json::Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// `libfoo.a(member.o)` or `path/libfoo.a(member.o)`: the member.
fn member(place: &str) -> Option<&str> {
    let (_, member) = place.rsplit_once(".a(")?;
    member.split_once(')').map(|(name, _)| name)
}

/// What rsyso ships of the library itself.
fn kept_by_rsyso(inspection: &serde_json::Value, library: &Path) -> Sections {
    let name = library.file_name().unwrap().to_str().unwrap();
    let mut kept = Sections::new();
    for piece in inspection["kept"].as_array().unwrap() {
        let place = text(piece, "place");
        if place.starts_with(name)
            && let Some(member) = member(place)
        {
            let section = text(piece, "section").to_owned();
            *kept.entry((member.to_owned(), section)).or_default() += 1;
        }
    }
    kept
}

/// The symbols of what rsyso ships from elsewhere.
fn by_runtime<'v>(inspection: &'v serde_json::Value, library: &Path) -> BTreeSet<&'v str> {
    let name = library.file_name().unwrap().to_str().unwrap();
    let pieces = inspection["kept"].as_array().unwrap().iter();
    pieces
        .filter(|piece| !text(piece, "place").starts_with(name))
        .map(|piece| text(piece, "symbol"))
        .collect()
}

/// What ld keeps of the library when the exports are its roots.
fn kept_by_ld(library: &Path, exports: &[&str]) -> Sections {
    let dir = scratch();
    // A root may be a local name of std's, which ld does not take.
    let global = dir.path().join(library.file_name().unwrap());
    let mut objcopy = Command::new("objcopy");
    for export in exports {
        objcopy.arg(format!("--globalize-symbol={export}"));
    }
    objcopy.arg(library).arg(&global);
    run(&mut objcopy, Duration::from_secs(120)).success();
    let library = &*global;
    let mut ld = Command::new("ld");
    ld.args([
        "-r",
        "--gc-sections",
        "--print-gc-sections",
        "--print-map",
        "-o",
    ])
    .arg(dir.path().join("out.o"));
    for export in exports {
        ld.args(["-u", export]);
    }
    let ran = run(ld.arg(library), Duration::from_secs(120)).success();
    let mut kept = Sections::new();
    // The map begins with a list of the members that were loaded, in the first column.
    let first_column = ran.stdout.lines().filter(|l| !l.starts_with(' '));
    let loaded: BTreeSet<_> = first_column.filter_map(member).collect();
    assert!(!loaded.is_empty(), "the map of ld lists no members");
    let bytes = std::fs::read(library).unwrap();
    for found in ArchiveFile::parse(&*bytes).unwrap().members() {
        let found = found.unwrap();
        let name = String::from_utf8_lossy(found.name()).into_owned();
        if !loaded.contains(&*name) {
            continue;
        }
        let file = object::File::parse(found.data(&*bytes).unwrap()).unwrap();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                panic!("not an ELF member: {name}");
            };
            if sh_flags.contains(elf::SHF_ALLOC) && section.size() > 0 {
                let key = (name.clone(), section.name().unwrap().to_owned());
                *kept.entry(key).or_default() += 1;
            }
        }
    }
    // ld: removing unused section '.text.foo' in file 'libfoo.a(member.o)'
    for line in ran.stderr.lines() {
        let Some((_, rest)) = line.split_once("removing unused section '") else {
            continue;
        };
        let (section, file) = rest.split_once("' in file '").unwrap();
        let key = (member(file).unwrap_or(file).to_owned(), section.to_owned());
        if let Some(count) = kept.get_mut(&key) {
            *count = count.saturating_sub(1);
        }
    }
    kept.retain(|_, count| *count > 0);
    kept
}

/// Functions of the library's std that the runtime asks for, to hand panics to Go (`src/link/interpose.rs`): roots for ld.
fn asked_by_runtime(kept: &Sections) -> impl Iterator<Item = &str> {
    const PIECES: [&str; 4] = [
        "9panicking13resume_unwind",
        "9panicking12catch_unwind7cleanup",
        "9panicking19panic_cannot_unwind",
        "_7___rustc14___rust_dealloc",
    ];
    let symbols = kept
        .keys()
        .filter_map(|(_, section)| section.rsplit('.').next());
    symbols.filter(|symbol| PIECES.iter().any(|p| symbol.ends_with(p)))
}

fn compare(fixture: &str) {
    let library = archive(fixture);
    let inspection = inspect(&library);
    let exports: Vec<_> = inspection["exports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| text(e, "symbol"))
        .collect();
    let ours = kept_by_rsyso(&inspection, &library);
    let roots: Vec<_> = exports
        .iter()
        .copied()
        .chain(asked_by_runtime(&ours))
        .collect();
    let theirs = kept_by_ld(&library, &roots);
    let code = |s: &Sections| s.keys().filter(|k| k.1.starts_with(".text")).count();
    println!(
        "{fixture}: code sections: rsyso keeps {}, ld {}",
        code(&ours),
        code(&theirs)
    );
    assert!(code(&ours) >= exports.len());

    let more: Vec<_> = ours.keys().filter(|k| !theirs.contains_key(*k)).collect();
    assert!(more.is_empty(), "rsyso ships what ld drops: {more:#?}");
    // Where the runtime has a function of the same name, its own is taken.
    let runtime = by_runtime(&inspection, &library);
    let less: Vec<_> = theirs
        .keys()
        .filter(|k| k.1.starts_with(".text") && !ours.contains_key(*k))
        .filter(|k| !runtime.contains(k.1.trim_start_matches(".text.")))
        .collect();
    assert!(less.is_empty(), "rsyso drops code that ld keeps: {less:#?}");
}

#[test]
fn plusone() {
    compare("plusone");
}

#[test]
fn data() {
    compare("data");
}

#[test]
fn text_fixture() {
    compare("text");
}
