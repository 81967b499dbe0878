//! Archives for cgo: those members alone that the shim reaches, without debug information.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use ar_archive_writer::{
    ArchiveKind, DEFAULT_OBJECT_READER, NewArchiveMember, write_archive_to_stream,
};
use memchr::memmem;
use object::elf::FileHeader64;
use object::pod::bytes_of;
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, SectionHeader};
use object::{BinaryFormat, Endianness, Object, ObjectSymbol};

use crate::base::diag::{Error, Problem, Result};
use crate::base::options::CgoMachine;
use crate::shim;

/// What the name of the shim's member begins with. It tells our archives from others.
const SHIM: &str = "rsyso_shim_";

/// Whether an archive is one of ours.
pub(super) fn is_ours(bytes: &[u8]) -> bool {
    memmem::find(bytes, SHIM.as_bytes()).is_some()
}

fn fault(what: String) -> Error {
    Error::fault(Problem::new(what))
}

/// A member, and what it defines and refers to.
struct Member<'a> {
    name: String,
    bytes: &'a [u8],
    defines: BTreeSet<&'a [u8]>,
    refers: BTreeSet<&'a [u8]>,
}

impl<'a> Member<'a> {
    /// None when it is no object: metadata.
    fn read(name: String, bytes: &'a [u8]) -> Option<Member<'a>> {
        let object = object::File::parse(bytes).ok()?;
        let (mut defines, mut refers) = (BTreeSet::new(), BTreeSet::new());
        for symbol in object.symbols() {
            let Ok(name) = symbol.name_bytes() else {
                continue;
            };
            // Of Mach-O, names begin with an underscore.
            let name = match object.format() {
                BinaryFormat::MachO => name.strip_prefix(b"_").unwrap_or(name),
                _ => name,
            };
            if symbol.is_undefined() {
                refers.insert(name);
            } else if symbol.is_global() {
                defines.insert(name);
            }
        }
        Some(Member {
            name,
            bytes,
            defines,
            refers,
        })
    }
}

/// The objects of an archive.
fn members(archive: &[u8]) -> Result<Vec<Member<'_>>> {
    let failed = |e: object::Error| fault(format!("cannot read the library for cgo: {e}"));
    let file = ArchiveFile::parse(archive).map_err(failed)?;
    let mut all = Vec::new();
    for member in file.members() {
        let member = member.map_err(failed)?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        all.extend(Member::read(name, member.data(archive).map_err(failed)?));
    }
    Ok(all)
}

/// The symbol of core's function that is called where a panic would leave a function that it may not leave.
pub(super) fn cannot_unwind(archive: &[u8], path: &Path) -> Result<Option<String>> {
    let at = path.display().to_string();
    let all = members(archive).map_err(|mut e| {
        e.problems = e.problems.into_iter().map(|p| p.at(&at)).collect();
        e
    })?;
    let is_it = |name: &&&[u8]| {
        let name = String::from_utf8_lossy(name);
        name.contains("4core9panicking19panic_cannot_unwind")
    };
    let found = all.iter().find_map(|m| m.defines.iter().find(is_it));
    Ok(found.map(|name| String::from_utf8_lossy(name).into_owned()))
}

/// The archive of the shim and of what it reaches.
pub(super) fn slim(
    library: &[u8],
    object: Vec<u8>,
    id: &str,
    machine: &CgoMachine,
) -> Result<Vec<u8>> {
    let all = members(library)?;
    let mut definers: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (n, member) in all.iter().enumerate() {
        for symbol in &member.defines {
            definers.entry(symbol).or_insert(n);
        }
    }
    let first = Member::read(format!("{SHIM}{id}.o"), &object)
        .ok_or_else(|| fault("the compiler made no object of the shim".to_owned()))?;
    let mut reached = BTreeSet::new();
    let mut open: Vec<&[u8]> = first.refers.iter().copied().collect();
    // What stands in for it in C refers to it.
    open.extend(machine.cannot_unwind.iter().map(String::as_bytes));
    while let Some(symbol) = open.pop() {
        let Some(&n) = definers.get(symbol) else {
            continue;
        };
        if reached.insert(n) {
            open.extend(&all[n].refers);
        }
    }
    let chosen = reached.iter().map(|&n| &all[n]);
    let mut new = Vec::new();
    for member in std::iter::once(&first).chain(chosen) {
        let mut bytes = stripped(member.bytes);
        if let Some(real) = machine.cannot_unwind.as_deref()
            && !member.defines.contains(real.as_bytes())
        {
            rename(
                &mut bytes,
                real.as_bytes(),
                shim::standin(real, id).as_bytes(),
            );
        }
        new.push(NewArchiveMember::new(
            bytes,
            &DEFAULT_OBJECT_READER,
            member.name.clone(),
        ));
    }
    let kind = match machine.goos.as_str() {
        "darwin" => ArchiveKind::Darwin,
        _ => ArchiveKind::Gnu,
    };
    let mut out = Cursor::new(Vec::new());
    write_archive_to_stream(&mut out, &new, kind, false, None)
        .map_err(|e| fault(format!("cannot write the library for cgo: {e}")))?;
    Ok(out.into_inner())
}

/// Puts a name of the same length in the place of another, wherever that stands alone: in the table of an object's names.
fn rename(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    if from.len() != to.len() {
        return;
    }
    let found: Vec<usize> = memmem::find_iter(bytes, from).collect();
    for at in found {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let ends = bytes.get(at + from.len()) == Some(&0);
        if ends && matches!(before, Some(0 | b'_')) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
}

/// An object without debug information, where its format is one of which that is known. The sections stay, without anything in them: their numbers
/// are used elsewhere.
fn stripped(bytes: &[u8]) -> Vec<u8> {
    emptied(bytes).unwrap_or_else(|| bytes.to_vec())
}

/// The same of an ELF object of 64 bits. None for any other (gABI, "Section Header": `sh_offset` and `sh_size` of an `Elf64_Shdr`).
fn emptied(bytes: &[u8]) -> Option<Vec<u8>> {
    let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, bytes).ok()?;
    let mut out = bytes.get(..size_of::<FileHeader64<Endianness>>())?.to_vec();
    let mut headers = Vec::new();
    for section in sections.iter() {
        let name = sections.section_name(endian, section).ok()?;
        let debug = [&b".debug_"[..], b".rela.debug_", b".rel.debug_"];
        let mut entry = *section;
        let data = match debug.iter().any(|start| name.starts_with(start)) {
            true => {
                entry.sh_size.set(endian, 0);
                &[]
            }
            false => section.data(endian, bytes).ok()?,
        };
        let align = section.sh_addralign.get(endian).clamp(1, 4096) as usize;
        out.resize(out.len().next_multiple_of(align), 0);
        entry.sh_offset.set(endian, out.len() as u64);
        out.extend_from_slice(data);
        headers.push(entry);
    }
    out.resize(out.len().next_multiple_of(8), 0);
    let mut first = *header;
    first.e_shoff.set(endian, out.len() as u64);
    out.splice(..size_of_val(&first), bytes_of(&first).iter().copied());
    headers
        .iter()
        .for_each(|entry| out.extend_from_slice(bytes_of(entry)));
    Some(out)
}
