//! The second look: holds what was written against the rules of its consumers, with a parser of its own.
//!
//! A `.syso` is read by cmd/link (and by the C linker, when Go links externally), which says little when an object breaks its rules,
//! or nothing at all. [`syso`] holds an object against those rules in full; [`program()`] proves that a linked Go program holds its
//! images byte for byte. Both read with goblin, never with the library that wrote the object.

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf;
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, ET_REL, Header};
use goblin::elf::section_header::SectionHeader;

use crate::arch::{self, Arch};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::crates::{Crate, Crates};
use crate::provenance;

mod program;
mod symbols;
mod syso;
#[cfg(test)]
mod tests;

pub use program::{ProgramImage, ProgramReport, program};
pub use syso::{SysoReport, syso};

/// The size and byte order of every file that can hold an image.
const CTX: Ctx = Ctx {
    container: Container::Big,
    le: Endian::Little,
};

/// The section of an object that holds the image.
struct ImageSection<'a> {
    /// Its index.
    index: usize,
    /// Its header.
    header: &'a SectionHeader,
}

/// Whether `data` is an ELF relocatable object, to be held against the rules for a `.syso`; anything else is taken for a program.
pub fn is_object(data: &[u8]) -> bool {
    Elf::parse_header(data).is_ok_and(|h| h.e_type == ET_REL)
}

/// Whether a file that is in the way is a `.syso` of an earlier run.
pub fn is_ours(data: &[u8]) -> bool {
    is_object(data) && !provenance::find(data).is_empty()
}

/// The ELF header and the backend of its machine; what cmd/link/internal/loadelf asks of a header before it reads on.
fn elf_header(path: &str, data: &[u8]) -> Result<(Header, &'static dyn Arch)> {
    let not_elf = |what: &str| {
        Error::fault(
            Problem::new(format!("{what}: neither a .syso nor a linked Go program")).at(path),
        )
    };
    if data.starts_with(b"!<arch>\n") {
        return Err(not_elf("an archive"));
    }
    if !data.starts_with(b"\x7fELF") {
        return Err(not_elf("not an ELF file"));
    }
    let header = Elf::parse_header(data).map_err(|_| not_elf("a malformed ELF file"))?;
    if header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB {
        return Err(Error::fault(
            Problem::new("not a 64-bit little-endian ELF file").at(path),
        ));
    }
    let arch = arch::by_machine(header.e_machine).ok_or_else(|| {
        Error::unsupported(
            Problem::new(format!("ELF machine {} is not supported", header.e_machine)).at(path),
        )
    })?;
    Ok((header, arch))
}

/// Collects what breaks the rules; each broken rule is one problem, however often it is broken.
struct Findings<'a> {
    path: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Instances of one broken rule that are spelled out.
    const SHOWN: usize = 3;

    fn new(path: &'a str) -> Self {
        Findings {
            path,
            problems: Vec::new(),
        }
    }

    /// One broken rule.
    fn add(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new(message).at(self.path));
    }

    /// A broken rule without which there is nothing more to look at.
    fn give_up(mut self, message: impl Into<String>) -> Error {
        self.add(message);
        Error {
            kind: Kind::Fault,
            problems: self.problems,
        }
    }

    /// A rule that must hold.
    fn require(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.add(message());
        }
    }

    /// A rule that must hold for each of many; `broken` names those for which it does not.
    fn none(&mut self, message: &str, broken: impl Iterator<Item = String>) {
        let mut broken = broken.peekable();
        if broken.peek().is_none() {
            return;
        }
        let mut problem = Problem::new(message).at(self.path);
        problem.notes.extend(broken.by_ref().take(Self::SHOWN));
        let more = broken.count();
        if more > 0 {
            problem = problem.note(format!("and {more} more"));
        }
        self.problems.push(problem);
    }
}

/// The crates of an image that begins at the start of `data`; `what` is the image.
fn inside(
    findings: &mut Findings<'_>,
    what: &str,
    header: &provenance::Header,
    data: &[u8],
) -> Option<Vec<Crate>> {
    let list = provenance::crates(header, data)?;
    let crates = Crates::unpacked(list);
    findings.require(crates.is_some(), || {
        format!("{what}: its list of crates is damaged")
    });
    crates.map(|crates| crates.packages)
}

/// `data[offset..offset + size]`.
fn slice(data: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let end = offset.checked_add(size)?;
    data.get(usize::try_from(offset).ok()?..usize::try_from(end).ok()?)
}
