//! Objects by hand, and a link of them without wrappers and runtime.

use crate::arch::Linking;
use crate::arch::amd64::Amd64;
use crate::base::diag::Result;
use crate::link::inputs::Inputs;
use crate::link::layout::table::Layout;
use crate::link::symbols::Symbols;
use crate::link::{
    SecRef, Target, far, functions, layout, live, merge, order, plan, resolve, thunks, unwind,
    write,
};
use crate::read::{Files, Object};
use ::object::elf::RelocationType;
use ::object::write::{
    Comdat, Object as Elf, Relocation, SectionId, Symbol, SymbolId, SymbolSection,
};
use ::object::{
    Architecture, BinaryFormat, ComdatKind, Endianness, RelocationFlags, SectionKind, SymbolFlags,
    SymbolKind, SymbolScope,
};

pub const LANE_SIZE: u64 = 8 << 20;

/// One object: what to put in it, in order.
#[derive(Clone)]
pub struct Obj {
    name: String,
    pub lazy: bool,
    steps: Vec<Step>,
    sections: usize,
    /// Of an object that is there already.
    made: Option<Vec<u8>>,
}

#[derive(Clone)]
enum Step {
    Code(String, Vec<u8>),
    Data(String, String, Vec<u8>),
    Aligned(String, String, Vec<u8>, u64),
    Strings(String, Vec<u8>, u64),
    ThreadLocal(String, Vec<u8>),
    Common(String, u64, u64),
    Reloc(usize, u64, RelocationType, String, i64),
    Weaken(String),
    WeakUndefined(String),
    Group(String, Vec<usize>),
}

impl Obj {
    pub fn new(name: &str) -> Self {
        Obj {
            name: name.to_owned(),
            lazy: false,
            steps: Vec::new(),
            sections: 0,
            made: None,
        }
    }
    /// An object that another tool has made.
    pub fn made(name: &str, bytes: Vec<u8>) -> Self {
        Obj {
            made: Some(bytes),
            ..Obj::new(name)
        }
    }
    fn section(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.sections += 1;
        self.sections - 1
    }
    pub fn code(&mut self, name: &str, bytes: &[u8]) -> usize {
        self.section(Step::Code(name.to_owned(), bytes.to_vec()))
    }
    pub fn data(&mut self, section: &str, name: &str, bytes: &[u8]) -> usize {
        self.section(Step::Data(
            section.to_owned(),
            name.to_owned(),
            bytes.to_vec(),
        ))
    }
    /// As [`Self::data`], aligned to `align` bytes, of which `bytes` has a multiple.
    pub fn aligned(&mut self, section: &str, name: &str, bytes: &[u8], align: u64) -> usize {
        self.section(Step::Aligned(
            section.to_owned(),
            name.to_owned(),
            bytes.to_owned(),
            align,
        ))
    }
    /// `label` names the string at `at`.
    pub fn strings(&mut self, label: &str, bytes: &[u8], at: u64) -> usize {
        self.section(Step::Strings(label.to_owned(), bytes.to_vec(), at))
    }
    pub fn thread_local(&mut self, name: &str, bytes: &[u8]) -> usize {
        self.section(Step::ThreadLocal(name.to_owned(), bytes.to_vec()))
    }
    pub fn common(&mut self, name: &str, size: u64, align: u64) {
        self.steps.push(Step::Common(name.to_owned(), size, align));
    }
    pub fn reloc(
        &mut self,
        section: usize,
        offset: u64,
        r_type: RelocationType,
        symbol: &str,
        addend: i64,
    ) {
        self.steps.push(Step::Reloc(
            section,
            offset,
            r_type,
            symbol.to_owned(),
            addend,
        ));
    }
    pub fn weaken(&mut self, name: &str) {
        self.steps.push(Step::Weaken(name.to_owned()));
    }
    pub fn weak_undefined(&mut self, name: &str) {
        self.steps.push(Step::WeakUndefined(name.to_owned()));
    }
    pub fn group(&mut self, signature: &str, sections: &[usize]) {
        self.steps
            .push(Step::Group(signature.to_owned(), sections.to_vec()));
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(made) = &self.made {
            return made.clone();
        }
        let mut w = Writer {
            elf: Elf::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little),
            sections: vec![],
        };
        for step in &self.steps {
            w.define(step);
        }
        for step in &self.steps {
            w.refer(step);
        }
        w.elf.write().expect("an object")
    }
}

struct Writer<'a> {
    elf: Elf<'a>,
    sections: Vec<SectionId>,
}

impl Writer<'_> {
    fn define(&mut self, step: &Step) {
        match step {
            Step::Code(name, bytes) => {
                let section = format!(".text.{name}");
                self.section(
                    &section,
                    SectionKind::Text,
                    bytes,
                    Some((name, 0, SymbolKind::Text)),
                );
            }
            Step::Data(section, name, bytes) => {
                self.section(
                    section,
                    SectionKind::Data,
                    bytes,
                    Some((name, 0, SymbolKind::Data)),
                );
            }
            Step::Aligned(section, name, bytes, align) => {
                let symbol = Some((name.as_str(), 0, SymbolKind::Data));
                let id = self.section(section, SectionKind::Data, bytes, symbol);
                self.elf.append_section_data(id, &[], *align);
            }
            Step::Strings(label, bytes, at) => {
                self.section(
                    ".rodata.str1.1",
                    SectionKind::ReadOnlyString,
                    bytes,
                    Some((label, *at, SymbolKind::Data)),
                );
            }
            Step::ThreadLocal(name, bytes) => {
                self.section(
                    ".tdata",
                    SectionKind::Tls,
                    bytes,
                    Some((name, 0, SymbolKind::Tls)),
                );
            }
            Step::Common(name, size, align) => {
                let mut symbol = blank(name, SymbolSection::Common, SymbolKind::Data);
                (symbol.value, symbol.size) = (*align, *size);
                self.elf.add_symbol(symbol);
            }
            Step::WeakUndefined(name) => {
                let symbol = blank(name, SymbolSection::Undefined, SymbolKind::Data);
                self.elf.add_symbol(Symbol {
                    weak: true,
                    ..symbol
                });
            }
            _ => {}
        }
    }

    fn section(
        &mut self,
        name: &str,
        kind: SectionKind,
        bytes: &[u8],
        symbol: Option<(&str, u64, SymbolKind)>,
    ) -> SectionId {
        let id = self
            .elf
            .add_section(Vec::new(), name.as_bytes().to_vec(), kind);
        self.elf.append_section_data(id, bytes, 8);
        self.sections.push(id);
        if let Some((name, value, kind)) = symbol {
            let mut symbol = blank(name, SymbolSection::Section(id), kind);
            (symbol.value, symbol.size) = (value, bytes.len() as u64 - value);
            self.elf.add_symbol(symbol);
        }
        id
    }

    fn symbol(&mut self, name: &str) -> SymbolId {
        let known = self.elf.symbol_id(name.as_bytes());
        known.unwrap_or_else(|| {
            self.elf
                .add_symbol(blank(name, SymbolSection::Undefined, SymbolKind::Data))
        })
    }

    fn refer(&mut self, step: &Step) {
        match step {
            Step::Weaken(name) => {
                let id = self.symbol(name);
                self.elf.symbol_mut(id).weak = true;
            }
            Step::Reloc(section, offset, r_type, name, addend) => {
                let symbol = self.symbol(name);
                let flags = RelocationFlags::Elf { r_type: *r_type };
                let reloc = Relocation {
                    offset: *offset,
                    symbol,
                    addend: *addend,
                    flags,
                };
                self.elf
                    .add_relocation(self.sections[*section], reloc)
                    .expect("a relocation");
            }
            Step::Group(signature, sections) => {
                let symbol = self.symbol(signature);
                let sections = sections.iter().map(|s| self.sections[*s]).collect();
                self.elf.add_comdat(Comdat {
                    kind: ComdatKind::Any,
                    symbol,
                    sections,
                });
            }
            _ => {}
        }
    }
}

fn blank(name: &str, section: SymbolSection, kind: SymbolKind) -> Symbol {
    Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind,
        scope: SymbolScope::Dynamic,
        weak: false,
        section,
        flags: SymbolFlags::None,
    }
}

/// A finished link.
pub struct Image {
    pub image: Vec<u8>,
    pub layout: Layout,
    symbols: Symbols,
    names: Vec<Vec<String>>,
    merged: merge::Merged,
}

/// What is alive, before anything is placed.
pub struct Graph<'d> {
    pub inputs: Inputs<'d>,
    pub symbols: Symbols,
    pub frames: Vec<unwind::Frames>,
    pub live: live::Live,
}

/// Resolves names and marks; the roots are all sections of a function named `root`.
pub fn graph<T>(
    objs: &[Obj],
    runtime: &[Obj],
    then: impl FnOnce(Graph<'_>) -> Result<T>,
) -> Result<T> {
    let all = objs.iter().chain(runtime);
    let files: Vec<_> = all
        .map(|o| {
            (
                Files::from_bytes(&o.name, o.bytes()).expect("files"),
                o.lazy,
            )
        })
        .collect();
    let mut objects: Vec<Object<'_>> = Vec::new();
    for (file, lazy) in &files {
        for mut object in crate::read::objects(file)? {
            object.lazy = *lazy;
            objects.push(object);
        }
    }
    let runtime_from = objs.len();
    let inputs = Inputs {
        objects,
        runtime_from,
        wrappers: None,
    };
    let symbols = resolve::resolve(&inputs, &[], false)?;
    let frames = unwind::parse(&inputs, &symbols)?;
    let named = |at: &SecRef| inputs.section(*at).name == ".text.root";
    let all = (0..runtime_from as u32).filter(|o| symbols.loads(*o));
    let all = all.flat_map(|obj| {
        (0..inputs.object(obj).sections.len() as u32).map(move |sec| SecRef { obj, sec })
    });
    let roots: Vec<_> = all.filter(named).collect();
    let live = live::mark(&inputs, &symbols, &frames, &roots);
    then(Graph {
        inputs,
        symbols,
        frames,
        live,
    })
}

/// Links without a runtime.
pub fn link(objs: &[Obj]) -> Result<Image> {
    link_for(&Amd64, objs)
}

/// The same for another machine than that of the objects, which has its own relocations.
pub fn link_for(arch: &dyn Linking, objs: &[Obj]) -> Result<Image> {
    graph(objs, &[], |graph| place(graph, arch))
}

fn place(graph: Graph<'_>, arch: &dyn Linking) -> Result<Image> {
    let Graph {
        inputs,
        symbols,
        frames,
        live,
    } = graph;
    live::check_undefined(&inputs, &live)?;
    let far = far::choose(&inputs, &symbols, &live, &frames, arch, LANE_SIZE)?;
    let plan = plan::plan(&inputs, &symbols, &live, &frames, arch, LANE_SIZE, far)?;
    let merged = merge::merge(&inputs, &live, &plan);
    let function_names = functions::NameTable::new(&inputs, &|at| live.keeps(at));
    let cx = order::Context {
        inputs: &inputs,
        symbols: &symbols,
        live: &live,
        frames: &frames,
        plan: &plan,
        merged: &merged,
        names: &function_names,
        arch,
        lane_size: LANE_SIZE,
    };
    let thunks = thunks::plan(cx);
    let layout = layout::layout(cx, &thunks)?;
    let cx = write::Context {
        inputs: &inputs,
        plan: &plan,
        thunks: &thunks,
        merged: &merged,
        names: &function_names,
        looked_up: &live.looked_up,
        layout: &layout,
        frames: &frames,
        arch,
    };
    let image = write::write(cx)?;
    let names = inputs
        .objects
        .iter()
        .map(|o| o.symbols.iter().map(|s| s.name.to_string()).collect())
        .collect();
    Ok(Image {
        image,
        layout,
        symbols,
        names,
        merged,
    })
}

pub fn linked(objs: &[Obj]) -> Image {
    link(objs).unwrap_or_else(|e| panic!("{e}"))
}

pub fn problems(objs: &[Obj]) -> String {
    match link(objs) {
        Ok(_) => panic!("the link should have failed"),
        Err(e) => e.to_string(),
    }
}

impl Image {
    /// Image offset of a symbol that is kept.
    pub fn symbol(&self, name: &str) -> u64 {
        let all = self.names.iter().enumerate();
        let targets = all
            .flat_map(|(obj, names)| names.iter().zip(self.symbols.targets(obj as u32)))
            .filter(|(n, _)| *n == name);
        let mut places =
            targets.filter_map(|(_, t): (_, &Target)| self.layout.address(&self.merged, *t, 0));
        places
            .next()
            .unwrap_or_else(|| panic!("{name} is not in the image"))
    }
    pub fn half(&self, at: u64) -> u32 {
        u32::from_le_bytes(
            self.image[at as usize..at as usize + 4]
                .try_into()
                .expect("four bytes"),
        )
    }
    pub fn word(&self, at: u64) -> u64 {
        u64::from_le_bytes(
            self.image[at as usize..at as usize + 8]
                .try_into()
                .expect("eight bytes"),
        )
    }
    pub fn bytes(&self, at: u64, count: usize) -> &[u8] {
        &self.image[at as usize..at as usize + count]
    }
    /// What the 32-bit PC-relative field at `offset` of a function points to.
    pub fn target(&self, function: &str, offset: u64) -> u64 {
        let field = self.symbol(function) + offset;
        (field + 4).wrapping_add_signed(i64::from(self.half(field) as i32))
    }
    pub fn bytes_at_call(&self, function: &str, offset: u64) -> [u8; 16] {
        let at = self.target(function, offset) as usize;
        self.image[at..at + 16].try_into().expect("sixteen bytes")
    }
    pub fn contains(&self, bytes: &[u8]) -> bool {
        self.count(bytes) > 0
    }
    pub fn count(&self, bytes: &[u8]) -> usize {
        self.image
            .windows(bytes.len())
            .filter(|w| *w == bytes)
            .count()
    }
}
