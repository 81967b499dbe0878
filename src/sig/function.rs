//! The signature of each export: its DIE, its parameters, its result.

use std::collections::HashSet;
use std::path::PathBuf;

use gimli::constants as dw;

use super::Export;
use super::dwarf::{At, Die, malformed};
use super::scan::own_symbol;
use super::shape::View;
use super::source::{Item, ItemKind, Signature, Sources};
use super::types::{Mapper, Stop, Why};
use crate::diag::{Error, Kind, Problem, Result};
use crate::model::{Api, Function, Param, Source, Type};

/// Collects functions, and what is wrong with them.
pub struct Reader<'d, 'a> {
    views: &'d [Option<View<'d, 'a>>],
    mapper: Mapper<'d, 'a>,
    functions: Vec<Function>,
    problems: Vec<Problem>,
    /// Exports without debug information, with their objects.
    missing: Vec<(String, String)>,
    /// Roots of the crates that some unit describes with types.
    typed_crates: HashSet<PathBuf>,
}

/// The DIEs that describe one function.
struct Described<'a> {
    /// Its parameters are the children of this one.
    main: Die<'a>,
    /// Its declaration, or itself.
    declared: Die<'a>,
}

/// A function as far as its DIEs tell, before its types are mapped.
struct Draft {
    object: usize,
    symbol: String,
    path: Vec<String>,
    source: Option<Source>,
    /// Names and types, in order.
    params: Vec<(Option<String>, At)>,
    result: Option<At>,
    variadic: bool,
}

impl<'d, 'a> Reader<'d, 'a> {
    /// A reader over the objects' views.
    pub fn new(views: &'d [Option<View<'d, 'a>>], sources: &'d mut Sources) -> Self {
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
            mapper: Mapper::new(views, sources),
            functions: Vec::new(),
            problems: Vec::new(),
            missing: Vec::new(),
            typed_crates,
        }
    }

    /// Reads one export. Only damaged debug information ends the whole: all else is collected.
    pub fn function(&mut self, export: &Export, object: &str) -> Result<()> {
        self.export(export, object)
            .map_err(|e| malformed(object, e))
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
            self.problems
                .push(problem.at(object).help(leave_out(&export.symbol)));
            return Ok(());
        }
        let draft = draft(&view, export, &described)?;
        if let Some(krate) = draft.path.first() {
            self.mapper.sources().add_root(krate, origin.root.clone());
        }
        let item = draft.source.as_ref().and_then(|s| {
            let name = draft.path.last().map_or("", String::as_str);
            self.mapper.sources().function(&s.file, s.line, name)
        });
        // A function without parameters and result looks the same when the build left all types out.
        let bare = draft.params.is_empty() && draft.result.is_none();
        let by_source =
            || signature(&item).is_some_and(|s| s.params.is_empty() && s.result.is_none());
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
        let Some(twin) = twin else {
            self.missing
                .push((export.symbol.clone(), object.to_owned()));
            return Ok(());
        };
        let twin = view.debug.die(*twin)?;
        let name = own_symbol(view.debug, &declaration(view, &twin)?.declared)?.unwrap_or_default();
        let name = format!("{:#}", rustc_demangle::demangle(&name));
        let problem = Problem::new(format!(
            "`{}` does the same as `{name}`, and the compiler kept the debug information of that one alone",
            export.symbol
        ));
        self.problems.push(problem.at(object).help(format!(
            "build with RUSTFLAGS=\"-Cllvm-args=-mergefunc-use-aliases=false -Cllvm-args=-mergefunc-preserve-debug-info\", or {}",
            leave_out(&export.symbol)
        )));
        Ok(())
    }

    fn map(&mut self, draft: Draft, item: Option<Item>, object: &str) -> gimli::Result<()> {
        let symbol = draft.symbol.as_str();
        let place = draft
            .source
            .as_ref()
            .map_or_else(|| object.to_owned(), |s| format!("{}:{}", s.file, s.line));
        let before = self.problems.len();
        if let Some(signature) = signature(&item)
            && !matches!(
                signature.abi.as_deref(),
                Some("C" | "C-unwind" | "system" | "system-unwind" | "sysv64" | "sysv64-unwind")
            )
        {
            let problem = Problem::new(format!(
                "`{symbol}` is not `extern \"C\"`, so how it takes its parameters is not defined"
            ));
            self.problems.push(problem.at(place.as_str()).help(format!(
                "declare it `extern \"C\"`, or {}",
                leave_out(symbol)
            )));
        }
        if draft.variadic {
            self.refused(
                symbol,
                "its parameter list",
                &place,
                Why::new("is variadic"),
            );
        }
        let mut params = Vec::new();
        for (n, (name, ty)) in draft.params.into_iter().enumerate() {
            let name = name.unwrap_or_else(|| format!("arg{n}"));
            match self.mapper.value(draft.object, ty) {
                Ok(Some(ty)) => params.push(Param { name, ty }),
                Ok(None) => {}
                Err(Stop::Refused(why)) => {
                    self.refused(symbol, &format!("parameter `{name}`"), &place, why)
                }
                Err(Stop::Damaged(e)) => return Err(e),
            }
        }
        let result = match draft
            .result
            .map(|ty| self.mapper.value(draft.object, ty))
            .transpose()
        {
            Ok(result) => result.flatten(),
            Err(Stop::Refused(why)) => {
                self.refused(symbol, "the result", &place, why);
                None
            }
            Err(Stop::Damaged(e)) => return Err(e),
        };
        if matches!(result, Some(Type::Callback { .. })) {
            self.refused(
                symbol,
                "the result",
                &place,
                Why::new("is a function pointer, which Go cannot call"),
            );
        }
        if self.problems.len() == before {
            self.functions.push(Function {
                symbol: draft.symbol,
                params,
                result,
                doc: item.map_or(String::new(), |i| i.doc),
                source: draft.source,
                path: draft.path.join("::"),
            });
        }
        Ok(())
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

    /// The whole API, or everything that stands in its way.
    pub fn finish(mut self) -> Result<Api> {
        if let Err(Stop::Damaged(e)) = self.mapper.complete() {
            return Err(malformed("", e));
        }
        let mut problems = Vec::new();
        problems.extend(without_debug_information(&self.missing));
        problems.append(&mut self.problems);
        for path in &self.mapper.conflicts {
            let problem = Problem::new(format!("two types are named `{path}`, and they differ"));
            problems.push(problem.help("does the library hold two versions of one crate? Leave out the functions of one of them with --export"));
        }
        let types = self.mapper.into_types(&mut self.functions);
        Error::check(
            Kind::Unsupported,
            problems,
            Api {
                functions: self.functions,
                types,
            },
        )
    }
}

fn signature(item: &Option<Item>) -> Option<&Signature> {
    match item {
        Some(Item {
            kind: ItemKind::Function(signature),
            ..
        }) => Some(signature),
        _ => None,
    }
}

fn leave_out(symbol: &str) -> String {
    format!("leave `{symbol}` out: `--export` takes the names of the functions to keep")
}

fn without_debug_information(missing: &[(String, String)]) -> Option<Problem> {
    let names: Vec<_> = missing.iter().map(|m| format!("`{}`", m.0)).collect();
    let (_, first_object) = missing.first()?;
    let (verb, names) = (
        if names.len() == 1 { "has" } else { "have" },
        names.join(", "),
    );
    let mut problem = Problem::new(format!(
        "{names} {verb} no debug information that tells the parameters"
    ))
    .at(first_object.as_str());
    problem.help = Some(
        "set `debug = \"full\"` under [profile.release] (or CARGO_PROFILE_RELEASE_DEBUG=full), leave `strip` off, and build again; \
         or leave them out: `--export` takes the names of the functions to keep"
            .to_owned(),
    );
    Some(problem)
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
                params.push((view.debug.name(&child)?.filter(|n| !n.is_empty()), ty));
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
