//! The signature of each export: its DIE, its parameters, its result.

use std::collections::HashSet;
use std::path::PathBuf;

use gimli::constants as dw;

use super::dwarf::{At, Die, malformed};
use super::header::{Headers, Undescribed};
use super::scan::own_symbol;
use super::shape::View;
use super::source::Sources;
use super::syntax::{Item, Signature};
use super::types::{Mapped, Mapper, Stop, Why};
use super::written::Written;
use super::{DEBUG_IN_FULL, Export, GIVE_HEADER, leave_out, place_of};
use super::{c_char, callback_names};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::model::{Function, Param, Signatures, Source, Type};

/// How Rust calls C's convention on every machine (The Rust Reference, "External blocks").
pub(super) const C: [&str; 4] = ["C", "C-unwind", "system", "system-unwind"];

/// Collects functions, and what is wrong with them.
pub struct Reader<'d, 'a> {
    pub(super) views: &'d [Option<View<'d, 'a>>],
    /// What C's convention is called on the library's machine besides [`C`].
    pub(super) own_abis: &'d [&'d str],
    pub(super) mapper: Mapper<'d, 'a>,
    pub(super) functions: Vec<Function>,
    pub(super) problems: Vec<Problem>,
    /// Exports without debug information, with their objects.
    missing: Vec<(String, String)>,
    /// Statics of which no debug information tells the type.
    pub(super) untyped: Vec<String>,
    /// Exports that only a header can describe, and what to say when none does.
    pub(super) unreadable: Vec<(String, Problem)>,
    /// Roots of the crates that some unit describes with types.
    typed_crates: HashSet<PathBuf>,
    /// Exports whose code the compiler merged with that of another function: the other function, under the export's symbol.
    pub(super) merged: Vec<(Draft, String)>,
    /// What types written in a module's source stand for, as far as other functions of the module tell.
    pub(super) written: Written,
}

/// The DIEs that describe one function.
struct Described<'a> {
    /// Its parameters are the children of this one.
    main: Die<'a>,
    /// Its declaration, or itself.
    declared: Die<'a>,
}

/// A function as far as its DIEs tell, before its types are mapped.
pub(super) struct Draft {
    pub(super) object: usize,
    pub(super) symbol: String,
    pub(super) path: Vec<String>,
    pub(super) source: Option<Source>,
    /// Names and types, in order.
    pub(super) params: Vec<DraftParam>,
    pub(super) result: Option<At>,
    pub(super) variadic: bool,
}

/// A parameter as its DIE tells it.
pub(super) struct DraftParam {
    pub(super) name: Option<String>,
    pub(super) ty: At,
    /// Where it is written.
    source: Option<Source>,
}

impl<'d, 'a> Reader<'d, 'a> {
    /// A reader over the objects' views.
    pub fn new(
        views: &'d [Option<View<'d, 'a>>],
        sources: Sources<'d>,
        own_abis: &'d [&'d str],
    ) -> Self {
        let mut typed_crates = HashSet::new();
        for view in views.iter().flatten() {
            let units = view.scan.origins.iter().zip(&view.scan.has_types);
            typed_crates.extend(
                units
                    .filter(|(_, typed)| **typed)
                    .map(|(origin, _)| origin.root.clone()),
            );
        }
        Reader {
            views,
            own_abis,
            mapper: Mapper::new(views, sources),
            functions: Vec::new(),
            problems: Vec::new(),
            missing: Vec::new(),
            untyped: Vec::new(),
            unreadable: Vec::new(),
            typed_crates,
            merged: Vec::new(),
            written: Written::default(),
        }
    }

    /// Reads one export. Only damaged debug information ends the whole: all else is collected.
    pub fn function(&mut self, export: &Export, object: &str) -> Result<()> {
        let read = match export.is_static {
            true => self.a_static(export),
            false => self.export(export, object),
        };
        read.map_err(|e| malformed(object, e))
    }

    fn export(&mut self, export: &Export, object: &str) -> gimli::Result<()> {
        let Some(view) = self.views.get(export.object).copied().flatten() else {
            return Ok(());
        };
        let Some(described) = find(&view, export)? else {
            self.no_description(&view, export, object)?;
            return Ok(());
        };
        let unit = described.main.at.unit;
        let origin = view.scan.origins.get(unit).cloned().unwrap_or_default();
        if !origin.rust {
            let problem = Problem::new(format!(
                "`{}` is not written in Rust, and only Rust signatures are read",
                export.symbol
            ));
            let help = format!("{GIVE_HEADER}, or {}", leave_out(&export.symbol));
            self.unreadable
                .push((export.symbol.clone(), problem.at(object).help(help)));
            return Ok(());
        }
        let draft = draft(&view, export, &described)?;
        if let Some(krate) = draft.path.first() {
            self.mapper.sources().add_root(krate, origin.root.clone());
        }
        let item = draft.source.as_ref().and_then(|s| {
            let name = draft.path.last().map_or("", String::as_str);
            self.mapper.sources().item(&s.file, s.line, name)
        });
        // A function without parameters and result looks the same when the build left all types out.
        let bare = draft.params.is_empty() && draft.result.is_none();
        let by_source = || {
            signature(&item)
                .is_some_and(|s| s.symbol.is_some() && s.params.is_empty() && s.result.is_none())
        };
        if bare && !self.typed_crates.contains(&origin.root) && !by_source() {
            self.missing
                .push((export.symbol.clone(), object.to_owned()));
            return Ok(());
        }
        self.map(draft, item, object)
    }

    /// No DIE stands for the export: there are none at all, or the compiler merged it with another function.
    fn no_description(
        &mut self,
        view: &View<'d, 'a>,
        export: &Export,
        object: &str,
    ) -> gimli::Result<()> {
        let twin = export
            .address()
            .and_then(|a| view.scan.by_address.get(&a))
            .and_then(|d| d.first());
        let Some(&twin) = twin else {
            self.missing
                .push((export.symbol.clone(), object.to_owned()));
            return Ok(());
        };
        let twin = draft(view, export, &declaration(view, &view.debug.die(twin)?)?)?;
        self.merged.push((twin, object.to_owned()));
        Ok(())
    }

    fn map(&mut self, draft: Draft, item: Option<Item>, object: &str) -> gimli::Result<()> {
        let symbol = draft.symbol.as_str();
        let place = draft
            .source
            .as_ref()
            .map_or_else(|| object.to_owned(), place_of);
        let before = self.problems.len();
        self.check_abi(symbol, signature(&item), &place);
        self.check_count(&draft, signature(&item), &place);
        if draft.variadic {
            self.refused(
                symbol,
                "its parameter list",
                &place,
                Why::new("is variadic"),
            );
        }
        let mut params = Vec::new();
        for (n, param) in draft.params.iter().enumerate() {
            let name = param.name.clone().unwrap_or_else(|| format!("arg{n}"));
            let place = param
                .source
                .as_ref()
                .map_or_else(|| place.clone(), place_of);
            let mut mapped = self.mapper.value(draft.object, param.ty);
            let written = signature(&item).and_then(|s| s.params.get(n));
            if let (Ok(Some(ty)), Some((_, written))) = (&mut mapped, written) {
                c_char::apply(ty, written);
            }
            self.note_written(&draft, &item, |s| s.params.get(n).map(|p| &p.1), &mapped);
            let mut ty = self.collected(mapped, symbol, &format!("parameter `{name}`"), &place)?;
            if let (Some(ty), Some(krate)) = (&mut ty, draft.path.first())
                && let Some((_, written)) = signature(&item).and_then(|s| s.params.get(n))
            {
                callback_names::apply(ty, self.mapper.sources(), krate, written);
            }
            params.extend(ty.map(|ty| Param { name, ty }));
        }
        let mut mapped = draft
            .result
            .map_or(Ok(None), |ty| self.mapper.value(draft.object, ty));
        let written = signature(&item).and_then(|s| s.result.as_ref());
        if let (Ok(Some(ty)), Some(written)) = (&mut mapped, written) {
            c_char::apply(ty, written);
        }
        self.note_written(&draft, &item, |s| s.result.as_ref(), &mapped);
        let result = self.collected(mapped, symbol, "the result", &place)?;
        if matches!(result, Some(Type::Callback { .. })) {
            self.refused(
                symbol,
                "the result",
                &place,
                Why::new("is a function pointer, which Go cannot call"),
            );
        }
        if self.problems.len() == before {
            let doc = item.map_or(String::new(), |i| i.doc);
            let path = draft.path.join("::");
            self.functions.push(Function {
                symbol: draft.symbol,
                params,
                result,
                doc,
                source: draft.source,
                path,
                foreign: false,
                is_static: false,
            });
        }
        Ok(())
    }

    /// A function that asks for a symbol and not for an ABI has Rust's. An attribute macro may still change what the source shows, and
    /// then writes `no_mangle` itself.
    pub(super) fn check_abi(&mut self, symbol: &str, signature: Option<&Signature>, place: &str) {
        let Some(signature) = signature.filter(|s| s.symbol.is_some()) else {
            return;
        };
        let abi = signature.abi.as_deref();
        if abi.is_some_and(|abi| C.contains(&abi) || self.own_abis.contains(&abi)) {
            return;
        }
        let problem = Problem::new(format!(
            "`{symbol}` is not `extern \"C\"`, so how it takes its parameters is not defined"
        ));
        self.problems.push(problem.at(place).help(format!(
            "declare it `extern \"C\"`, or {}",
            leave_out(symbol)
        )));
    }

    /// The source is a second witness of how many parameters there are.
    fn check_count(&mut self, draft: &Draft, signature: Option<&Signature>, place: &str) {
        let Some(signature) = signature.filter(|s| s.symbol.is_some() && s.certain) else {
            return;
        };
        let (source, debug) = (signature.params.len(), draft.params.len());
        if source != debug {
            let symbol = &draft.symbol;
            let problem = Problem::new(format!(
                "`{symbol}` has {source} parameters in its source and {debug} in its debug information"
            ));
            self.problems.push(
                problem
                    .at(place)
                    .help("has the source changed since the build? Build again"),
            );
        }
    }

    /// The mapped type; a refusal becomes a problem, and the rest of the function is still looked at.
    fn collected(
        &mut self,
        mapped: Mapped<Option<Type>>,
        symbol: &str,
        part: &str,
        place: &str,
    ) -> gimli::Result<Option<Type>> {
        match mapped {
            Ok(ty) => Ok(ty),
            Err(Stop::Refused(why)) => {
                self.refused(symbol, part, place, why);
                Ok(None)
            }
            Err(Stop::Damaged(e)) => Err(e),
        }
    }

    fn refused(&mut self, symbol: &str, part: &str, place: &str, why: Why) {
        let help = match why.help {
            Some(help) => format!("{help}, or {}", leave_out(symbol)),
            None => leave_out(symbol),
        };
        self.problems.push(
            Problem::new(format!("`{symbol}`: {part} {}", why.reason))
                .at(place)
                .help(help),
        );
    }

    /// All signatures, or everything that stands in their way; `foreign` says whether an export was not compiled by rustc.
    pub fn finish(
        mut self,
        headers: &Headers,
        foreign: &dyn Fn(&str) -> bool,
    ) -> Result<Signatures> {
        self.recover_merged()?;
        if let Err(Stop::Damaged(e)) = self.mapper.complete() {
            return Err(malformed("", e));
        }
        let mut problems = Vec::new();
        let mut undescribed = Vec::new();
        let described_by_header = |symbol: String| Undescribed {
            foreign: foreign(&symbol),
            symbol,
            size: None,
        };
        for (symbol, object) in std::mem::take(&mut self.missing) {
            match headers.declares(&symbol, false) {
                true => undescribed.push(described_by_header(symbol)),
                false => self.missing.push((symbol, object)),
            }
        }
        for (symbol, problem) in std::mem::take(&mut self.unreadable) {
            match headers.declares(&symbol, false) {
                true => undescribed.push(described_by_header(symbol)),
                false => problems.push(problem),
            }
        }
        let statics = self.left_to(headers).into_iter();
        undescribed.extend(statics.map(|(symbol, size)| Undescribed {
            size,
            ..described_by_header(symbol)
        }));
        problems.extend(
            without_debug_information(&self.missing, headers.title())
                .map(|problem| headers.with_missing(problem)),
        );
        problems.append(&mut self.problems);
        for path in &self.mapper.conflicts {
            let problem = Problem::new(format!("two types are named `{path}`, and they differ"));
            problems.push(problem.help("does the library hold two versions of one crate? Leave out the functions of one of them with --export '!GLOB'"));
        }
        self.functions.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        let mut api = Signatures {
            functions: std::mem::take(&mut self.functions),
            ..Signatures::default()
        };
        api.doc = match api.crates().as_slice() {
            [only] => self.mapper.sources().crate_doc(only),
            _ => String::new(),
        };
        api.types = self.mapper.into_types(&mut api.functions);
        match headers.complete(api, &undescribed) {
            Ok(api) => Error::check(Kind::Unsupported, problems, api),
            Err(mut error) => {
                error.problems.extend(problems);
                Err(error)
            }
        }
    }
}

fn signature(item: &Option<Item>) -> Option<&Signature> {
    item.as_ref().and_then(Item::signature)
}

/// More names than this make a list.
const NAMES_IN_A_SENTENCE: usize = 5;

fn without_debug_information(
    missing: &[(String, String)],
    header: Option<String>,
) -> Option<Problem> {
    let (_, first_object) = missing.first()?;
    let names: Vec<_> = missing.iter().map(|m| format!("`{}`", m.0)).collect();
    let (who, notes) = match names.len() {
        1 => (format!("{} has", names.concat()), Vec::new()),
        2..=NAMES_IN_A_SENTENCE => (format!("{} have", names.join(", ")), Vec::new()),
        n => (
            format!("{n} exports have"),
            missing
                .iter()
                .map(|(name, object)| format!("`{name}` in {object}"))
                .collect(),
        ),
    };
    let mut problem = Problem::new(format!(
        "{who} no debug information that tells the parameters"
    ));
    problem.notes = notes;
    if let Some(header) = header {
        problem = problem.note(format!("{header} does not declare them either"));
    }
    Some(problem.at(first_object.as_str()).help(format!(
        "{DEBUG_IN_FULL}; \
         or give a C header that declares them, as cbindgen writes it: --header foo.h; \
         or leave them out, each with --export '!NAME'"
    )))
}

/// The DIEs of an export: at its address, and named as it is (LLVM merges equal functions and keeps the DIE of one); else the one
/// function of that name anywhere in the object, such as the original of a function that was only ever inlined.
fn find<'a>(view: &View<'_, 'a>, export: &Export) -> gimli::Result<Option<Described<'a>>> {
    let at = export
        .address()
        .and_then(|a| view.scan.by_address.get(&a))
        .map_or(&[][..], Vec::as_slice);
    for &at in at {
        let described = declaration(view, &view.debug.die(at)?)?;
        let names = [&described.main, &described.declared].map(|die| own_symbol(view.debug, die));
        if names
            .into_iter()
            .any(|name| matches!(name, Ok(Some(name)) if name == export.symbol))
        {
            return Ok(Some(described));
        }
    }
    let named = view
        .scan
        .by_symbol
        .get(&export.symbol)
        .map_or(&[][..], Vec::as_slice);
    match named {
        &[only] => declaration(view, &view.debug.die(only)?).map(Some),
        _ => Ok(None),
    }
}

/// Follows a concrete function to its abstract original (which alone holds names when it was also inlined) and to its declaration.
fn declaration<'a>(view: &View<'_, 'a>, die: &Die<'a>) -> gimli::Result<Described<'a>> {
    let mut main = view.debug.die(die.at)?;
    if let Some(original) = view.debug.refers(&main, dw::DW_AT_abstract_origin)? {
        main = view.debug.die(original)?;
    }
    let declared = match view.debug.refers(&main, dw::DW_AT_specification)? {
        Some(declared) => view.debug.die(declared)?,
        None => view.debug.die(main.at)?,
    };
    Ok(Described { main, declared })
}

fn draft<'a>(
    view: &View<'_, 'a>,
    export: &Export,
    described: &Described<'a>,
) -> gimli::Result<Draft> {
    let Described { main, declared } = described;
    let name = match view.debug.name(main)? {
        Some(name) => name,
        None => view.debug.name(declared)?.unwrap_or_default(),
    };
    let (mut params, mut variadic) = (Vec::new(), false);
    for child in view.debug.children(main.at)? {
        match child.tag() {
            dw::DW_TAG_formal_parameter => {
                let ty = view.debug.ty(&child)?.ok_or(gimli::Error::MissingUnitDie)?;
                let name = view.debug.name(&child)?.filter(|n| !n.is_empty());
                let source = view.debug.source(&child)?;
                params.push(DraftParam { name, ty, source });
            }
            dw::DW_TAG_unspecified_parameters => variadic = true,
            _ => {}
        }
    }
    let result = match view.debug.ty(main)? {
        Some(ty) => Some(ty),
        None => view.debug.ty(declared)?,
    };
    let source = match view.debug.source(main)? {
        Some(source) => Some(source),
        None => view.debug.source(declared)?,
    };
    Ok(Draft {
        object: export.object,
        symbol: export.symbol.clone(),
        path: view.scan.path(declared.at, &name),
        source,
        params,
        result,
        variadic,
    })
}
