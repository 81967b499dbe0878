//! Reads ELF, and checks it.

use super::object::{Bind, Def, Group, Object, Reloc, Section, Symbol, SymbolKind, Visibility};
use super::version::versioned;
use crate::arch;
use crate::base::diag::Problem;
use ::object::elf;
use ::object::read::elf::{FileHeader, SectionHeader, Sym};
use ::object::{Endianness, SectionIndex, SymbolIndex};
use std::borrow::Cow;
use std::sync::OnceLock;

type Header = elf::FileHeader64<Endianness>;

/// More than an address space has: sums of sizes and alignments up to here do not overflow. What a section that takes part may have is for
/// `link::far` and the layout to say.
const MAX_SIZE: u64 = 1 << 40;

/// The symbol of objects that hold GCC's bytecode and nothing else (gcc/lto-streamer.h, "slim" objects).
const GCC_BYTECODE_ONLY: &str = "__gnu_lto_slim";

/// Reads and checks one object.
pub fn parse(name: String, data: &[u8], lazy: bool) -> Result<Object<'_>, Problem> {
    Reader::new(data)
        .and_then(|r| r.object(lazy))
        .map_err(|p| p.at(name.clone()))
        .map(|mut o| {
            o.name = name;
            o
        })
}

struct Reader<'d> {
    data: &'d [u8],
    endian: Endianness,
    header: &'d Header,
    sections: ::object::read::elf::SectionTable<'d, Header>,
    symbols: ::object::read::elf::SymbolTable<'d, Header>,
}

type Step<T> = Result<T, Problem>;

fn damaged(what: impl std::fmt::Display) -> Problem {
    Problem::new(format!("not a readable ELF object: {what}"))
        .help("build the library again; the file may be damaged or truncated")
}

/// A name as text; nearly all are.
fn text(name: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(name).map_or_else(|_| String::from_utf8_lossy(name), Cow::Borrowed)
}

fn too_large(what: &str, size: u64, align: u64) -> Problem {
    Problem::new(format!(
        "{what} has {size} bytes, aligned to {align}: no program has room for that"
    ))
}

impl<'d> Reader<'d> {
    /// Checks what kind of file it is, and finds its tables.
    fn new(data: &'d [u8]) -> Step<Self> {
        if data.get(4).is_some_and(|class| *class != elf::ELFCLASS64.0) {
            return Err(Problem::new("this is a 32-bit ELF object")
                .help("build the library for a 64-bit Linux target"));
        }
        let header = Header::parse(data).map_err(damaged)?;
        let endian = header.endian().map_err(damaged)?;
        if endian != Endianness::Little {
            return Err(Problem::new("this is a big-endian ELF object")
                .help(format!("build the library for {}", arch::platforms())));
        }
        let kind = header.e_type(endian);
        if kind != elf::ET_REL {
            let what = match kind {
                elf::ET_DYN => "a shared object or a program",
                elf::ET_EXEC => "a program",
                elf::ET_CORE => "a core dump",
                _ => "no relocatable object",
            };
            return Err(
                Problem::new(format!("this is {what}; rsyso links relocatable objects"))
                    .help("set crate-type = [\"staticlib\"] in Cargo.toml and convert the .a file"),
            );
        }
        let machine = header.e_machine(endian).0;
        if arch::by_machine(machine).is_none() {
            let name = arch::machine_name(machine);
            let known: Vec<_> = arch::ALL.iter().map(|a| a.goarch()).collect();
            return Err(
                Problem::new(format!("this object is for {name}")).help(format!(
                    "the supported architectures are: {}",
                    known.join(", ")
                )),
            );
        }
        let sections = header.sections(endian, data).map_err(damaged)?;
        let symbols = sections
            .symbols(endian, data, elf::SHT_SYMTAB)
            .map_err(damaged)?;
        Ok(Reader {
            data,
            endian,
            header,
            sections,
            symbols,
        })
    }

    /// Reads all of it.
    fn object(&self, lazy: bool) -> Step<Object<'d>> {
        let mut sections = Vec::with_capacity(self.sections.len());
        for header in self.sections.iter() {
            sections.push(self.section(header)?);
        }
        let mut symbols = Vec::with_capacity(self.symbols.len());
        for (index, sym) in self.symbols.enumerate() {
            symbols.push(self.symbol(index, sym, &sections)?);
        }
        if symbols.iter().any(|s| s.name == GCC_BYTECODE_ONLY) {
            return Err(Problem::new("this is GCC's LTO bytecode, not machine code")
                .help("compile the C code without -flto, or with -ffat-lto-objects"));
        }
        if symbols.is_empty() {
            symbols.push(Object::synthetic("", 0).symbols.remove(0));
        }
        self.relocations(&mut sections, symbols.len())?;
        Ok(Object {
            name: String::new(),
            data: self.data,
            machine: self.header.e_machine(self.endian).0,
            lazy,
            rustc: self.rustc(),
            groups: self.groups(&symbols, sections.len())?,
            sections,
            symbols,
            krate: None,
            bundled_libc: false,
            by_section: OnceLock::new(),
        })
    }

    fn section(&self, h: &'d elf::SectionHeader64<Endianness>) -> Step<Section<'d>> {
        let e = self.endian;
        let name = text(self.sections.section_name(e, h).map_err(damaged)?);
        let flags = h.sh_flags(e).0;
        let size = h.sh_size(e);
        let alloc = flags & elf::SHF_ALLOC.0 != 0;
        let align = h.sh_addralign(e).max(1);
        if alloc && !align.is_power_of_two() {
            return Err(damaged(format!("section {name} has alignment {align}")));
        }
        if alloc && (size > MAX_SIZE || align > MAX_SIZE) {
            return Err(too_large(&format!("section {name}"), size, align));
        }
        if alloc && flags & elf::SHF_COMPRESSED.0 != 0 {
            return Err(damaged(format!("section {name} is loaded and compressed")));
        }
        let data: &[u8] = if alloc {
            h.data(e, self.data).map_err(damaged)?
        } else {
            &[]
        };
        let kind = h.sh_type(e).0;
        if alloc && kind != elf::SHT_NOBITS.0 && data.len() as u64 != size {
            return Err(damaged(format!("section {name} is cut off")));
        }
        Ok(Section {
            name,
            kind,
            flags,
            size,
            align,
            entsize: h.sh_entsize(e),
            data: Cow::Borrowed(data),
            relocs: Cow::Borrowed(&[]),
        })
    }

    fn symbol(
        &self,
        index: SymbolIndex,
        s: &'d elf::Sym64<Endianness>,
        sections: &[Section<'d>],
    ) -> Step<Symbol<'d>> {
        let e = self.endian;
        let name = text(self.symbols.symbol_name(e, s).map_err(damaged)?);
        let shndx = s.st_shndx(e);
        let def = match shndx {
            elf::SHN_UNDEF => Def::Undefined,
            elf::SHN_ABS => Def::Absolute,
            elf::SHN_COMMON => Def::Common,
            _ => match self.symbols.symbol_section(e, s, index).map_err(damaged)? {
                Some(SectionIndex(i)) if i < sections.len() => Def::Section(i as u32),
                _ => return Err(damaged(format!("symbol {name} lies in an unknown section"))),
            },
        };
        let (value, size) = (s.st_value(e), s.st_size(e));
        let within = match def {
            Def::Section(i) => value <= sections[i as usize].size || !sections[i as usize].alloc(),
            Def::Common if size > MAX_SIZE || value > MAX_SIZE => {
                return Err(too_large(&name, size, value));
            }
            _ => true,
        };
        if !within {
            return Err(damaged(format!("symbol {name} lies outside its section")));
        }
        let bind = match s.st_bind() {
            elf::STB_LOCAL => Bind::Local,
            // GNU_UNIQUE (C++ inline statics): one of many equal definitions.
            elf::STB_WEAK | elf::STB_GNU_UNIQUE => Bind::Weak,
            _ => Bind::Global,
        };
        let kind = match s.st_type() {
            elf::STT_FUNC => SymbolKind::Func,
            elf::STT_OBJECT | elf::STT_COMMON => SymbolKind::Object,
            elf::STT_SECTION => SymbolKind::Section,
            elf::STT_TLS => SymbolKind::Tls,
            elf::STT_GNU_IFUNC => SymbolKind::IFunc,
            _ => SymbolKind::None,
        };
        let visibility = match s.st_visibility() {
            elf::STV_DEFAULT | elf::STV_PROTECTED => Visibility::Default,
            _ => Visibility::Hidden,
        };
        let (name, default_version) = versioned(name);
        Ok(Symbol {
            name,
            default_version,
            bind,
            kind,
            visibility,
            def,
            value,
            size,
        })
    }

    fn relocations(&self, sections: &mut [Section<'d>], symbols: usize) -> Step<()> {
        let e = self.endian;
        for h in self.sections.iter() {
            let target = h.sh_info(e) as usize;
            let kind = h.sh_type(e);
            let relocates = kind == elf::SHT_RELA || kind == elf::SHT_REL;
            if !relocates || !sections.get(target).is_some_and(Section::alloc) {
                continue;
            }
            let section = &mut sections[target];
            if kind == elf::SHT_REL {
                return Err(damaged(format!(
                    "section {} has relocations without addends",
                    section.name
                )));
            }
            let mut relocs = Reloc::all(h.data_as_array(e, self.data).map_err(damaged)?);
            let size = section.size.max(1);
            let valid = |r: &&Reloc| (r.symbol as usize) < symbols && r.offset < size;
            if let Some(reloc) = relocs.iter().find(|r| !valid(r)) {
                let offset = reloc.offset;
                return Err(damaged(format!(
                    "a relocation of section {} at {offset:#x} is out of range",
                    section.name
                )));
            }
            // Two tables of one section are rare, and so are such that are not in order.
            if !section.relocs.is_empty() {
                relocs.to_mut().splice(0..0, section.relocs.iter().copied());
            }
            if !relocs.is_sorted_by_key(|r| r.offset) {
                relocs.to_mut().sort_by_key(|r| r.offset);
            }
            section.relocs = relocs;
        }
        Ok(())
    }

    fn groups(&self, symbols: &[Symbol<'d>], sections: usize) -> Step<Vec<Group<'d>>> {
        let e = self.endian;
        let mut groups = Vec::new();
        for h in self.sections.iter() {
            let Some((flag, members)) = h.group(e, self.data).map_err(damaged)? else {
                continue;
            };
            let Some(symbol) = symbols.get(h.sh_info(e) as usize) else {
                return Err(damaged("a section group names an unknown symbol"));
            };
            let members: Vec<u32> = members.iter().map(|m| m.get(e)).collect();
            if members.iter().any(|m| *m as usize >= sections) {
                return Err(damaged("a section group names an unknown section"));
            }
            groups.push(Group {
                signature: symbol.name.clone(),
                comdat: flag == elf::GRP_COMDAT,
                sections: members,
            });
        }
        Ok(groups)
    }

    /// rustc's line in `.comment` (LLVM's `llvm.ident`), e.g. `rustc version 1.95.0 (59807616e 2026-04-14)`. Before 1.74 rustc wrote none; debug
    /// information names the producer then, `clang LLVM (rustc version 1.70.0 (90c541806 2023-05-31))`.
    fn rustc(&self) -> Option<String> {
        let contents = |name: &[u8]| {
            let (_, header) = self.sections.section_by_name(self.endian, name)?;
            header.data(self.endian, self.data).ok()
        };
        let line = |data: &'d [u8], before: &str, after: &str| {
            data.split(|b| *b == 0)
                .filter_map(|line| std::str::from_utf8(line).ok())
                .find_map(|line| line.strip_prefix(before)?.strip_suffix(after))
                .map(str::to_owned)
        };
        match contents(b".comment") {
            Some(comment) => line(comment, "rustc version ", ""),
            None => line(contents(b".debug_str")?, "clang LLVM (rustc version ", ")"),
        }
    }
}
