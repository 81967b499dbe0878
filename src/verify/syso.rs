//! The rules for a `.syso`, by their consumers: cmd/link (internal/loadelf/ldelf.go, internal/ld/pcln.go), the C linker, and the image itself.

use goblin::elf::header::{ET_REL, Header};
use goblin::elf::section_header::{
    SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, SHT_REL, SHT_RELA, SHT_SYMTAB, SectionHeader,
};
use goblin::elf::sym::Symtab;
use goblin::strtab::Strtab;
use serde::Serialize;

use super::symbols::{self, Symbol};
use super::{CTX, Findings, ImageSection, elf_header, inside, slice};
use crate::arch::Arch;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::crates::{self, Crate};
use crate::provenance;

/// The compact form of relative relocations (gABI); not in goblin's list.
const SHT_RELR: u32 = 19;

/// LLVM's compact form of relocations (llvm/BinaryFormat/ELF.h); not in goblin's list.
const SHT_CREL: u32 = 0x4000_0014;

/// What a good `.syso` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SysoReport {
    /// The file, as named by the caller.
    pub file: String,
    /// GOARCH of its code.
    pub goarch: String,
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
    /// Bytes of its fixed part: header, code and read-only data.
    pub fixed_size: u64,
    /// Local symbols: functions and data of the library, for profiles and tracebacks.
    pub symbols: usize,
    /// The wrappers, by name.
    pub wrappers: Vec<String>,
    /// The crates that are inside, if the image tells.
    pub crates: Option<Vec<Crate>>,
}

/// Holds an object against the rules. All that is broken is listed.
pub fn syso(path: &str, data: &[u8]) -> Result<SysoReport> {
    let (elf, arch) = elf_header(path, data)?;
    let fault = |message: &str| Error::fault(Problem::new(message).at(path));
    let mut findings = Findings::new(path);

    // "elf but not elf relocatable object" (loadelf.Load).
    findings.require(elf.e_type == ET_REL, || {
        "not a relocatable object".to_string()
    });
    file_name(&mut findings, arch);
    let file = ElfFile::read(&elf, data).ok_or_else(|| fault("malformed section headers"))?;
    let Some(image) = sections(&mut findings, &file, arch) else {
        return Err(findings.give_up("no loaded section, so no image"));
    };
    let bytes = slice(data, image.header.sh_offset, image.header.sh_size)
        .ok_or_else(|| fault("the image's section reaches past the end of the file"))?;
    let symbols = symbol_table(&mut findings, &file).ok_or_else(|| {
        fault("no symbol table, or a malformed one: nothing can refer to the image")
    })?;

    let header = provenance::read(bytes);
    let fixed_size = header.as_ref().map_or(u64::MAX, |h| h.fixed_size);
    symbols::check(&mut findings, &symbols, &image, fixed_size);
    let header = match header {
        Ok(header) => header,
        Err(e) => {
            return Err(
                findings.give_up(format!("the image does not begin with a good header: {e}"))
            );
        }
    };
    provenance_header(&mut findings, &header, bytes, arch);
    let crates = inside(&mut findings, "the image", &header, bytes);
    list_of_crates(&mut findings, &file, provenance::crates(&header, bytes));

    let report = SysoReport {
        file: path.to_string(),
        goarch: arch.goarch().to_string(),
        package: header.package,
        rsyso: header.rsyso,
        rustc: header.rustc,
        inputs_sha256: provenance::hex(&header.inputs_sha256),
        fixed_sha256: provenance::hex(&header.fixed_sha256),
        image_size: header.image_size,
        fixed_size: header.fixed_size,
        symbols: symbols.iter().filter(|s| s.is_local()).count(),
        wrappers: symbols
            .iter()
            .filter(|s| !s.is_local())
            .map(|s| s.name.to_string())
            .collect(),
        crates,
    };
    Error::check(Kind::Fault, findings.problems, report)
}

/// The section tables of an object.
struct ElfFile<'a> {
    data: &'a [u8],
    sections: Vec<SectionHeader>,
    names: Strtab<'a>,
}

impl<'a> ElfFile<'a> {
    fn read(elf: &Header, data: &'a [u8]) -> Option<Self> {
        let at = usize::try_from(elf.e_shoff).ok()?;
        let sections = SectionHeader::parse(data, at, elf.e_shnum.into(), CTX).ok()?;
        let names = sections.get(usize::from(elf.e_shstrndx))?;
        let names = strings(data, names)?;
        Some(ElfFile {
            data,
            sections,
            names,
        })
    }

    fn name(&self, section: &SectionHeader) -> &'a str {
        self.names.get_at(section.sh_name).unwrap_or_default()
    }
}

fn strings<'a>(data: &'a [u8], section: &SectionHeader) -> Option<Strtab<'a>> {
    let bytes = slice(data, section.sh_offset, section.sh_size)?;
    Strtab::parse(bytes, 0, bytes.len(), 0).ok()
}

/// go/build takes a file for one platform by the end of its name (go/build/build.go, goodOSArchFile); a `.syso` can have no build tag.
fn file_name(findings: &mut Findings<'_>, arch: &dyn Arch) {
    let end = format!("_linux_{}.syso", arch.goarch());
    let path = findings.path;
    findings.require(path.ends_with(&end), || {
        format!(
            "the file's name does not end in `{end}`, so Go would link it on other platforms too"
        )
    });
}

/// The rules for sections; gives the one that holds the image.
fn sections<'a>(
    findings: &mut Findings<'_>,
    file: &'a ElfFile<'_>,
    arch: &dyn Arch,
) -> Option<ImageSection<'a>> {
    // A static link ignores ELF relocations without a word (golang/go issue 24321): there must be none, for any section.
    findings.none(
        "relocations, which Go's linker ignores in a static link",
        file.sections
            .iter()
            .filter(|s| matches!(s.sh_type, SHT_REL | SHT_RELA | SHT_RELR | SHT_CREL))
            .map(|s| format!("section `{}`", file.name(s))),
    );
    // Without the note the C linker asks for an executable stack (ld(1), "-z execstack"; binutils 2.39 warns).
    let stack = file
        .sections
        .iter()
        .find(|s| file.name(s) == ".note.GNU-stack");
    match stack {
        None => findings
            .add("no `.note.GNU-stack` section: external linking would make the stack executable"),
        Some(s) => findings.require(s.sh_flags & u64::from(SHF_EXECINSTR) == 0, || {
            "`.note.GNU-stack` asks for an executable stack".to_string()
        }),
    }
    // One section, or the distances between code and data are not ours to fix.
    let alloc = |s: &&SectionHeader| s.sh_flags & u64::from(SHF_ALLOC) != 0;
    let loaded: Vec<_> = file
        .sections
        .iter()
        .enumerate()
        .filter(|(_, s)| alloc(s))
        .collect();
    let &(index, header) = loaded.first()?;
    if loaded.len() > 1 {
        findings.none(
            "more than one loaded section",
            loaded
                .iter()
                .map(|(_, s)| format!("section `{}`", file.name(s))),
        );
    }
    image_section(findings, file, header, arch);
    Some(ImageSection { index, header })
}

/// The rules for the section that holds the image.
fn image_section(
    findings: &mut Findings<'_>,
    file: &ElfFile<'_>,
    image: &SectionHeader,
    arch: &dyn Arch,
) {
    let name = file.name(image);
    findings.require(image.sh_type == SHT_PROGBITS, || {
        format!("section `{name}` is not PROGBITS")
    });
    // Only ALLOC+EXECINSTR becomes text in Go's linker, other flags land elsewhere or are an "unexpected flags" error (loadelf.Load).
    findings.require(
        image.sh_flags == u64::from(SHF_ALLOC | SHF_EXECINSTR),
        || {
            format!(
                "section `{name}` has flags {:#x}, not ALLOC and EXECINSTR alone",
                image.sh_flags
            )
        },
    );
    // loadelf gives these two names to its own offset tables.
    findings.require(!matches!(name, ".got" | ".toc"), || {
        format!("section `{name}` has a name that Go's linker takes for an offset table")
    });
    let page = arch.page_size();
    findings.require(image.sh_addralign == page, || {
        format!(
            "section `{name}` is aligned to {} bytes, not to a page of {page}",
            image.sh_addralign
        )
    });
    // The last page of the writable part loses its right to execute: it must not be shared with what follows.
    findings.require(image.sh_size.is_multiple_of(page), || {
        format!(
            "section `{name}` has {:#x} bytes, not whole pages of {page}",
            image.sh_size
        )
    });
}

/// Scanners are told what the image says of itself.
fn list_of_crates(findings: &mut Findings<'_>, file: &ElfFile<'_>, inside: Option<&[u8]>) {
    let mut sections = file.sections.iter();
    let section = sections.find(|s| file.name(s) == crates::SECTION);
    let told = section.and_then(|s| slice(file.data, s.sh_offset, s.sh_size));
    findings.require(told == inside, || {
        format!(
            "section `{}` is not the list of crates in the image",
            crates::SECTION
        )
    });
}

/// The symbol table, as loadelf finds it: by the name `.symtab`.
fn symbol_table<'a>(findings: &mut Findings<'_>, file: &ElfFile<'a>) -> Option<Vec<Symbol<'a>>> {
    let table = file
        .sections
        .iter()
        .find(|s| file.name(s) == ".symtab" && s.sh_type == SHT_SYMTAB)?;
    let names = strings(
        file.data,
        file.sections.get(usize::try_from(table.sh_link).ok()?)?,
    )?;
    let bytes = slice(file.data, table.sh_offset, table.sh_size)?;
    let entry = goblin::elf64::sym::SIZEOF_SYM;
    let list: Vec<Symbol<'a>> = Symtab::parse(bytes, 0, bytes.len() / entry, CTX)
        .ok()?
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, sym)| {
            names
                .get_at(sym.st_name)
                .map(|name| Symbol { index, name, sym })
        })
        .collect::<Option<_>>()?;
    // gABI, "Symbol Table": locals come first, sh_info is one more than the last local's index. The C linker counts on it.
    let locals = list.iter().take_while(|s| s.is_local()).count();
    let ordered = list.iter().skip(locals).all(|s| !s.is_local());
    findings.require(
        ordered && u64::from(table.sh_info) == locals as u64 + 1,
        || "local symbols do not come first in the symbol table".to_string(),
    );
    Some(list)
}

/// The rules for the image's header.
fn provenance_header(
    findings: &mut Findings<'_>,
    header: &provenance::Header,
    image: &[u8],
    arch: &dyn Arch,
) {
    findings.require(header.image_size == image.len() as u64, || {
        format!(
            "the header tells of {:#x} bytes, the section has {:#x}",
            header.image_size,
            image.len()
        )
    });
    // mprotect(2) works on whole pages: the fixed part must not share one with the writable part.
    findings.require(header.fixed_size.is_multiple_of(arch.page_size()), || {
        format!(
            "the writable part begins at {:#x}, not on a page",
            header.fixed_size
        )
    });
    findings.require(
        provenance::hash(header, image) == Ok(header.fixed_sha256),
        || "the fixed part of the image is not what its SHA-256 says".to_string(),
    );
    findings.require(
        provenance::hash_writable(header, image) == Ok(header.writable_sha256),
        || "the writable part of the image is not what its SHA-256 says".to_string(),
    );
}
