//! Whether a library is the same for another target: what its exports take and give there, and in which layouts.
//!
//! Go has one API for all platforms. A `long` that has 32 bits, a field under `#[cfg]`, a struct of the system's would make another one of it for
//! the target, and calls would read what is not there. So what the target's own debug information says is read, too, and compared.

use std::collections::{BTreeMap, HashSet};

use object::read::archive::ArchiveFile;
use object::{BinaryFormat, Object as _, ObjectSection as _, ObjectSymbol as _};

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;
use crate::base::options::CgoMachine;
use crate::model::{Function, Signatures, Type, TypeDef, TypeId, TypeKind};
use crate::sig::header::Headers;
use crate::sig::{self, Parsed};

use super::types::int;

/// What was read of the library that the API comes from.
pub struct Here<'a> {
    /// Its signatures.
    pub signatures: &'a Signatures,
    /// The headers that declare it.
    pub headers: &'a Headers,
    /// Its sources.
    pub parsed: &'a Parsed,
    /// What the C convention is called besides `C`.
    pub own_abis: &'a [&'a str],
}

/// Compares it with the library for a machine. All that differs is listed.
pub fn alike(here: &Here<'_>, machine: &CgoMachine) -> Result<()> {
    let library = files::read(&machine.library).map_err(|e| {
        let place = machine.library.display().to_string();
        Error::fault(Problem::new(format!("cannot be read: {e}")).at(place))
    })?;
    let there = there(here, &library)?;
    let target = format!("{}/{}", machine.goos, machine.goarch);
    let mut both = Both {
        here: here.signatures,
        there: &there,
        seen: HashSet::new(),
    };
    let mut problems = Vec::new();
    for f in &here.signatures.functions {
        let same = there.functions.iter().find(|g| g.symbol == f.symbol);
        let what = match same {
            None => Some("it does not exist there".to_owned()),
            Some(g) => both.function(f, g).err(),
        };
        problems.extend(what.map(|what| problem(f, &target, &what)));
    }
    Error::check(Kind::Unsupported, problems, ())
}

fn problem(f: &Function, target: &str, what: &str) -> Problem {
    let symbol = &f.symbol;
    let problem = Problem::new(format!("{symbol} is another function on {target}: {what}"));
    let problem = problem.help(format!(
        "use types that are the same on all targets, or leave it out with --export '!{symbol}'"
    ));
    match &f.source {
        Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
        None => problem,
    }
}

/// The signatures of the same exports in the library for the target, whatever the format of its objects is.
fn there(here: &Here<'_>, library: &[u8]) -> Result<Signatures> {
    let failed = |e: object::Error| {
        let what = format!("cannot read the library for cgo: {e}");
        Error::fault(Problem::new(what))
    };
    let wanted = here.signatures.functions.iter();
    let wanted: HashSet<&str> = wanted.map(|f| f.symbol.as_str()).collect();
    let statics = here.signatures.functions.iter().filter(|f| f.is_static);
    let statics: HashSet<&str> = statics.map(|f| f.symbol.as_str()).collect();
    let mut objects = Vec::new();
    // By symbol: its definition, and whether that is a weak one. compiler_builtins has weak functions of C's names.
    let mut exports: BTreeMap<String, (sig::Export, bool)> = BTreeMap::new();
    for member in ArchiveFile::parse(library).map_err(failed)?.members() {
        let member = member.map_err(failed)?;
        let data = member.data(library).map_err(failed)?;
        // What is no object is metadata.
        let Ok(file) = object::File::parse(data) else {
            continue;
        };
        let mut defines = false;
        for symbol in file
            .symbols()
            .filter(|s| s.is_definition() && s.is_global())
        {
            let Ok(name) = symbol.name() else {
                continue;
            };
            // Of Mach-O, names begin with an underscore.
            let name = match file.format() {
                BinaryFormat::MachO => name.strip_prefix('_').unwrap_or(name),
                _ => name,
            };
            let section = symbol.section_index();
            let start = section.and_then(|index| file.section_by_index(index).ok());
            let start = start.map_or(0, |section| section.address());
            if !wanted.contains(name) || exports.get(name).is_some_and(|(_, weak)| !weak) {
                continue;
            }
            let export = sig::Export {
                symbol: name.to_owned(),
                object: objects.len(),
                section: section.map_or(0, |index| index.0),
                offset: symbol.address().wrapping_sub(start),
                is_static: statics.contains(name),
            };
            exports.insert(name.to_owned(), (export, symbol.is_weak()));
            defines = true;
        }
        if defines {
            let name = String::from_utf8_lossy(member.name());
            objects.push(sig::Object {
                // The compiler names its objects after the crate and a unit of it.
                rust: name.contains(".rcgu."),
                name: name.into_owned(),
                data,
            });
        }
    }
    let exports: Vec<sig::Export> = exports.into_values().map(|(export, _)| export).collect();
    let wanted = sig::Wanted::exports(&exports);
    sig::read(&objects, &wanted, here.headers, here.parsed, here.own_abis)
}

/// The signatures for both targets.
struct Both<'a> {
    here: &'a Signatures,
    there: &'a Signatures,
    /// Types that were compared, or are being compared.
    seen: HashSet<(TypeId, TypeId)>,
}

impl Both<'_> {
    fn function(&mut self, a: &Function, b: &Function) -> std::result::Result<(), String> {
        if a.params.len() != b.params.len() {
            return Err("it takes another number of parameters there".to_owned());
        }
        for (p, q) in a.params.iter().zip(&b.params) {
            let of = |what| format!("parameter `{}`: {what}", p.name);
            self.ty(&p.ty, &q.ty).map_err(of)?;
        }
        match (&a.result, &b.result) {
            (Some(a), Some(b)) => {
                let of = |what| format!("the result: {what}");
                self.ty(a, b).map_err(of)
            }
            (None, None) => Ok(()),
            _ => Err("the result: there is one on one of the targets alone".to_owned()),
        }
    }

    fn ty(&mut self, a: &Type, b: &Type) -> std::result::Result<(), String> {
        if let (Type::Int(a), Type::Int(b)) = (a, b)
            && a != b
        {
            return Err(format!("`{}` there, and `{}` here", int(*b), int(*a)));
        }
        let (mut here, mut there) = (Vec::new(), Vec::new());
        if flat(a, &mut here) != flat(b, &mut there) || here.len() != there.len() {
            return Err("a type that is another one there".to_owned());
        }
        let mut all = here.into_iter().zip(there);
        all.try_for_each(|(a, b)| self.def(a, b))
    }

    fn def(&mut self, a: TypeId, b: TypeId) -> std::result::Result<(), String> {
        if !self.seen.insert((a, b)) {
            return Ok(());
        }
        let (a, b) = (self.here.def(a), self.there.def(b));
        let of = |what: String| format!("`{}`: {what}", a.name);
        for (f, g) in a.kind.fields().zip(b.kind.fields()) {
            let of = |what: String| of(format!("field `{}`: {what}", f.name));
            self.ty(&f.ty, &g.ty).map_err(of)?;
            if f.offset != g.offset {
                return Err(of(format!(
                    "it lies at {} there, and at {} here",
                    g.offset, f.offset
                )));
            }
        }
        if let (Some(p), Some(q)) = (a.kind.layout(), b.kind.layout())
            && p != q
        {
            return Err(of(format!(
                "it has {} bytes there, and {} here",
                q.size, p.size
            )));
        }
        match bare(a) == bare(b) {
            true => Ok(()),
            false => Err(of("it is another type there".to_owned())),
        }
    }
}

/// A type without its named types, which are listed.
fn flat(ty: &Type, named: &mut Vec<TypeId>) -> Type {
    fn take(ty: &mut Type, named: &mut Vec<TypeId>) {
        if let Type::Named(id) = ty {
            named.push(*id);
            *id = TypeId(0);
        }
        ty.parts_mut()
            .into_iter()
            .for_each(|part| take(part, named));
    }
    let mut ty = ty.clone();
    take(&mut ty, named);
    ty
}

/// A type's name and shape, without what is compared apart and what is only said of it. Of one that Go cannot see into, nothing but the name counts:
/// it is used behind pointers, unless Go makes values of it.
fn bare(def: &TypeDef) -> (String, TypeKind) {
    let mut kind = def.kind.clone();
    for field in kind.fields_mut() {
        field.ty = flat(&field.ty, &mut Vec::new());
        field.doc.clear();
    }
    if let TypeKind::Enum { variants, .. } | TypeKind::Sum { variants, .. } = &mut kind {
        variants.iter_mut().for_each(|variant| variant.doc.clear());
    }
    if let TypeKind::Opaque {
        layout,
        made: false,
    } = &mut kind
    {
        *layout = None;
    }
    (def.name.clone(), kind)
}
