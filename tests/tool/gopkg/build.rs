//! Builds APIs by hand, and prints them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rsyso::internals::arch::amd64::Amd64;
use rsyso::internals::arch::groups::{Group, Relocated};
use rsyso::internals::arch::reloc::Howto;
use rsyso::internals::arch::thread_pointer;
use rsyso::internals::arch::{
    Analysis, Arch, Arguments, Calling, Code, GoFunction, KeptCalls, Linking, Stub, Thunk,
};
use rsyso::internals::base::diag;
use rsyso::internals::base::identifiers::Naming;
use rsyso::internals::go::{self, GoFile, GoPackage, Place, Present, Request};
use rsyso::internals::model::goabi::Frame;
use rsyso::internals::model::uses::Uses;
use rsyso::internals::model::*;

/// amd64 under another name.
#[derive(Debug)]
pub struct Fake(pub &'static str);

impl Arch for Fake {
    fn goarch(&self) -> &'static str {
        self.0
    }
    fn rust_target(&self) -> &'static str {
        Amd64.rust_target()
    }
    fn machine(&self) -> u16 {
        Amd64.machine()
    }
    fn object_architecture(&self) -> object::Architecture {
        Amd64.object_architecture()
    }
}

impl Linking for Fake {
    fn page_size(&self) -> u64 {
        Amd64.page_size()
    }
    fn largest_page(&self) -> u64 {
        Amd64.largest_page()
    }
    fn trap(&self) -> &'static [u8] {
        Amd64.trap()
    }
    fn howto(&self, r_type: u32) -> Option<&'static Howto> {
        Amd64.howto(r_type)
    }
    fn groups(&self, section: &Relocated<'_>) -> Vec<Group> {
        Amd64.groups(section)
    }
    fn meant(&self, code: &[u8], offset: u64) -> &'static [i64] {
        Amd64.meant(code, offset)
    }
    fn thunk(&self) -> Option<&'static Thunk> {
        Amd64.thunk()
    }
    fn uses_thread_pointer(&self, code: &[u8]) -> bool {
        Amd64.uses_thread_pointer(code)
    }
    fn replace_thread_pointer(
        &self,
        code: &thread_pointer::Code<'_>,
    ) -> Result<thread_pointer::Detours, Vec<(u64, String)>> {
        Amd64.replace_thread_pointer(code)
    }
}

impl Analysis for Fake {
    fn c_calls(&self, code: &[u8], refs: &[u64]) -> Vec<Arguments> {
        Amd64.c_calls(code, refs)
    }
    fn reads_second_argument(&self, code: &[u8], offset: u32) -> bool {
        Amd64.reads_second_argument(code, offset)
    }
    fn large_frames(&self, code: &[u8], over: u64) -> Vec<(u64, u64)> {
        Amd64.large_frames(code, over)
    }
    fn system_calls(&self, code: &[u8]) -> Vec<Arguments> {
        Amd64.system_calls(code)
    }
    fn waiting_call(&self, number: u64) -> Option<&'static str> {
        Amd64.waiting_call(number)
    }
}

impl Calling for Fake {
    fn wrapper(
        &self,
        api: &Api,
        function: &Function,
        frame: &Frame,
        codes: &[String],
        uses: &Uses,
    ) -> Result<Code, String> {
        Amd64.wrapper(api, function, frame, codes, uses)
    }
    fn go_function(&self, api: &Api, function: &GoFunction<'_>) -> Result<Code, String> {
        Amd64.go_function(api, function)
    }
    fn pool(&self, api: &Api) -> Result<Code, String> {
        Amd64.pool(api)
    }
    fn c_abi_names(&self) -> &'static [&'static str] {
        Amd64.c_abi_names()
    }
    fn jump(&self, symbol: &str) -> Result<Code, String> {
        Amd64.jump(symbol)
    }
    fn address(&self, symbol: &str) -> Result<Code, String> {
        Amd64.address(symbol)
    }
    fn frame_at_entry(&self) -> (gimli::write::CommonInformationEntry, u32) {
        Amd64.frame_at_entry()
    }
    fn stub(&self, stub: &Stub<'_>) -> String {
        Amd64.stub(stub)
    }
    fn away(&self, go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String {
        Amd64.away(go_on, depart, keeps)
    }
    fn landing(&self, name: &str, then: &str) -> String {
        Amd64.landing(name, then)
    }
}

pub fn place(dir: &Path, stem: &str) -> Place {
    Place {
        dir: dir.to_path_buf(),
        stem: stem.into(),
        package: stem.into(),
        import_path: None,
    }
}

/// Plans the package `stem` in `dir`.
pub fn plan_in(
    sample: &Sample,
    arch: &dyn Arch,
    (dir, stem): (&Path, &str),
    present: Option<&Present>,
) -> diag::Result<GoPackage> {
    go::plan(&Request {
        place: &place(dir, stem),
        api: &sample.api(),
        declared: &sample.declared,
        arch,
        naming: sample.naming.clone(),
        command: format!("rsyso convert lib{stem}.a"),
        aborts: false,
        rustc: Some("rustc 1.95.0".into()),
        rsyso: "0.1.0".into(),
        library: format!("lib{stem}.a"),
        cgo: None,
        present,
    })
}

/// Plans and prints the package `stem` in `dir`.
pub fn generate(
    sample: &Sample,
    arch: &dyn Arch,
    dir: &Path,
    stem: &str,
    present: Option<Present>,
) -> diag::Result<Vec<GoFile>> {
    let package = plan_in(sample, arch, (dir, stem), present.as_ref())?;
    if let Some(present) = &present {
        go::agree(present, &package, arch.goarch())?;
    }
    Ok(print(&package, arch))
}

/// The files, with made-up names of wrappers.
pub fn print(package: &GoPackage, arch: &dyn Arch) -> Vec<GoFile> {
    go::print(package, arch, &"ab".repeat(32), &|symbol| {
        format!("rsyso_0123_{symbol}")
    })
}

/// The package of a sample that is one.
pub fn plan(sample: &Sample, stem: &str) -> GoPackage {
    match plan_in(sample, &Amd64, (Path::new("."), stem), None) {
        Ok(package) => package,
        Err(e) => panic!("{stem}: {e}"),
    }
}

/// As [`generate`], for what must succeed and does not touch the disk.
pub fn files(sample: &Sample, arch: &dyn Arch, stem: &str) -> Vec<GoFile> {
    match generate(sample, arch, &PathBuf::from("."), stem, None) {
        Ok(files) => files,
        Err(e) => panic!("{stem}: {e}"),
    }
}

pub fn function(symbol: &str, params: &[(&str, Type)], result: Option<Type>) -> Function {
    Function {
        symbol: symbol.into(),
        params: params
            .iter()
            .map(|(name, ty)| Param {
                name: (*name).into(),
                ty: ty.clone(),
            })
            .collect(),
        result,
        doc: String::new(),
        source: Some(Source {
            file: "src/lib.rs".into(),
            line: 12,
        }),
        ..Function::default()
    }
}

impl Documented for Function {
    fn doc(mut self, doc: &str) -> Self {
        self.doc = doc.into();
        self
    }
}

impl Documented for Field {
    fn doc(mut self, doc: &str) -> Self {
        self.doc = doc.into();
        self
    }
}

/// Adds a doc comment.
pub trait Documented {
    fn doc(self, doc: &str) -> Self;
}

pub fn int(i: Int) -> Type {
    Type::Int(i)
}

pub fn pointer(kind: PointerKind, to: Type) -> Type {
    Type::Pointer {
        to: Some(Box::new(to)),
        kind,
        nullable: kind.is_raw(),
    }
}

/// An `Option` of a pointer, or `NonNull` of a raw one.
pub fn other(kind: PointerKind, to: Type) -> Type {
    Type::Pointer {
        to: Some(Box::new(to)),
        kind,
        nullable: !kind.is_raw(),
    }
}

pub fn void(kind: PointerKind) -> Type {
    Type::Pointer {
        to: None,
        kind,
        nullable: kind.is_raw(),
    }
}

pub fn slice(elem: Type) -> Type {
    Type::Slice {
        elem: Box::new(elem),
        mutable: false,
        pair: None,
    }
}

pub fn slice_mut(elem: Type) -> Type {
    Type::Slice {
        elem: Box::new(elem),
        mutable: true,
        pair: None,
    }
}

pub fn array(elem: Type, len: u64) -> Type {
    Type::Array {
        elem: Box::new(elem),
        len,
    }
}

pub fn named(id: u32) -> Type {
    Type::Named(TypeId(id))
}

pub fn callback(params: Vec<Type>) -> Type {
    Type::Callback {
        alias: String::new(),
        params,
        names: Vec::new(),
        result: None,
        user: None,
        nullable: false,
    }
}

pub fn field(name: &str, ty: Type, offset: u64) -> Field {
    Field {
        name: name.into(),
        ty,
        offset,
        doc: String::new(),
    }
}

fn def(name: &str, kind: TypeKind) -> TypeDef {
    TypeDef {
        name: name.into(),
        path: format!("sample::{name}"),
        doc: String::new(),
        kind,
    }
}

pub fn structure(name: &str, size: u64, align: u64, fields: Vec<Field>) -> TypeDef {
    let kind = TypeKind::Struct {
        fields,
        size,
        align,
    };
    def(name, kind)
}

pub fn enumeration(name: &str, repr: Int, variants: &[(&str, i128)]) -> TypeDef {
    let variants = variants
        .iter()
        .map(|(name, value)| Variant {
            name: (*name).into(),
            value: *value,
            ..Variant::default()
        })
        .collect();
    def(name, TypeKind::Enum { repr, variants })
}

pub fn union(name: &str, size: u64, align: u64, fields: Vec<Field>) -> TypeDef {
    let kind = TypeKind::Union {
        fields,
        size,
        align,
    };
    def(name, kind)
}

/// An enum with fields of 16 bytes, numbered from 1 on.
pub fn sum(name: &str, tag: Int, variants: Vec<(&str, Vec<Field>)>) -> TypeDef {
    let variants = (1i128..).zip(variants);
    let variants = variants.map(|(value, (name, fields))| Variant {
        name: name.into(),
        value,
        fields,
        ..Variant::default()
    });
    let kind = TypeKind::Sum {
        tag,
        variants: variants.collect(),
        size: 16,
        align: 8,
    };
    def(name, kind)
}

pub fn opaque(name: &str) -> TypeDef {
    def(name, TypeKind::UNKNOWN)
}

/// A pointer and a length of this type.
pub fn pair(elem: Type, mutable: bool, length: Int) -> Type {
    Type::Slice {
        elem: Box::new(elem),
        mutable,
        pair: Some(length),
    }
}

/// A type that Go cannot see into, but make.
pub fn sized(name: &str, size: u64, align: u64) -> TypeDef {
    let layout = Some(Layout { size, align });
    def(name, TypeKind::Opaque { layout, made: true })
}

/// What an API is made of, and what flags say of it.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub functions: Vec<Function>,
    pub types: Vec<TypeDef>,
    pub doc: String,
    pub declared: Declared,
    pub conventions: Conventions,
    pub naming: Naming,
}

impl Sample {
    /// The API: it is written as it is meant.
    pub fn api(&self) -> Api {
        let read = Signatures {
            functions: self.functions.clone(),
            imports: Vec::new(),
            constants: Vec::new(),
            types: self.types.clone(),
            doc: self.doc.clone(),
        };
        Api::new(read, &self.conventions)
    }

    /// With a destroy function behind the user data of each function pointer.
    pub fn destroys(mut self, symbol: &str) -> Sample {
        self.conventions.destroyed = self.pointers(symbol);
        self
    }

    /// With `--keeps`.
    pub fn keeps(mut self, symbol: &str) -> Sample {
        let more = self.pointers(symbol);
        self.conventions.kept.resize(more.len(), BTreeSet::new());
        for (kept, more) in self.conventions.kept.iter_mut().zip(more) {
            kept.extend(more);
        }
        self
    }

    /// The function pointers that a function takes.
    fn pointers(&self, symbol: &str) -> Vec<BTreeSet<usize>> {
        let all = self.functions.iter().map(|f| {
            let params = f.params.iter().enumerate();
            let pointers = params.filter(|(_, p)| matches!(p.ty, Type::Callback { .. }));
            match f.symbol == symbol {
                true => pointers.map(|(at, _)| at).collect(),
                false => BTreeSet::new(),
            }
        });
        all.collect()
    }

    /// With `--blocking`.
    pub fn blocks(mut self, symbol: &str) -> Sample {
        self.declared.blocking.insert(symbol.into(), true);
        self
    }

    /// With `--trust`.
    pub fn trusts(mut self, symbol: &str) -> Sample {
        self.declared.trusted.insert(symbol.into(), true);
        self
    }
}

pub fn api(mut functions: Vec<Function>, types: Vec<TypeDef>) -> Sample {
    functions.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    Sample {
        functions,
        types,
        ..Sample::default()
    }
}
