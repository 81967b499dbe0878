//! What `inspect` finds out: the exports, what each takes along, what is missing and who needs it.

use crate::analyse::{blocking, sizes, stacks, waits};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::options::{InspectOptions, base_name};
use crate::base::report::{
    self, GoDeclaration, InspectedExport, Inspection, Kept, Missing, Progress, Sizes,
};
use crate::contract::{self, Params};
use crate::driver::{self, Graph, Library};
use crate::go::GoPackage;
use crate::link::exports::Export;
use crate::link::live::{self, Live};
use crate::link::{SecRef, interpose, names};
use crate::model::goabi;
use crate::model::uses::{Calls, Uses};
use crate::model::{Api, Declared, Function};
use crate::read::{Files, Object, Symbol, SymbolKind};
use crate::sig::header::Headers;
use crate::sig::rules;
use crate::{go, sig, wrappers};
use std::path::{Path, PathBuf};

/// Why an export runs in a lane.
const LANE: &str = "every call runs on the lane of its thread";

/// Finds out everything about a library, without writing anything.
pub fn inspect(o: &InspectOptions, progress: &dyn Progress) -> Result<Inspection> {
    o.check()?;
    let library_file = base_name(o.inputs.first().map_or(Path::new(""), PathBuf::as_path));
    let library_name = go::library_name(Path::new(&library_file));
    let place = go::nowhere(&library_name, o.package.as_deref())?;
    let files = Files::open(&o.inputs)?;
    driver::report_inputs(&files, progress);
    let library = driver::read(&files, &o.exports)?;
    let arch = library.arch;
    let headers = driver::headers(&o.headers)?;
    let signatures = Signatures::read(&library, &headers, o.no_pairs);
    let declared = Declared {
        consumes: rules::consumes::consumes(&signatures.api, &o.consumes)?,
        blocking: rules::declared::blocking(&signatures.api, &o.blocking)?,
        ..Declared::default()
    };
    let mut out = Inspection {
        library: library_name.clone(),
        target: format!("linux/{}", arch.goarch()),
        rustc: library.rustc.clone().unwrap_or_default(),
        package: place.package.clone(),
        ..Inspection::default()
    };
    let exports = library.exports.clone();
    // Names may clash between functions that are good one by one; then there is no API to show.
    let planned = go::plan(&go::Request {
        place: &place,
        api: &signatures.api,
        declared: &declared,
        arch,
        go_prefix: driver::prefix(o.trim_prefix.as_deref()),
        command: "rsyso".to_owned(),
        aborts: interpose::aborts(&library.objects),
        rustc: library.rustc.clone(),
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        library: library_file,
        sha256: String::new(),
        present: None,
    });
    let package = planned.map_err(|e| note_obstacles(&mut out.obstacles, &e));
    let package = package.ok();
    let plain = Calls::plain(&signatures.api, &declared);
    let calls = package.as_ref().map_or(&plain, |p| &p.calls);
    let extra = wrappers::object(&signatures.api, arch, calls)?;
    let first_own = library.objects.len() as u32;
    let runtime = driver::runtime(arch)?;
    let graph = driver::reach(
        library.objects,
        &runtime,
        extra,
        unwrapped(&exports, &signatures),
    )?;
    progress.status("Inspecting", &report::count(exports.len(), "export"));
    let placed = graph
        .check()
        .and_then(|()| driver::place(&graph, arch, o.stack_size));
    let stack_bytes = placed.as_ref().ok().map(|p| stack_of(&p.layout.params));
    match placed {
        Ok(placed) => out.image = Some(sizes::attribute(&graph, &placed, &exports)),
        Err(e) => note_obstacles(&mut out.obstacles, &e),
    }
    let waits = waits::find(&graph.inputs, &graph.symbols, &graph.live.sections, arch);
    for (export, problems) in exports.iter().zip(&signatures.problems) {
        let mut described = describe(&graph, export, problems);
        if let Some(i) = signatures.index_of(export) {
            let go = package.as_ref().and_then(|p| p.functions.get(i));
            described.tell(&signatures.api.functions()[i], go);
            described.declared = declared.blocking.get(&export.symbol).copied();
        }
        described.stack_bytes = stack_bytes;
        described.wait = blocking::wait_of(&graph.inputs, &waits, export);
        out.exports.push(described);
    }
    out.api = package.iter().flat_map(go_api).collect();
    out.missing = missing(&graph);
    out.kept = graph
        .live
        .sections
        .iter()
        .map(|at| kept(&graph, *at, first_own))
        .collect();
    out.sizes = input_sizes(&graph, &graph.live);
    out.dropped = driver::loadable(&graph.inputs) - out.kept.len();
    Ok(out)
}

fn note_obstacles(list: &mut Vec<String>, error: &Error) {
    list.extend(error.problems.iter().map(|p| p.message.clone()));
}

/// Exports without a wrapper are roots themselves.
fn unwrapped(exports: &[Export], signatures: &Signatures) -> Vec<SecRef> {
    let bare = exports.iter().filter(|e| signatures.index_of(e).is_none());
    bare.map(|e| SecRef {
        obj: e.obj,
        sec: e.section,
    })
    .collect()
}

/// Bytes of a lane between its guard and the control block.
fn stack_of(params: &Params) -> u64 {
    params.lane_control.saturating_sub(contract::GUARD_SIZE)
}

/// What the Go package offers.
fn go_api(package: &GoPackage) -> impl Iterator<Item = GoDeclaration> {
    package.declarations().map(|d| GoDeclaration {
        name: d.name.clone(),
        kind: d.kind.keyword().to_owned(),
        text: d.text.clone(),
        doc: d.doc.join("\n"),
    })
}

/// The signatures of the exports that have one, and why the others have none.
struct Signatures {
    api: Api,
    /// By export.
    problems: Vec<Vec<Problem>>,
}

impl Signatures {
    /// All exports together; where some cannot be expressed, by halves, so that one does not hide the others.
    fn read(library: &Library<'_>, headers: &Headers, no_pairs: bool) -> Signatures {
        let objects = library.sig_objects();
        let parsed = sig::Parsed::with(Vec::new());
        let read = |exports: &[sig::Export]| {
            let read = sig::read(&objects, exports, headers, &parsed)?;
            let conventions = rules::conventions(&read, library.frees, !no_pairs)?;
            Ok(Api::new(read, &conventions))
        };
        let good = |exports: &[sig::Export]| {
            read(exports).and_then(|api| callable(library, &api).map(|()| api))
        };
        let all = library.sig_exports();
        if let Ok(api) = good(&all) {
            let problems = all.iter().map(|_| Vec::new()).collect();
            return Signatures { api, problems };
        }
        let mut problems = Vec::new();
        by_halves(&all, &|part| good(part).map(drop), &mut problems);
        let sound = all.into_iter().zip(&problems).filter(|(_, p)| p.is_empty());
        let sound: Vec<_> = sound.map(|(export, _)| export).collect();
        Signatures {
            api: read(&sound).unwrap_or_default(),
            problems,
        }
    }

    /// The index in the model of an export that can be called.
    fn index_of(&self, export: &Export) -> Option<usize> {
        // They are in the order of their symbols.
        let functions = self.api.functions();
        functions
            .binary_search_by(|f| f.symbol.cmp(&export.symbol))
            .ok()
    }
}

/// The problems of each export, in order; each reading takes as long as what it reads, so as few are made as the bad ones ask for.
fn by_halves(
    exports: &[sig::Export],
    read: &dyn Fn(&[sig::Export]) -> Result<()>,
    problems: &mut Vec<Vec<Problem>>,
) {
    match (read(exports), exports) {
        (Ok(()), _) => problems.extend(exports.iter().map(|_| Vec::new())),
        (Err(e), [_]) => problems.push(e.problems),
        (Err(_), []) => {}
        (Err(_), _) => {
            let (first, second) = exports.split_at(exports.len() / 2);
            by_halves(first, read, problems);
            by_halves(second, read, problems);
        }
    }
}

/// That Go can express the function and the machine can call it.
fn callable(library: &Library<'_>, api: &Api) -> Result<()> {
    let go = api.functions().iter().flat_map(|f| go::unsupported(api, f));
    let machine = api.functions().iter().filter_map(|f| {
        library
            .arch
            .wrapper(api, f, &goabi::frame(api, f), &[], &Uses::None)
            .err()
            .map(|what| Problem::new(format!("{}: {what}", f.symbol)))
    });
    Error::check(Kind::Unsupported, go.chain(machine).collect(), ())
}

impl InspectedExport {
    /// Adds what is known of a function that can be called.
    fn tell(&mut self, function: &Function, go: Option<&String>) {
        self.go = go.cloned().unwrap_or_default();
        if !function.path.is_empty() {
            self.rust.clone_from(&function.path);
        }
        let source = function.source.as_ref();
        self.source = source.map(|s| format!("{}:{}", s.file, s.line));
    }
}

fn describe(graph: &Graph<'_>, export: &Export, problems: &[Problem]) -> InspectedExport {
    let at = SecRef {
        obj: export.obj,
        sec: export.section,
    };
    let object = graph.inputs.object(export.obj);
    let own = object
        .symbols_of(export.section)
        .find(|s| s.names().any(|name| name == export.symbol));
    let reach = live::mark(&graph.inputs, &graph.symbols, &graph.frames, &[at]);
    let stacks = stacks::check(&graph.inputs, &graph.symbols, &reach);
    let stacks = stacks.err().map(|e| e.problems).unwrap_or_default();
    InspectedExport {
        symbol: export.symbol.clone(),
        rust: export.symbol.clone(),
        stack: "lane".to_owned(),
        why: LANE.to_owned(),
        size_own: own.map_or(0, |s| s.size),
        size_reach: reach
            .sections
            .iter()
            .map(|at| graph.inputs.section(*at).size)
            .sum(),
        unsupported: problems
            .iter()
            .chain(&stacks)
            .map(|p| p.message.clone())
            .collect(),
        ..InspectedExport::default()
    }
}

fn missing(graph: &Graph<'_>) -> Vec<Missing> {
    let each = graph.live.undefined.iter().map(|(name, places)| {
        let place = |from: &live::Referrer| {
            let object = graph.inputs.object(from.at.obj);
            let place = object.place(from.at.sec, from.offset);
            format!("{} at {place}", live::describe_at(&graph.inputs, *from))
        };
        let chain = places
            .first()
            .map(|first| live::path(&graph.inputs, &graph.live, *first));
        Missing {
            name: name.clone(),
            needed_by: places.iter().take(3).map(place).collect(),
            chain: chain.unwrap_or_default(),
        }
    });
    each.collect()
}

fn kept(graph: &Graph<'_>, at: SecRef, first_own: u32) -> Kept {
    let object = graph.inputs.object(at.obj);
    let section = graph.inputs.section(at);
    let symbol = main_symbol(object, at.sec);
    let reason = match graph.live.why.get(&at) {
        Some(Some(from)) if from.at.obj != first_own => live::describe_at(&graph.inputs, *from),
        Some(Some(_)) => "export".to_owned(),
        _ if at.obj == first_own => "wrapper".to_owned(),
        _ if section.exec() => "export".to_owned(),
        _ => "runs or is kept without being referred to".to_owned(),
    };
    Kept {
        name: symbol.map_or_else(|| section.name.to_string(), |s| names::demangle(&s.name)),
        symbol: symbol.map(|s| s.name.to_string()).unwrap_or_default(),
        size: section.size,
        section: section.name.to_string(),
        place: object.name.clone(),
        reason,
    }
}

/// The function or variable that a section is for.
fn main_symbol<'o, 'd>(object: &'o Object<'d>, sec: u32) -> Option<&'o Symbol<'d>> {
    let here = object.symbols_of(sec).filter(|s| !s.name.is_empty());
    here.filter(|s| s.kind != SymbolKind::Section)
        .min_by_key(|s| (s.kind != SymbolKind::Func, s.value))
}

fn input_sizes(graph: &Graph<'_>, live: &Live) -> Sizes {
    let mut sizes = Sizes::default();
    for at in &live.sections {
        let section = graph.inputs.section(*at);
        let kind = match section {
            s if s.tls() => &mut sizes.tls,
            s if s.exec() => &mut sizes.code,
            s if s.nobits() => &mut sizes.bss,
            s if s.write() => &mut sizes.data,
            _ => &mut sizes.rodata,
        };
        *kind += section.size;
    }
    let commons = graph
        .symbols
        .commons
        .iter()
        .zip(&live.commons)
        .filter(|(_, kept)| **kept);
    sizes.bss += commons.map(|(c, _)| c.size).sum::<u64>();
    sizes
}
