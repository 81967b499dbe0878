//! The proof that a linked Go program holds its images unharmed.

use goblin::elf::header::{ET_DYN, ET_EXEC};
use goblin::elf::program_header::{PF_X, PT_LOAD, ProgramHeader};
use serde::Serialize;

use super::{CTX, Findings, SysoReport, elf_header, inside};
use crate::arch::Arch;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::crates::Crate;
use crate::provenance::{self, Header};

/// The images of a linked program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramReport {
    /// The file, as named by the caller.
    pub file: String,
    /// GOARCH of the program.
    pub goarch: String,
    /// In the order of the file; at least one.
    pub images: Vec<ProgramImage>,
}

/// One image in a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramImage {
    /// Import path or name of the Go package.
    pub package: String,
    /// Version of rsyso that made it.
    pub rsyso: String,
    /// Version of the compiler that made the library.
    pub rustc: String,
    /// SHA-256 of the inputs, in hexadecimal.
    pub inputs_sha256: String,
    /// SHA-256 of the image's fixed part, in hexadecimal.
    pub fixed_sha256: String,
    /// Bytes of the image.
    pub image_size: u64,
    /// Bytes of its fixed part.
    pub fixed_size: u64,
    /// Where it lies in the file.
    pub offset: u64,
    /// Its address as linked (in a PIE or shared object: from the load address).
    pub address: u64,
    /// The crates that are inside, if the image tells.
    pub crates: Option<Vec<Crate>>,
}

impl ProgramReport {
    /// The image that a `.syso` holds, if it is in this program.
    pub fn image_of(&self, syso: &SysoReport) -> Option<&ProgramImage> {
        self.images
            .iter()
            .find(|i| i.fixed_sha256 == syso.fixed_sha256)
    }
}

/// Finds the images of a linked Go program and holds each against what its header says.
pub fn program(path: &str, data: &[u8]) -> Result<ProgramReport> {
    let (elf, arch) = elf_header(path, data)?;
    let fault = |message: &str| Error::fault(Problem::new(message).at(path));
    if !matches!(elf.e_type, ET_EXEC | ET_DYN) {
        return Err(fault("neither an executable nor a shared object"));
    }
    let segments = usize::try_from(elf.e_phoff)
        .ok()
        .and_then(|at| ProgramHeader::parse(data, at, elf.e_phnum.into(), CTX).ok())
        .ok_or_else(|| fault("malformed program headers"))?;

    let found = provenance::find(data);
    if found.is_empty() {
        return Err(Error::fault(no_image(path)));
    }
    let mut findings = Findings::new(path);
    let mut images = Vec::new();
    for (offset, header) in found {
        match header {
            Ok(header) => {
                let place = Place { data, offset, arch };
                images.extend(place.check(&mut findings, &segments, header));
            }
            Err(e) => findings.add(format!("at file offset {offset:#x}: {e}")),
        }
    }
    let report = ProgramReport {
        file: path.to_string(),
        goarch: arch.goarch().to_string(),
        images,
    };
    Error::check(Kind::Fault, findings.problems, report)
}

fn no_image(path: &str) -> Problem {
    Problem::new("no image made by rsyso in this program")
        .at(path)
        .note("Go links an image only into programs that can reach one of its package's functions")
        .help("see that the program calls the package, that it was not built with -msan (which drops .syso files), and that it was not packed after linking")
}

/// A place in the file where an image begins.
struct Place<'a> {
    data: &'a [u8],
    offset: usize,
    arch: &'a dyn Arch,
}

impl Place<'_> {
    fn check(
        &self,
        findings: &mut Findings<'_>,
        segments: &[ProgramHeader],
        header: Header,
    ) -> Option<ProgramImage> {
        let offset = self.offset as u64;
        let what = format!(
            "image of package `{}` at file offset {offset:#x}",
            header.package
        );
        let image = self.data.get(self.offset..).unwrap_or_default();
        let sums = provenance::hash(&header, image)
            .and_then(|fixed| Ok((fixed, provenance::hash_writable(&header, image)?)));
        match sums {
            Ok((fixed, writable)) => {
                findings.require(fixed == header.fixed_sha256, || {
                    format!("{what}: its code or read-only data was changed")
                });
                findings.require(writable == header.writable_sha256, || {
                    format!("{what}: its writable data was changed")
                });
            }
            Err(_) => findings.add(format!("{what}: the file ends inside it")),
        }
        let Some(segment) = segments.iter().find(|s| holds(s, offset)) else {
            findings.add(format!("{what}: not in an executable segment"));
            return None;
        };
        // The writable part follows the fixed one in the same segment, from the file: cmd/link writes text out in full.
        let room = segment.p_filesz - (offset - segment.p_offset);
        findings.require(header.image_size <= room, || {
            format!(
                "{what}: its segment ends after {room:#x} of {:#x} bytes",
                header.image_size
            )
        });
        let address = segment.p_vaddr.wrapping_add(offset - segment.p_offset);
        let page = self.arch.page_size();
        findings.require(address % page == 0, || {
            format!("{what}: its address {address:#x} is not on a page of {page}")
        });
        // gABI, "Program Header": p_vaddr and p_offset are congruent modulo the page size, or the loader cannot map the page.
        findings.require(address % page == offset % page, || {
            format!("{what}: its address {address:#x} is not congruent to its offset, modulo a page of {page}")
        });
        let crates = inside(findings, &what, &header, image);
        Some(ProgramImage {
            crates,
            package: header.package,
            rsyso: header.rsyso,
            rustc: header.rustc,
            inputs_sha256: provenance::hex(&header.inputs_sha256),
            fixed_sha256: provenance::hex(&header.fixed_sha256),
            image_size: header.image_size,
            fixed_size: header.fixed_size,
            offset,
            address,
        })
    }
}

/// Whether an executable segment has the byte at `offset` of the file.
fn holds(segment: &ProgramHeader, offset: u64) -> bool {
    segment.p_type == PT_LOAD
        && segment.p_flags & PF_X != 0
        && offset
            .checked_sub(segment.p_offset)
            .is_some_and(|at| at < segment.p_filesz)
}
