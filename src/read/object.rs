//! One ELF relocatable object, checked once and for all: every index and range in the tables below is valid.

use super::Member;
use ::object::elf;
use ::object::pod::Pod;
use std::borrow::Cow;
use std::sync::OnceLock;

/// A parsed object.
#[derive(Clone, Debug)]
pub struct Object<'d> {
    /// For messages: `libfoo.a(member.o)`.
    pub name: String,
    /// The file's own bytes; empty for objects made by rsyso.
    pub data: &'d [u8],
    /// `e_machine`.
    pub machine: u16,
    /// Pulled in only when it defines something that is needed.
    pub lazy: bool,
    /// By ELF section index.
    pub sections: Vec<Section<'d>>,
    /// By ELF symbol index.
    pub symbols: Vec<Symbol<'d>>,
    /// Section groups.
    pub groups: Vec<Group<'d>>,
    /// The compiler's version as it says itself, if rustc made it; empty where it does not say.
    pub rustc: Option<String>,
    /// The crate, as archive members of rustc name it (`std-d1237ef7159db0a2.std....o` -> `std`).
    pub krate: Option<String>,
    /// A member of a libc that rustc bundled (musl targets name theirs `*.lo`).
    pub bundled_libc: bool,
    /// The symbols that lie in sections, as (section, symbol), sorted. Made when first asked for, by when all symbols are there.
    pub(super) by_section: OnceLock<Vec<(u32, u32)>>,
}

/// A section.
#[derive(Debug, Clone)]
pub struct Section<'d> {
    /// Its name.
    pub name: Cow<'d, str>,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// Bytes in memory.
    pub size: u64,
    /// A power of two.
    pub align: u64,
    /// `sh_entsize`.
    pub entsize: u64,
    /// Empty for NOBITS and for sections that are not loaded.
    pub data: Cow<'d, [u8]>,
    /// In order of offset; only of loaded sections.
    pub relocs: Cow<'d, [Reloc]>,
}

impl Section<'_> {
    /// Read-only data that refers to nothing.
    pub fn read_only(name: &str, bytes: Vec<u8>) -> Section<'static> {
        Section {
            name: Cow::Owned(name.to_owned()),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0,
            size: bytes.len() as u64,
            align: 1,
            entsize: 0,
            data: Cow::Owned(bytes),
            relocs: Cow::Borrowed(&[]),
        }
    }

    /// Whether it is loaded at run time.
    pub fn alloc(&self) -> bool {
        self.flags & elf::SHF_ALLOC.0 != 0
    }
    /// Whether it holds code.
    pub fn exec(&self) -> bool {
        self.flags & elf::SHF_EXECINSTR.0 != 0
    }
    /// Whether it is written at run time.
    pub fn write(&self) -> bool {
        self.flags & elf::SHF_WRITE.0 != 0
    }
    /// Whether it is a part of the thread-local template.
    pub fn tls(&self) -> bool {
        self.flags & elf::SHF_TLS.0 != 0
    }
    /// Whether equal elements may be merged.
    pub fn merge(&self) -> bool {
        self.flags & elf::SHF_MERGE.0 != 0 && self.entsize > 0
    }
    /// Whether it is all zeros and takes no room in the file.
    pub fn nobits(&self) -> bool {
        self.kind == elf::SHT_NOBITS.0
    }
    /// Whether it holds unwind tables.
    pub fn eh_frame(&self) -> bool {
        self.name == ".eh_frame" && self.alloc()
    }
}

/// A RELA entry, laid out as in a file of little endian (ELF gABI, "Relocation"; `r_info` has the type in its lower half), where it may have any
/// alignment: of a library, most are never looked at, and those of the others are read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct Reloc {
    /// In the section.
    pub offset: u64,
    /// The machine's type.
    pub r_type: u32,
    /// Index of the symbol.
    pub symbol: u32,
    /// Explicit addend.
    pub addend: i64,
}

// SAFETY: it consists of integers without room between them, so any 24 bytes at any place are one.
unsafe impl Pod for Reloc {}

impl Reloc {
    /// The entries of a file in place, or copies where this machine reads numbers in another order.
    pub(super) fn all(raw: &[Reloc]) -> Cow<'_, [Reloc]> {
        let swapped = |r: &Reloc| Reloc {
            offset: r.offset.swap_bytes(),
            r_type: r.r_type.swap_bytes(),
            symbol: r.symbol.swap_bytes(),
            addend: r.addend.swap_bytes(),
        };
        match cfg!(target_endian = "little") {
            true => Cow::Borrowed(raw),
            false => raw.iter().map(swapped).collect(),
        }
    }
}

/// `st_info`'s binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Bind {
    Local,
    Global,
    Weak,
}

/// `st_other`'s visibility, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Visibility {
    Default,
    Hidden,
}

/// `st_info`'s type, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SymbolKind {
    None,
    Func,
    Object,
    Section,
    Tls,
    IFunc,
}

/// Where a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Def {
    /// Somewhere else.
    Undefined,
    /// A number.
    Absolute,
    /// A tentative definition: `value` is the alignment, `size` the bytes.
    Common,
    /// In a section of this object.
    Section(u32),
}

/// A symbol.
#[derive(Debug, Clone)]
pub struct Symbol<'d> {
    /// Its name, with its version (`name@VERSION`) if it has one.
    pub name: Cow<'d, str>,
    /// Whether it is the default version of its name: what references without a version mean.
    pub default_version: bool,
    /// Its binding.
    pub bind: Bind,
    /// Its type.
    pub kind: SymbolKind,
    /// Its visibility.
    pub visibility: Visibility,
    /// Where it is.
    pub def: Def,
    /// `st_value`.
    pub value: u64,
    /// `st_size`.
    pub size: u64,
}

/// A section group.
#[derive(Clone, Debug)]
pub struct Group<'d> {
    /// Groups with one signature are kept once.
    pub signature: Cow<'d, str>,
    /// Whether it is a COMDAT group.
    pub comdat: bool,
    /// Its sections.
    pub sections: Vec<u32>,
}

impl<'d> Object<'d> {
    /// An object made by rsyso itself.
    pub fn synthetic(name: &str, machine: u16) -> Object<'static> {
        let null = Symbol {
            name: Cow::Borrowed(""),
            default_version: false,
            bind: Bind::Local,
            kind: SymbolKind::None,
            visibility: Visibility::Default,
            def: Def::Undefined,
            value: 0,
            size: 0,
        };
        Object {
            name: name.to_owned(),
            data: &[],
            machine,
            lazy: false,
            sections: vec![Section::null()],
            symbols: vec![null],
            groups: Vec::new(),
            rustc: None,
            krate: None,
            bundled_libc: false,
            by_section: OnceLock::new(),
        }
    }

    /// The symbols that lie in a section, in their order.
    pub fn symbols_of(&self, section: u32) -> impl Iterator<Item = &Symbol<'d>> {
        let index = self.by_section.get_or_init(|| {
            let symbols = self.symbols.iter().enumerate();
            let placed = symbols.filter_map(|(i, s)| match s.def {
                Def::Section(section) => Some((section, i as u32)),
                _ => None,
            });
            let mut index: Vec<_> = placed.collect();
            index.sort_unstable();
            index
        });
        let from = index.partition_point(|(sec, _)| *sec < section);
        let of_section = index
            .iter()
            .skip(from)
            .take_while(move |(sec, _)| *sec == section);
        of_section.filter_map(|(_, symbol)| self.symbols.get(*symbol as usize))
    }

    /// Notes what the member's name tells.
    pub fn member(mut self, member: &Member) -> Self {
        self.krate = crate_of(&member.member);
        // A unit of code generation (rustc_codegen_ssa, `RUST_CGU_EXT`), of a rustc that left no line of its own.
        if self.rustc.is_none() && member.member.ends_with(".rcgu.o") {
            self.rustc = Some(String::new());
        }
        self.bundled_libc = member.member.ends_with(".lo");
        self
    }

    /// The place of a byte, for messages.
    pub fn place(&self, section: u32, offset: u64) -> String {
        let section = self
            .sections
            .get(section as usize)
            .map_or("?", |s| &*s.name);
        format!("{}:({section}+{offset:#x})", self.name)
    }
}

impl Section<'static> {
    fn null() -> Self {
        Section {
            name: Cow::Borrowed(""),
            kind: 0,
            flags: 0,
            size: 0,
            align: 1,
            entsize: 0,
            data: Cow::Borrowed(&[]),
            relocs: Cow::Borrowed(&[]),
        }
    }
}

/// `std-d1237ef7159db0a2.std.e28293b1aa0f68bd-cgu.0.rcgu.o` -> `std`.
fn crate_of(member: &str) -> Option<String> {
    let (krate, rest) = member.split_once('.')?;
    if !rest.ends_with(".o") {
        return None;
    }
    match krate.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Some(name.to_owned())
        }
        _ => Some(krate.to_owned()),
    }
}
