//! The runtime (`rt/`), built by `build.rs` and embedded: the archive that the linker adds to every image.

use super::{Def, Files, Member, Object, elf};
use crate::base::diag::{Error, Problem, Result};
use crate::base::hash::Map;
use ::object::read::archive::ArchiveFile;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The runtime for one architecture.
struct Runtime {
    goarch: &'static str,
    archive: &'static [u8],
    /// SHA-256 of the archive, in hexadecimal.
    sha256: &'static str,
}

/// Those that `build.rs` made, in the order of its `TARGETS`.
const RUNTIMES: &[Runtime] = include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));

fn of(goarch: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|r| r.goarch == goarch)
}

/// By GOARCH.
type Parsed = BTreeMap<String, &'static [Object<'static>]>;

/// What was parsed so far. It stays for the life of the process: every image is linked with the same objects.
static PARSED: Mutex<Parsed> = Mutex::new(Parsed::new());

/// The runtime's objects for a GOARCH, parsed when they are first asked for.
pub fn objects(goarch: &str) -> Result<&'static [Object<'static>]> {
    // What a panic would leave behind is a map without the new entry.
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(objects) = parsed.get(goarch) {
        return Ok(objects);
    }
    let bytes = archive(goarch).ok_or_else(|| {
        Error::unsupported(
            Problem::new(format!(
                "this rsyso was built without the runtime for {goarch}"
            ))
            .help(
                "build rsyso where Rust's std for that target is installed (`rustup target add`)",
            ),
        )
    })?;
    let files = Box::leak(Box::new(Files::from_bytes("rsyso-rt", bytes)?));
    let objects: &'static [_] = Vec::leak(needed(files, bytes)?);
    parsed.insert(goarch.to_owned(), objects);
    Ok(objects)
}

/// The objects of the runtime's own crate, and those that they lead to: of a compiler's builtins few are needed. The archive's symbol table tells
/// where a name is; one that is not in it is not in the archive.
fn needed<'d>(files: &'d Files, archive: &'d [u8]) -> Result<Vec<Object<'d>>> {
    let damaged = |e| Error::fault(Problem::new(format!("the runtime is damaged: {e}")));
    let table = ArchiveFile::parse(archive).and_then(|a| a.symbols());
    let members = files.members();
    let mut defines: Map<&[u8], Vec<usize>> = Map::default();
    for symbol in table.map_err(damaged)?.into_iter().flatten() {
        let symbol = symbol.map_err(damaged)?;
        // The members are in the order of the file, each behind its header.
        let after = members.partition_point(|m| m.start() as u64 <= symbol.offset().0);
        defines.entry(symbol.name()).or_default().push(after);
    }
    let mut parsed: BTreeMap<usize, Object<'d>> = BTreeMap::new();
    let own = |m: &Member| m.member.starts_with("rsyso_rt");
    let mut queue: Vec<usize> = (0..members.len()).filter(|i| own(&members[*i])).collect();
    while let Some(index) = queue.pop() {
        let Some(member) = members.get(index).filter(|_| !parsed.contains_key(&index)) else {
            continue;
        };
        let object = elf::parse(member.name.clone(), files.bytes(member), member.lazy);
        let object = object.map_err(Error::fault)?.member(member);
        let undefined = object.symbols.iter().filter(|s| s.def == Def::Undefined);
        for symbol in undefined {
            queue.extend(defines.get(symbol.name.as_bytes()).into_iter().flatten());
        }
        parsed.insert(index, object);
    }
    Ok(parsed.into_values().collect())
}

/// The runtime's archive for a GOARCH; None when there is none for it.
pub fn archive(goarch: &str) -> Option<&'static [u8]> {
    of(goarch).map(|r| r.archive)
}

/// What tells the runtime for a GOARCH from those of other versions, and of other compilers: SHA-256 of its archive, in hexadecimal.
pub fn sha256(goarch: &str) -> Option<&'static str> {
    of(goarch).map(|r| r.sha256)
}

/// The version of rsyso with the runtimes inside: `0.1.0 (runtime amd64 1f40c7ed29ab)`.
pub fn version() -> String {
    let runtimes = RUNTIMES.iter();
    let runtimes: Vec<_> = runtimes
        .map(|r| format!("{} {:.12}", r.goarch, r.sha256))
        .collect();
    format!(
        "{} (runtime {})",
        env!("CARGO_PKG_VERSION"),
        runtimes.join(", ")
    )
}
