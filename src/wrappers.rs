//! The wrappers as one more object of the link: a section, a global function and references for each export, and for each Go function
//! that an export takes.

use crate::arch::{Arch, Code, DESTROY_CODE, GoFunction, POOL_CODE, kept_code, note};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::contract::symbols::{self, PART, WRAPPER};
use crate::model::goabi;
use crate::model::uses::{Call, Calls, Uses};
use crate::model::{Api, Function};
use crate::provenance::HEADER_SIZE;
use crate::read::{Bind, Def, Object, Reloc, Section, Symbol, SymbolKind, Visibility};
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

mod own;

pub use own::{POOL, begin, c_memory, due, forget, free, next, pool, settle};

/// The name of an export's wrapper inside the image. Go's assembler takes no `.` or `$` in a name (cmd/asm/internal/lex, `isIdentRune`): such
/// exports get a spelling without, and a hash that keeps them apart from others.
fn internal(export: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if export.chars().all(plain) {
        return format!("{WRAPPER}{export}");
    }
    let spelled: String = export
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let hash = hex(&Sha256::digest(export.as_bytes())[..4]);
    format!("{WRAPPER}{spelled}_{hash}")
}

/// What stands for the Go functions of an export, in order, inside the image.
fn callbacks(function: &Function) -> Vec<String> {
    let params = function.callbacks().enumerate();
    params
        .map(|(n, p)| format!("{}{PART}{n}{PART}{}", internal(&function.symbol), p.name))
        .collect()
}

/// Names of the wrappers as the rest of a program knows them: by a hash that covers the whole image, so that two names are equal only if the images are,
/// byte for byte, whatever options made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The names of an image that is complete, header included: that has the sums of all else.
    pub fn new(image: &[u8]) -> Self {
        let header = image.get(..HEADER_SIZE).unwrap_or(image);
        Names {
            prefix: format!("{PUBLIC}{}_", hex(&Sha256::digest(header)[..8])),
        }
    }

    /// The wrapper of an export.
    pub fn wrapper(&self, export: &str) -> String {
        self.public(&internal(export))
    }

    /// What the name of a wrapper inside the image is outside.
    pub fn public(&self, internal: &str) -> String {
        let name = internal.strip_prefix(WRAPPER).unwrap_or(internal);
        format!("{}{name}", self.prefix)
    }
}

/// What the names of wrappers begin with in a program, before the digits of the hash.
const PUBLIC: &str = "rsyso_";

/// Whether a name is of the form that [`Names`] gives. The number of digits may be that of another version.
pub fn is_public(name: &str) -> bool {
    let parts = name
        .strip_prefix(PUBLIC)
        .and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(digits, rest)| {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        digits.len() >= 8 && digits.bytes().all(hex) && !rest.is_empty()
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Assembles the wrappers of all functions, each with what stands for the Go functions that it takes, and their unwind table.
pub fn object(api: &Api, arch: &dyn Arch, calls: &Calls) -> Result<Object<'static>> {
    let mut w = Assembly {
        object: Object::synthetic("<wrappers>", arch.machine()),
        symbols: HashMap::new(),
        frames: Vec::new(),
    };
    let mut problems = Vec::new();
    let drained = match calls.any {
        true => Uses::Drained,
        false => Uses::None,
    };
    let own = [
        Some((forget(), drained)),
        calls.settles.then(|| (settle(), Uses::Settled)),
        api.gives_memory().then(|| (free(), Uses::None)),
        api.destroys().then(|| (due(), Uses::None)),
        api.keeps().then(|| (begin(), Uses::None)),
        api.keeps().then(|| (next(), Uses::None)),
        api.pooled().next().map(|_| (pool(), Uses::None)),
    ];
    let c_memory = c_memory().map(|f| (f, Uses::None));
    let c_memory = c_memory.into_iter().filter(|_| api.has_c_strings());
    let own: Vec<(Function, Call)> = own
        .into_iter()
        .flatten()
        .chain(c_memory)
        .map(|(f, uses)| {
            let frame = goabi::frame(api, &f);
            (f, Call { frame, uses })
        })
        .collect();
    let exports = api.functions().iter().zip(&calls.functions);
    for (function, call) in exports.chain(own.iter().map(|(f, call)| (f, call))) {
        if let Err(what) = w.export(api, arch, function, call) {
            let problem = Problem::new(format!(
                "{} cannot be called from Go: {what}",
                function.symbol
            ))
            .help(format!(
                "change the signature, or leave the function out with --export '!{}'",
                function.symbol
            ));
            problems.push(match &function.source {
                Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
                None => problem,
            });
        }
    }
    Error::check(Kind::Unsupported, problems, ())?;
    w.go_functions(api, arch)?;
    let returns = calls.functions.iter().any(|call| call.frame.callbacks);
    let entered = [
        Some(symbols::GO_ON),
        (returns || api.keeps()).then_some(symbols::RESUME),
        api.keeps().then_some(symbols::KEPT_RESUME),
        api.keeps().then_some(symbols::KEPT_UNWIND),
    ];
    for symbol in entered.into_iter().flatten() {
        let jump = arch
            .jump(symbol)
            .map_err(|what| Error::fault(Problem::new(format!("cannot reach {symbol}: {what}"))))?;
        w.add(internal(symbol), jump, Role::Wrapper);
    }
    w.unwind_table(arch)?;
    Ok(w.object)
}

struct Assembly {
    object: Object<'static>,
    /// What code refers to, by name; undefined until there is code for it.
    symbols: HashMap<String, u32>,
    frames: Vec<WrapperFrame>,
}

/// What a piece of code is, to the unwinder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Called by Go: here the way of an exception ends.
    Wrapper,
    /// Called by Rust: an exception goes through.
    Callback,
}

/// What the unwind table says of one wrapper.
struct WrapperFrame {
    role: Role,
    /// The symbol of its section.
    symbol: u32,
    /// Bytes of code.
    size: u32,
    /// How the frame changes, by offset.
    changes: Vec<(u32, CallFrameInstruction)>,
}

impl Assembly {
    /// The symbol of something that others define, or that comes later.
    fn symbol(&mut self, name: String) -> u32 {
        let next = self.object.symbols.len() as u32;
        let symbol = *self.symbols.entry(name.clone()).or_insert(next);
        if symbol == next {
            let undefined = global(name, SymbolKind::None, Def::Undefined, 0);
            self.object.symbols.push(undefined);
        }
        symbol
    }

    /// The code of one export.
    fn export(
        &mut self,
        api: &Api,
        arch: &dyn Arch,
        function: &Function,
        call: &Call,
    ) -> std::result::Result<(), String> {
        let codes = callbacks(function);
        let called = match function.is_static {
            true => self.address(arch, function)?,
            false => Cow::Borrowed(function),
        };
        let code = arch.wrapper(api, &called, &call.frame, &codes, &call.uses)?;
        if let Uses::Given { handles, .. } = &call.uses {
            for (given, slot) in handles.iter().zip(0..) {
                self.data(note(&function.symbol, slot), given.note_bytes());
            }
        }
        self.add(internal(&function.symbol), code, Role::Wrapper);
        for (which, (param, name)) in function.callbacks().zip(&codes).enumerate() {
            let given = GoFunction::given(&param.ty, which, &codes[0])?;
            let code = arch.go_function(api, &given)?;
            self.add(name.clone(), code, Role::Callback);
        }
        Ok(())
    }

    /// What the library calls in any call of Go's: functions that it keeps, functions that it calls by name, the destroy function.
    fn go_functions(&mut self, api: &Api, arch: &dyn Arch) -> Result<()> {
        let code = |function: std::result::Result<GoFunction<'_>, String>| {
            arch.go_function(api, &function?)
        };
        for (id, kept) in api.kept().iter().enumerate() {
            let code = code(GoFunction::kept(api, id)).map_err(|what| {
                let what = format!("{} cannot keep {}: {what}", kept.owner.name(), kept.name);
                Error::unsupported(Problem::new(what))
            })?;
            self.add(kept_code(kept), code, Role::Callback);
        }
        for (index, import) in api.imports().iter().enumerate() {
            let code = code(GoFunction::import(api, index)).map_err(|what| {
                let what = format!("{} cannot be imported: {what}", import.symbol);
                Error::unsupported(Problem::new(what))
            })?;
            self.add(import.symbol.clone(), code, Role::Callback);
        }
        if api.pooled().next().is_some() {
            let code = arch.pool(api).map_err(|what| {
                let what = format!("cannot make code for Go functions: {what}");
                Error::fault(Problem::new(what))
            })?;
            self.add(POOL_CODE.to_owned(), code, Role::Callback);
        }
        if api.destroys() {
            let code = code(Ok(GoFunction::destroy())).map_err(|what| {
                let what = format!("cannot make a destroy function: {what}");
                Error::fault(Problem::new(what))
            })?;
            self.add(DESTROY_CODE.to_owned(), code, Role::Callback);
        }
        Ok(())
    }

    /// What is called for the address of a static.
    fn address<'f>(
        &mut self,
        arch: &dyn Arch,
        function: &'f Function,
    ) -> std::result::Result<Cow<'f, Function>, String> {
        let symbol = format!("{}{PART}address", internal(&function.symbol));
        let code = arch.address(match function.symbol.as_str() {
            POOL => POOL_CODE,
            symbol => symbol,
        })?;
        self.add(symbol.clone(), code, Role::Callback);
        let getter = Function {
            symbol,
            ..function.clone()
        };
        Ok(Cow::Owned(getter))
    }

    /// Bytes that code refers to by a name.
    fn data(&mut self, name: String, bytes: Vec<u8>) {
        let section = self.object.sections.len() as u32;
        let bytes = Section::read_only(&format!(".rodata.{name}"), bytes);
        self.object.sections.push(bytes);
        self.place(name, section);
    }

    /// The symbol of a section, for what refers to it by a name, which is nobody else's to refer to.
    fn place(&mut self, name: String, section: u32) -> u32 {
        let place = self.symbol(name);
        self.object.symbols[place as usize] = Symbol {
            bind: Bind::Local,
            ..global(String::new(), SymbolKind::Section, Def::Section(section), 0)
        };
        place
    }

    fn add(&mut self, name: String, code: Code, role: Role) {
        let size = code.bytes.len() as u64;
        let mut relocs: Vec<Reloc> = Vec::with_capacity(code.refs.len());
        for r in code.refs {
            relocs.push(Reloc {
                offset: r.offset,
                r_type: r.r_type,
                symbol: self.symbol(r.symbol),
                addend: r.addend,
            });
        }
        relocs.sort_by_key(|r| r.offset);
        let section = self.object.sections.len() as u32;
        self.object.sections.push(Section {
            name: Cow::Owned(format!(".text.{name}")),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0,
            size,
            align: 16,
            entsize: 0,
            data: Cow::Owned(code.bytes),
            relocs: Cow::Owned(relocs),
        });
        // Its record in the unwind table, and other code.
        let place = self.place(name.clone(), section);
        self.frames.push(WrapperFrame {
            role,
            symbol: place,
            size: size as u32,
            changes: code.frame,
        });
        self.object
            .symbols
            .push(global(name, SymbolKind::Func, Def::Section(section), size));
    }

    /// The section that says how to unwind the wrappers: to the personality, and no further.
    fn unwind_table(&mut self, arch: &dyn Arch) -> Result<()> {
        const RELATIVE: DwEhPe = DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0);
        let symbol = |symbol: u32| Address::Symbol {
            symbol: symbol as usize,
            addend: 0,
        };
        let (mut common, r_type) = arch.frame_at_entry();
        common.fde_address_encoding = RELATIVE;
        let through = common.clone();
        let personality = self.symbol(symbols::PERSONALITY.to_owned());
        common.personality = Some((RELATIVE, symbol(personality)));
        let mut table = FrameTable::default();
        let common = table.add_cie(common);
        let through = table.add_cie(through);
        for wrapper in std::mem::take(&mut self.frames) {
            let mut record = FrameDescriptionEntry::new(symbol(wrapper.symbol), wrapper.size);
            for (offset, now) in wrapper.changes {
                record.add_instruction(offset, now);
            }
            let common = match wrapper.role {
                Role::Wrapper => common,
                Role::Callback => through,
            };
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
        default_version: false,
        bind: Bind::Global,
        kind,
        visibility: Visibility::Default,
        def,
        value: 0,
        size,
    }
}
