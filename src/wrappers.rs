//! The wrappers as one more object of the link: a section, a global function and references for each export.

use crate::arch::{Arch, Code, rt_symbols};
use crate::diag::{Error, Kind, Problem, Result};
use crate::goabi;
use crate::input::{Bind, Def, Object, Reloc, Section, Symbol, SymbolKind, Visibility};
use crate::model::{Api, Function, Int, Param, PointerKind, Type};
use crate::sig::owned::FREE;
use ::object::elf;
use gimli::LittleEndian;
use gimli::constants::{DW_EH_PE_pcrel, DW_EH_PE_sdata4, DwEhPe};
use gimli::write::{
    Address, CallFrameInstruction, EhFrame, EndianVec, FrameDescriptionEntry, FrameTable,
    RelocateWriter, Relocation, RelocationTarget,
};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// Names of the wrappers of one package. They never collide between two packages of a program, nor between two versions of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// `identity` is the package's import path (its name when the path is unknown); the rest makes versions differ.
    pub fn new(identity: &str, inputs: &[u8; 32], stack_size: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(identity.as_bytes());
        hash.update([0]);
        hash.update(inputs);
        hash.update(stack_size.to_le_bytes());
        hash.update(env!("CARGO_PKG_VERSION").as_bytes());
        let hex: String = hash.finalize()[..8]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Names {
            prefix: format!("rsyso_{hex}_"),
        }
    }

    /// The wrapper of an export.
    pub fn wrapper(&self, export: &str) -> String {
        format!("{}{export}", self.prefix)
    }
}

/// Assembles the wrappers of all functions, and their unwind table. Section `i + 1` is the wrapper of function `i`; those of what
/// frees a panic's text and owned memory follow, and the table comes last.
pub fn object(api: &Api, arch: &dyn Arch, names: &Names) -> Result<Object<'static>> {
    let mut w = Assembly {
        object: Object::synthetic("<wrappers>", arch.machine()),
        symbols: HashMap::new(),
        frames: Vec::new(),
    };
    let mut problems = Vec::new();
    let own = [Some(forget()), api.gives_memory().then(free)];
    for function in api.functions.iter().chain(own.iter().flatten()) {
        let frame = goabi::frame(api, function);
        match arch.wrapper(api, function, &frame) {
            Ok(code) => w.add(&function.symbol, code, names),
            Err(what) => {
                let problem = Problem::new(format!(
                    "{} cannot be called from Go: {what}",
                    function.symbol
                ))
                .help("change the signature, or leave the function out with --export");
                problems.push(match &function.source {
                    Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
                    None => problem,
                });
            }
        }
    }
    Error::check(Kind::Unsupported, problems, ())?;
    w.unwind_table(arch)?;
    Ok(w.object)
}

/// The runtime's function that frees what Go was told of a panic, for Go to call.
pub fn forget() -> Function {
    Function {
        symbol: rt_symbols::FORGET.to_owned(),
        params: vec![Param {
            name: "departure".to_owned(),
            ty: Type::Pointer {
                to: None,
                kind: PointerKind::Mut,
            },
        }],
        result: None,
        doc: String::new(),
        source: None,
        path: String::new(),
        blocking: false,
    }
}

/// The function of `rsyso-ffi` that frees what the library gave away, for Go to call.
pub fn free() -> Function {
    let size = |name: &str| Param {
        name: name.to_owned(),
        ty: Type::Int(Int::Usize),
    };
    let mut function = Function {
        symbol: FREE.to_owned(),
        ..forget()
    };
    if let Some(pointer) = function.params.first_mut() {
        pointer.name = "ptr".to_owned();
    }
    function.params.extend([size("size"), size("align")]);
    function
}

struct Assembly {
    object: Object<'static>,
    /// Undefined symbols by name.
    symbols: HashMap<String, u32>,
    frames: Vec<WrapperFrame>,
}

/// What the unwind table says of one wrapper.
struct WrapperFrame {
    /// The symbol of its section.
    symbol: u32,
    /// Bytes of code.
    size: u32,
    /// How the frame changes, by offset.
    changes: Vec<(u32, CallFrameInstruction)>,
}

impl Assembly {
    /// The symbol of something that others define.
    fn undefined(&mut self, name: String) -> u32 {
        let next = self.object.symbols.len() as u32;
        let symbol = *self.symbols.entry(name.clone()).or_insert(next);
        if symbol == next {
            let undefined = global(name, SymbolKind::None, Def::Undefined, 0);
            self.object.symbols.push(undefined);
        }
        symbol
    }

    fn add(&mut self, export: &str, code: Code, names: &Names) {
        let size = code.bytes.len() as u64;
        let mut relocs: Vec<Reloc> = Vec::with_capacity(code.refs.len());
        for r in code.refs {
            relocs.push(Reloc {
                offset: r.offset,
                r_type: r.r_type,
                symbol: self.undefined(r.symbol),
                addend: r.addend,
            });
        }
        relocs.sort_by_key(|r| r.offset);
        let section = self.object.sections.len() as u32;
        self.object.sections.push(Section {
            name: Cow::Owned(format!(".text.{}", names.wrapper(export))),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0,
            size,
            align: 16,
            entsize: 0,
            data: Cow::Owned(code.bytes),
            relocs,
        });
        // The record of its frame refers to the section: names like the wrapper's own are nobody's to refer to.
        let place = self.object.symbols.len() as u32;
        self.frames.push(WrapperFrame {
            symbol: place,
            size: size as u32,
            changes: code.frame,
        });
        self.object.symbols.push(Symbol {
            bind: Bind::Local,
            ..global(String::new(), SymbolKind::Section, Def::Section(section), 0)
        });
        self.object.symbols.push(global(
            names.wrapper(export),
            SymbolKind::Func,
            Def::Section(section),
            size,
        ));
    }

    /// The section that says how to unwind the wrappers: to the personality, and no further.
    fn unwind_table(&mut self, arch: &dyn Arch) -> Result<()> {
        const RELATIVE: DwEhPe = DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0);
        let symbol = |symbol: u32| Address::Symbol {
            symbol: symbol as usize,
            addend: 0,
        };
        let (mut common, r_type) = arch.frame_at_entry();
        let personality = self.undefined(rt_symbols::PERSONALITY.to_owned());
        common.personality = Some((RELATIVE, symbol(personality)));
        common.fde_address_encoding = RELATIVE;
        let mut table = FrameTable::default();
        let common = table.add_cie(common);
        for wrapper in std::mem::take(&mut self.frames) {
            let mut record = FrameDescriptionEntry::new(symbol(wrapper.symbol), wrapper.size);
            for (offset, now) in wrapper.changes {
                record.add_instruction(offset, now);
            }
            table.add_fde(common, record);
        }
        let mut section = EhFrame(Relocated::default());
        table.write_eh_frame(&mut section).map_err(|e| {
            Error::fault(Problem::new(format!(
                "cannot write the unwind table of the wrappers: {e}"
            )))
        })?;
        let Relocated { bytes, relocs } = section.0;
        let bytes = bytes.into_vec();
        self.object.sections.push(Section {
            name: Cow::Borrowed(".eh_frame"),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0,
            size: bytes.len() as u64,
            align: 8,
            entsize: 0,
            data: Cow::Owned(bytes),
            relocs: relocs.into_iter().map(|r| Reloc { r_type, ..r }).collect(),
        });
        Ok(())
    }
}

/// Bytes, and the places in them that refer to symbols.
struct Relocated {
    bytes: EndianVec<LittleEndian>,
    relocs: Vec<Reloc>,
}

impl Default for Relocated {
    fn default() -> Self {
        Relocated {
            bytes: EndianVec::new(LittleEndian),
            relocs: Vec::new(),
        }
    }
}

impl RelocateWriter for Relocated {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, r: Relocation) {
        if let RelocationTarget::Symbol(symbol) = r.target {
            self.relocs.push(Reloc {
                offset: r.offset as u64,
                r_type: 0,
                symbol: symbol as u32,
                addend: r.addend,
            });
        }
    }
}

fn global(name: String, kind: SymbolKind, def: Def, size: u64) -> Symbol<'static> {
    Symbol {
        name: Cow::Owned(name),
        bind: Bind::Global,
        kind,
        visibility: Visibility::Default,
        def,
        value: 0,
        size,
    }
}
