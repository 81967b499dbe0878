//! What `inspect` finds out: the exports, what each takes along, what is missing and who needs it.

use crate::diag::{Error, Kind, Problem, Result};
use crate::driver::{self, Graph, Library};
use crate::gopkg::Prefix;
use crate::input::{Def, Files, Object, Symbol, SymbolKind};
use crate::link::exports::Export;
use crate::link::live::{self, Live};
use crate::link::{SecRef, names, stacks, waits};
use crate::model::Api;
use crate::options::InspectOptions;
use crate::report::{InspectedExport, Inspection, Kept, Missing, Progress, Sizes};
use crate::sig::header::Headers;
use crate::{blocking, goabi, gopkg, sig, wrappers};
use std::path::{Path, PathBuf};

/// Why an export runs in a lane.
const LANE: &str = "every call runs on the lane of its thread";

/// Finds out everything about a library, without writing anything.
pub fn inspect(o: &InspectOptions, progress: &dyn Progress) -> Result<Inspection> {
    let files = Files::open(&o.inputs)?;
    driver::report_inputs(&files, progress);
    let library = driver::read(&files, &o.exports)?;
    let arch = library.arch;
    let library_name =
        gopkg::library_name(o.inputs.first().map_or(Path::new(""), PathBuf::as_path));
    let headers = driver::headers(&o.headers)?;
    let signatures = Signatures::read(&library, &library_name, &headers, o.no_pairs);
    let mut out = Inspection {
        library: library_name.clone(),
        target: format!("linux/{}", arch.goarch()),
        rustc: library.rustc.clone().unwrap_or_default(),
        ..Inspection::default()
    };
    let exports = library.exports.clone();
    let names = wrappers::Names::new("inspect", &[0; 32], 0);
    let extra = wrappers::object(&signatures.api, arch, &names)?;
    let first_own = library.objects.len() as u32;
    let runtime = driver::runtime(arch)?;
    // Exports without a wrapper are roots themselves.
    let roots = exports.iter().map(|e| SecRef {
        obj: e.obj,
        sec: e.section,
    });
    let graph = driver::reach(library.objects, &runtime, extra, roots.collect())?;
    progress.status("Inspecting", &format!("{} exports", exports.len()));
    let waits = waits::find(&graph.inputs, &graph.symbols, &graph.live.sections, arch);
    for (export, signature) in exports.iter().zip(&signatures.each) {
        let mut described = describe(&graph, export, signature);
        described.wait = blocking::wait_of(&graph.inputs, &waits, export);
        out.exports.push(described);
    }
    out.missing = missing(&graph);
    out.kept = graph
        .live
        .sections
        .iter()
        .map(|at| kept(&graph, *at, first_own))
        .collect();
    out.sizes = sizes(&graph, &graph.live);
    out.dropped = driver::loadable(&graph.inputs) - out.kept.len();
    Ok(out)
}

/// The signature of each export, or why it has none.
struct Signatures {
    api: Api,
    each: Vec<Signature>,
}

struct Signature {
    go: String,
    rust: String,
    source: Option<String>,
    problems: Vec<Problem>,
}

impl Signatures {
    /// One export at a time, so that one that cannot be expressed does not hide the others.
    fn read(library: &Library<'_>, name: &str, headers: &Headers, no_pairs: bool) -> Signatures {
        let objects: Vec<_> = library
            .objects
            .iter()
            .map(|o| sig::Object {
                name: o.name.clone(),
                data: o.data,
            })
            .collect();
        let read = |exports: &[sig::Export]| {
            let mut api = sig::read(&objects, exports, headers)?;
            library.conventions(&mut api, no_pairs)?;
            Ok(api)
        };
        let mut good = Vec::new();
        let mut problems_of = Vec::new();
        for export in &library.exports {
            let one = read(&[driver::sig_export(export)]).and_then(|api| callable(library, &api));
            let problems = one.err().map(|e| e.problems).unwrap_or_default();
            if problems.is_empty() {
                good.push(driver::sig_export(export));
            }
            problems_of.push(problems);
        }
        let api = read(&good).unwrap_or_default();
        // Names may clash between functions that are good one by one; then there is no declaration to show.
        let declarations = gopkg::declarations(&api, &Prefix::Auto, name).unwrap_or_default();
        let each = library.exports.iter().zip(problems_of);
        let each = each
            .map(|(export, problems)| signature(&api, &declarations, export, problems))
            .collect();
        Signatures { api, each }
    }
}

/// That Go can express the function and the machine can call it.
fn callable(library: &Library<'_>, api: &Api) -> Result<()> {
    let go = api
        .functions
        .iter()
        .flat_map(|f| gopkg::unsupported(api, f));
    let machine = api.functions.iter().filter_map(|f| {
        library
            .arch
            .wrapper(api, f, &goabi::frame(api, f), &[])
            .err()
            .map(|what| Problem::new(format!("{}: {what}", f.symbol)))
    });
    Error::check(Kind::Unsupported, go.chain(machine).collect(), ())
}

fn signature(
    api: &Api,
    declarations: &[String],
    export: &Export,
    problems: Vec<Problem>,
) -> Signature {
    let index = api.functions.iter().position(|f| f.symbol == export.symbol);
    let function = index.map(|i| &api.functions[i]);
    Signature {
        go: index
            .and_then(|i| declarations.get(i).cloned())
            .unwrap_or_default(),
        rust: function
            .filter(|f| !f.path.is_empty())
            .map_or_else(|| export.symbol.clone(), |f| f.path.clone()),
        source: function
            .and_then(|f| f.source.as_ref())
            .map(|s| format!("{}:{}", s.file, s.line)),
        problems,
    }
}

fn describe(graph: &Graph<'_>, export: &Export, signature: &Signature) -> InspectedExport {
    let at = SecRef {
        obj: export.obj,
        sec: export.section,
    };
    let object = graph.inputs.object(export.obj);
    let own = object
        .symbols
        .iter()
        .find(|s| s.name == export.symbol && s.def == Def::Section(export.section));
    let reach = live::mark(&graph.inputs, &graph.symbols, &graph.frames, &[at]);
    let stacks = stacks::check(&graph.inputs, &graph.symbols, &reach);
    let stacks = stacks.err().map(|e| e.problems).unwrap_or_default();
    InspectedExport {
        symbol: export.symbol.clone(),
        go: signature.go.clone(),
        rust: signature.rust.clone(),
        source: signature.source.clone(),
        stack: "lane".to_owned(),
        why: LANE.to_owned(),
        size_own: own.map_or(0, |s| s.size),
        size_reach: reach
            .sections
            .iter()
            .map(|at| graph.inputs.section(*at).size)
            .sum(),
        wait: None,
        unsupported: signature
            .problems
            .iter()
            .chain(&stacks)
            .map(|p| p.message.clone())
            .collect(),
    }
}

fn missing(graph: &Graph<'_>) -> Vec<Missing> {
    let each = graph.live.undefined.iter().map(|(name, places)| {
        let place = |(at, offset): &(SecRef, u64)| {
            let place = graph.inputs.object(at.obj).place(at.sec, *offset);
            format!("{} at {place}", live::describe(&graph.inputs, *at))
        };
        let chain = places
            .first()
            .map(|(at, _)| live::path(&graph.inputs, &graph.live, *at));
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
        Some(Some(from)) if from.obj != first_own => live::describe(&graph.inputs, *from),
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
    let here = object
        .symbols
        .iter()
        .filter(|s| s.def == Def::Section(sec) && !s.name.is_empty());
    here.filter(|s| s.kind != SymbolKind::Section)
        .min_by_key(|s| (s.kind != SymbolKind::Func, s.value))
}

fn sizes(graph: &Graph<'_>, live: &Live) -> Sizes {
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
