//! A writer of small ELF files that lets a test break any rule.

use crate::provenance::{self, FORMAT, Header};

pub const PAGE: u64 = 4096;
pub const EM_X86_64: u16 = 62;
pub const LOCAL_FUNC: u8 = 0x02;
pub const WEAK_FUNC: u8 = 0x22;

pub struct Section {
    pub name: &'static str,
    pub kind: u32,
    pub flags: u64,
    pub align: u64,
    pub data: Vec<u8>,
}

#[derive(Clone)]
pub struct Symbol {
    pub name: String,
    pub info: u8,
    pub other: u8,
    pub section: u16,
    pub value: u64,
    pub size: u64,
}

/// A relocatable object. The image is section 1; the symbol table and the string table come after all of these.
pub struct Object {
    pub class: u8,
    pub kind: u16,
    pub machine: u16,
    pub sections: Vec<Section>,
    pub symbols: Vec<Symbol>,
    pub sh_info: Option<u32>,
    pub symtab: &'static str,
}

/// An image of two fixed pages and a writable one, its header filled in.
pub fn image(package: &str) -> Vec<u8> {
    let mut image: Vec<u8> = (0..3 * PAGE).map(|i| (i * 7) as u8).collect();
    seal(&mut image, 2 * PAGE, package);
    image
}

/// Writes the header of an image.
pub fn seal(image: &mut [u8], fixed_size: u64, package: &str) {
    let header = Header {
        format: FORMAT,
        image_size: image.len() as u64,
        fixed_size,
        rsyso: "0.1.0".into(),
        rustc: "rustc 1.95.0".into(),
        inputs_sha256: [1; 32],
        fixed_sha256: [0; 32],
        writable_sha256: [0; 32],
        package: package.into(),
        crates: 0..0,
    };
    provenance::write(&header, image).expect("a good header");
}

pub fn local(name: &str, value: u64, size: u64) -> Symbol {
    Symbol {
        name: name.into(),
        info: LOCAL_FUNC,
        other: 0,
        section: 1,
        value,
        size,
    }
}

pub fn global(name: &str, value: u64, size: u64) -> Symbol {
    Symbol {
        info: WEAK_FUNC,
        other: 2,
        ..local(name, value, size)
    }
}

/// An object that keeps every rule.
pub fn good() -> Object {
    Object {
        class: 2,
        kind: 1,
        machine: EM_X86_64,
        sections: vec![
            Section {
                name: ".text",
                kind: 1,
                flags: 6,
                align: PAGE,
                data: image("example.com/foo"),
            },
            Section {
                name: ".note.GNU-stack",
                kind: 1,
                flags: 0,
                align: 1,
                data: Vec::new(),
            },
        ],
        symbols: vec![
            local("foo.header", 0, 512),
            local("foo::add", 512, PAGE - 512),
            local("foo::TABLE", PAGE + 64, PAGE - 64),
            local("foo::STATE", 2 * PAGE, PAGE),
            global("rsyso_0123456789abcdef_add", PAGE, 64),
        ],
        sh_info: None,
        symtab: ".symtab",
    }
}

/// A string table that grows.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, s: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend(s.as_bytes());
        self.0.push(0);
        at
    }
}

fn file_header(class: u8, kind: u16, machine: u16) -> Vec<u8> {
    let mut out = b"\x7fELF".to_vec();
    out.extend([class, 1, 1, 0]);
    out.resize(16, 0);
    out.extend(kind.to_le_bytes());
    out.extend(machine.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out.resize(64, 0);
    out[52..54].copy_from_slice(&64u16.to_le_bytes());
    out
}

impl Object {
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = file_header(self.class, self.kind, self.machine);
        let mut names = Strings(vec![0]);
        let mut headers = vec![[0u64; 9]];
        let mut section =
            |out: &mut Vec<u8>, names: &mut Strings, s: &Section, link, info, entry| {
                headers.push([
                    names.add(s.name).into(),
                    s.kind.into(),
                    s.flags,
                    out.len() as u64,
                    s.data.len() as u64,
                    link,
                    info,
                    s.align,
                    entry,
                ]);
                out.extend(&s.data);
            };
        for s in &self.sections {
            section(&mut out, &mut names, s, 0, 0, 0);
        }
        let symtab = self.sections.len() as u64 + 1;
        let locals = self.symbols.iter().filter(|s| s.info >> 4 == 0).count() as u32;
        let mut table = Section {
            name: self.symtab,
            kind: 2,
            flags: 0,
            align: 8,
            data: vec![0; 24],
        };
        for s in &self.symbols {
            table.data.extend(names.add(&s.name).to_le_bytes());
            table.data.extend([s.info, s.other]);
            table.data.extend(s.section.to_le_bytes());
            table.data.extend(s.value.to_le_bytes());
            table.data.extend(s.size.to_le_bytes());
        }
        let info = self.sh_info.unwrap_or(locals + 1);
        section(&mut out, &mut names, &table, symtab + 1, info.into(), 24);
        let name = names.add(".strtab");
        headers.push([
            name.into(),
            3,
            0,
            out.len() as u64,
            names.0.len() as u64,
            0,
            0,
            1,
            0,
        ]);
        out.extend(&names.0);
        let at = out.len() as u64;
        out[40..48].copy_from_slice(&at.to_le_bytes());
        out[58..60].copy_from_slice(&64u16.to_le_bytes());
        out[60..62].copy_from_slice(&(headers.len() as u16).to_le_bytes());
        out[62..64].copy_from_slice(&(symtab as u16 + 1).to_le_bytes());
        for [name, kind, flags, offset, size, link, info, align, entry] in headers {
            out.extend((name as u32).to_le_bytes());
            out.extend((kind as u32).to_le_bytes());
            out.extend(flags.to_le_bytes());
            out.extend(0u64.to_le_bytes());
            out.extend(offset.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend((link as u32).to_le_bytes());
            out.extend((info as u32).to_le_bytes());
            out.extend(align.to_le_bytes());
            out.extend(entry.to_le_bytes());
        }
        out
    }
}

/// A program of one loaded segment.
pub struct Program {
    pub kind: u16,
    pub flags: u32,
    pub address: u64,
    /// Where the segment begins in the file.
    pub offset: u64,
    pub size: Option<u64>,
    pub text: Vec<u8>,
}

/// A program with a page of its own code and two images.
pub fn good_program() -> Program {
    let mut text = vec![0x90; PAGE as usize];
    text.extend(image("example.com/foo"));
    text.extend(image("example.com/bar"));
    text.extend([0x90; 100]);
    Program {
        kind: 2,
        flags: 5,
        address: 0x40_1000,
        offset: PAGE,
        size: None,
        text,
    }
}

impl Program {
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = file_header(2, self.kind, EM_X86_64);
        out[32..40].copy_from_slice(&64u64.to_le_bytes());
        out[54..56].copy_from_slice(&56u16.to_le_bytes());
        out[56..58].copy_from_slice(&1u16.to_le_bytes());
        let size = self.size.unwrap_or(self.text.len() as u64);
        out.extend(1u32.to_le_bytes());
        out.extend(self.flags.to_le_bytes());
        for word in [self.offset, self.address, self.address, size, size, PAGE] {
            out.extend(word.to_le_bytes());
        }
        out.resize(self.offset as usize, 0);
        out.extend(&self.text);
        out
    }
}
