//! Damage to archives and objects: deterministic, and aimed at what the tool reads.

use std::ops::Range;

use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Endianness, elf};

/// A part of the input that a mutation may aim at. Parts are chosen first and places in them second, so that a header of 64 bytes
/// is hit as often as a megabyte of code.
#[derive(Clone, Debug)]
pub struct Part {
    pub what: &'static str,
    pub range: Range<usize>,
}

/// Finds the parts of an archive or an object that is whole.
pub fn parts(input: &[u8]) -> Vec<Part> {
    let mut found = Vec::new();
    match ArchiveFile::parse(input) {
        Ok(archive) => {
            for member in archive.members() {
                let (start, size) = member.unwrap().file_range();
                let (start, size) = (start as usize, size as usize);
                found.push(Part {
                    what: "archive header",
                    range: start - 60..start,
                });
                object_parts(&input[start..start + size], start, &mut found);
            }
        }
        Err(_) => object_parts(input, 0, &mut found),
    }
    assert!(!found.is_empty(), "there is nothing to damage");
    found
}

fn object_parts(bytes: &[u8], base: usize, found: &mut Vec<Part>) {
    let Ok(file) = ElfFile64::<Endianness>::parse(bytes) else {
        return;
    };
    let endian = file.endian();
    let mut add = |what, start: u64, size: u64| {
        if size > 0 {
            let start = base + start as usize;
            found.push(Part {
                what,
                range: start..start + size as usize,
            });
        }
    };
    let header = file.elf_header();
    add("ELF header", 0, 64);
    let count = file.elf_section_table().len() as u64;
    add(
        "section headers",
        header.e_shoff.get(endian),
        count * u64::from(header.e_shentsize.get(endian)),
    );
    for section in file.elf_section_table().iter() {
        let name = file
            .elf_section_table()
            .section_name(endian, section)
            .unwrap_or_default();
        let what = match section.sh_type(endian) {
            elf::SHT_NOBITS | elf::SHT_NULL => continue,
            elf::SHT_SYMTAB => "symbols",
            elf::SHT_STRTAB => "names",
            elf::SHT_RELA => "relocations",
            elf::SHT_GROUP => "groups",
            _ if name.starts_with(b".debug_info") => "debug information",
            _ if name.starts_with(b".debug_abbrev") => "abbreviations",
            _ if name.starts_with(b".debug") => "other debug sections",
            _ if name.starts_with(b".eh_frame") => "unwind tables",
            _ => "contents",
        };
        add(what, section.sh_offset(endian), section.sh_size(endian));
    }
}

/// One change, which can be taken back.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// New bytes at a place.
    Write {
        what: &'static str,
        at: usize,
        bytes: Vec<u8>,
    },
    /// The input ends here.
    Truncate(usize),
}

impl Mutation {
    /// The mutation of a seed.
    pub fn new(seed: u64, input: &[u8], parts: &[Part]) -> Mutation {
        let mut random = fastrand::Rng::with_seed(seed);
        if random.u8(..) < 16 {
            // Near the edges of a part, or anywhere.
            let part = &parts[random.usize(..parts.len())];
            let at = match random.u8(..3) {
                0 => part.range.start + random.usize(..4),
                1 => part.range.end - 1,
                _ => random.usize(..input.len()),
            };
            return Mutation::Truncate(at.min(input.len() - 1));
        }
        // The kind of part first, then one of that kind.
        let mut kinds: Vec<_> = parts.iter().map(|p| p.what).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kind = kinds[random.usize(..kinds.len())];
        let of_kind: Vec<_> = parts.iter().filter(|p| p.what == kind).collect();
        let part = of_kind[random.usize(..of_kind.len())];
        let at = random.usize(part.range.clone());
        let left = part.range.end - at;
        let bytes = match random.u8(..6) {
            0..=2 => vec![input[at] ^ (1 << random.u8(..8))],
            3 => vec![random.u8(..); left.min(1 + random.usize(..8))],
            4 => (0..left.min(1 + random.usize(..16)))
                .map(|_| random.u8(..))
                .collect(),
            _ => {
                const EDGES: [u64; 10] = [
                    0,
                    1,
                    0x7f,
                    0xff,
                    0xffff,
                    0x7fff_ffff,
                    0xffff_ffff,
                    0x7fff_ffff_ffff_ffff,
                    u64::MAX - 7,
                    u64::MAX,
                ];
                let at_most = [4, 8][random.usize(..2)];
                let edge = EDGES[random.usize(..EDGES.len())].to_le_bytes();
                edge[..left.min(at_most)].to_vec()
            }
        };
        Mutation::Write {
            what: part.what,
            at,
            bytes,
        }
    }

    /// The damaged input.
    pub fn apply(&self, input: &[u8]) -> Vec<u8> {
        match self {
            Mutation::Truncate(at) => input[..*at].to_vec(),
            Mutation::Write { at, bytes, .. } => {
                let mut damaged = input.to_vec();
                damaged[*at..*at + bytes.len()].copy_from_slice(bytes);
                damaged
            }
        }
    }
}
