//! Objects of one kind of thing, as many of it as asked for: where a stage looks through all of them for each of them, it shows.

use std::fmt::Write as _;

use object::write::{
    Object, Relocation, SectionId, StandardSection, Symbol, SymbolFlags, SymbolId, SymbolSection,
};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind, SymbolKind,
    SymbolScope, elf,
};

/// What there are many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Many {
    /// Sections of one function each, all reached.
    Sections,
    /// Sections that nothing reaches.
    DeadSections,
    /// Functions in one section, with an unwind record each.
    Records,
    /// Local symbols of one section.
    Symbols,
    /// Names that are asked for and defined in the same library.
    Names,
    /// Pointers in one table.
    Pointers,
    /// Calls in one function.
    Calls,
    /// Strings in one section of merged strings.
    Strings,
    /// Members of an archive, all needed.
    Members,
    /// Exported functions.
    Exports,
}

impl Many {
    /// All kinds, each with the largest number that is tried.
    pub const ALL: &[(Many, usize)] = &[
        (Many::Sections, 1_000_000),
        (Many::DeadSections, 1_000_000),
        (Many::Records, 1_000_000),
        (Many::Symbols, 1_000_000),
        (Many::Names, 1_000_000),
        (Many::Pointers, 1_000_000),
        (Many::Calls, 1_000_000),
        (Many::Strings, 1_000_000),
        (Many::Members, 100_000),
        (Many::Exports, 10_000),
    ];
}

/// An input and the header that declares what it exports.
pub struct Input {
    /// The members of an archive.
    pub members: Vec<(String, Vec<u8>)>,
    /// C declarations.
    pub header: String,
}

const RET: u8 = 0xc3;

/// Makes an input with `n` of them.
pub fn input(many: Many, n: usize) -> Input {
    let mut main = Builder::new();
    let mut header = "int entry(void);\n".to_owned();
    let mut members = Vec::new();
    let entry = main.function("entry", SymbolScope::Dynamic);
    match many {
        Many::Sections => {
            for i in 0..n {
                let function = main.function(&format!("f{i}"), SymbolScope::Compilation);
                main.point(entry.0, function.1);
            }
        }
        Many::DeadSections => {
            for i in 0..n {
                main.function(&format!("f{i}"), SymbolScope::Compilation);
            }
        }
        Many::Records => main.records(entry, n),
        Many::Symbols => {
            for i in 0..n {
                main.code(entry.0, &[RET]);
                main.symbol(
                    &format!("s{i}"),
                    entry.0,
                    i as u64 + 1,
                    1,
                    SymbolScope::Compilation,
                );
            }
        }
        Many::Names => {
            for i in 0..n {
                let at = main.code(entry.0, &[RET]);
                let name = format!("library_name_{i}");
                let symbol = main.symbol(&name, entry.0, at, 1, SymbolScope::Linkage);
                main.point(entry.0, symbol);
            }
        }
        Many::Pointers => (0..n).for_each(|_| main.point(entry.0, entry.1)),
        Many::Calls => {
            for _ in 0..n {
                let at = main.code(entry.0, &[0xe8, 0, 0, 0, 0]);
                main.reloc(entry.0, at + 1, entry.1, -4, elf::R_X86_64_PLT32);
            }
        }
        Many::Strings => main.strings(entry.0, n),
        Many::Members => {
            for i in 0..n {
                let name = format!("member_{i}");
                let asked = main.undefined(&name);
                main.point(entry.0, asked);
                let mut member = Builder::new();
                member.function(&name, SymbolScope::Linkage);
                members.push((format!("{name}.o"), member.finish()));
            }
        }
        Many::Exports => {
            for i in 0..n {
                main.function(&format!("export_{i}"), SymbolScope::Dynamic);
                writeln!(header, "int export_{i}(int a);").unwrap();
            }
        }
    }
    members.insert(0, ("main.o".to_owned(), main.finish()));
    Input { members, header }
}

struct Builder {
    object: Object<'static>,
    /// A table of pointers that the entry leads to.
    table: Option<SectionId>,
}

impl Builder {
    fn new() -> Self {
        Builder {
            object: Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little),
            table: None,
        }
    }

    fn finish(self) -> Vec<u8> {
        self.object.write().unwrap()
    }

    /// A function in a section of its own, which returns at once.
    fn function(&mut self, name: &str, scope: SymbolScope) -> (SectionId, SymbolId) {
        let section = self.object.add_section(
            Vec::new(),
            format!(".text.{name}").into_bytes(),
            SectionKind::Text,
        );
        self.object.append_section_data(section, &[RET], 1);
        (section, self.symbol(name, section, 0, 1, scope))
    }

    fn code(&mut self, section: SectionId, bytes: &[u8]) -> u64 {
        self.object.append_section_data(section, bytes, 1)
    }

    fn symbol(
        &mut self,
        name: &str,
        section: SectionId,
        value: u64,
        size: u64,
        scope: SymbolScope,
    ) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size,
            kind: SymbolKind::Text,
            scope,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        })
    }

    fn undefined(&mut self, name: &str) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Unknown,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        })
    }

    fn reloc(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        addend: i64,
        r_type: elf::RelocationType,
    ) {
        let flags = RelocationFlags::Elf { r_type };
        self.object
            .add_relocation(
                section,
                Relocation {
                    offset,
                    symbol,
                    addend,
                    flags,
                },
            )
            .unwrap();
    }

    /// Adds a pointer to the table that a function leads to.
    fn point(&mut self, from: SectionId, to: SymbolId) {
        let table = match self.table {
            Some(table) => table,
            None => {
                let table = self.object.section_id(StandardSection::ReadOnlyDataWithRel);
                self.refer(from, table);
                *self.table.insert(table)
            }
        };
        let at = self.object.append_section_data(table, &[0; 8], 8);
        self.reloc(table, at, to, 0, elf::R_X86_64_64);
    }

    /// Has a function take the address of a section: `lea 0(%rip), %rax`.
    fn refer(&mut self, from: SectionId, to: SectionId) {
        let at = self.code(from, &[0x48, 0x8d, 0x05, 0, 0, 0, 0]);
        let symbol = self.object.section_symbol(to);
        self.reloc(from, at + 3, symbol, -4, elf::R_X86_64_PC32);
    }

    /// Functions behind the entry in its section, each with a record (LSB Core 5.0, 10.6).
    fn records(&mut self, (section, entry): (SectionId, SymbolId), n: usize) {
        let frames =
            self.object
                .add_section(Vec::new(), b".eh_frame".to_vec(), SectionKind::ReadOnlyData);
        // A CIE: version 1, "zR", code alignment 1, data alignment -8, return address in column 16, pointers relative to their place.
        let cie = [
            20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1,
            0, 0,
        ];
        self.object.append_section_data(frames, &cie, 8);
        for i in 0..n as i64 {
            self.code(section, &[RET]);
            let at = self.object.section_mut(frames).data().len() as u32;
            let mut fde = 20u32.to_le_bytes().to_vec();
            fde.extend((at + 4).to_le_bytes());
            fde.extend([0, 0, 0, 0, 1, 0, 0, 0]);
            fde.resize(24, 0);
            self.object.append_section_data(frames, &fde, 1);
            self.reloc(frames, u64::from(at) + 8, entry, i + 1, elf::R_X86_64_PC32);
        }
    }

    fn strings(&mut self, from: SectionId, n: usize) {
        let section = self.object.add_section(
            Vec::new(),
            b".rodata.str1.1".to_vec(),
            SectionKind::ReadOnlyString,
        );
        self.object.section_mut(section).flags = SectionFlags::Elf {
            sh_type: elf::SHT_PROGBITS,
            sh_flags: elf::SHF_ALLOC | elf::SHF_MERGE | elf::SHF_STRINGS,
        };
        for i in 0..n {
            // Every second one is there twice.
            let text = format!("a string, number {}\0", i / 2 * 2);
            let at = self.object.append_section_data(section, text.as_bytes(), 1);
            if i % 10 == 0 {
                let symbol =
                    self.symbol(&format!(".L{i}"), section, at, 1, SymbolScope::Compilation);
                self.point(from, symbol);
            }
        }
    }
}
