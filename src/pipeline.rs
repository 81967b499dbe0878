//! The pipeline: every stage of `convert` and of `inspect`, in order. A stage is a function of the folder that has its name. It borrows the
//! values of earlier stages and returns its own; a comment says from where on a value is frozen. `rsyso convert -v` shows what each takes.
//!
//! ```text
//! inputs -> objects -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!              \-> signatures -> conventions -> Api -> Go package -> .go .s
//! ```

use std::ops::Range;
use std::path::Path;

use crate::analyse::convertible::Convertible;
use crate::analyse::{blocking, exports, kept, probes, shadow, sizes, stacks, waits};
use crate::arch::Arch;
use crate::base::diag::{Error, Problem, Result};
use crate::base::options::{ConvertOptions, InspectOptions, library_file};
use crate::base::report::{Converted, Inspection, Progress, Wait, count};
use crate::base::stages::Stages;
use crate::go::{self, Prefix};
use crate::link::functions::NameTable;
use crate::link::graph::{Graph, Placed};
use crate::link::inputs::Inputs;
use crate::link::library::Library;
use crate::link::symtab::ImageSymbol;
use crate::link::{
    SecRef, elf, far, interpose, layout, live, merge, order, plan, resolve, room, symtab, thunks,
    unwind, write,
};
use crate::model::uses::Calls;
use crate::model::{Api, Declared};
use crate::provenance::{self, Header};
use crate::read::{Files, Section, runtime};
use crate::sig::Parsed;
use crate::sig::header::Headers;
use crate::sig::rules;
use crate::{verify, wrappers};

/// Turns a library into a Go package.
pub fn convert(o: &ConvertOptions, progress: &dyn Progress) -> Result<Converted> {
    let t = Stages::new(progress);
    // What is wrong in the options shows before any file is read.
    o.check()?;
    // Where the package goes and what it is called: found out first, so that nothing is done in vain.
    let place = t.run("place", || go::place_of(o))?;

    // Reads the library and the C headers. From here on the bytes of the inputs are fixed.
    let files = t.run("read", || Files::open(&o.inputs))?;
    let headers = t.run("headers", || Headers::open(&o.headers))?;
    files.report(progress);
    // Parses the members into objects, and finds the exports.
    let library = t.run("parse", || Library::parse(&files, &o.exports))?;
    let arch = library.arch;

    // Reads the signatures of the exports, and finds what conventions mean by them.
    let functions = count(library.exports.len(), "function");
    progress.status("Reading", &format!("signatures of {functions}"));
    let read = t.run("signatures", || {
        library.signatures(&library.exports, &headers, &Parsed::with(o.sources.clone()))
    })?;
    let conventions = t.run("conventions", || {
        rules::conventions(&read, library.frees, !o.no_pairs)
    })?;
    // From here on the API is frozen. What flags say of it stands beside it.
    let api = Api::new(read, &conventions);
    let declared = Declared {
        consumes: rules::consumes::consumes(&api, &o.consumes)?,
        trusted: rules::declared::trusted(&api, &o.trust)?,
        blocking: rules::declared::blocking(&api, &o.blocking)?,
    };
    // Plans the Go package. What Go cannot express is refused now, with the parameter's name; so are names that clash, and an API that differs from
    // that of the other architectures that are there. From here on the package is frozen, but for the names of its wrappers.
    let digest = t.run("digest", || library.digest());
    let present = go::present(&place)?;
    let rustc = library.rustc.clone();
    let package = t.run("go", || {
        go::plan(&go::Request {
            place: &place,
            api: &api,
            declared: &declared,
            arch,
            go_prefix: Prefix::new(o.trim_prefix.as_deref()),
            command: o.command.clone(),
            aborts: interpose::aborts(&library.objects),
            rustc: rustc.clone(),
            rsyso: env!("CARGO_PKG_VERSION").to_owned(),
            library: library_file(&o.inputs),
            sha256: provenance::hex(&digest),
            present: present.as_ref(),
        })
    })?;
    if let Some(present) = &present {
        go::agree(present, &package, arch.goarch())?;
    }

    // Links the library, the wrappers and the runtime.
    let inside = o.inside.as_ref();
    let crates = inside.map(|inside| inside.crates.packed());
    let mut linked = link(library, &api, &package.calls, o.stack_size, crates, &t)?;
    let waits = blocking::report(&api, &declared.blocking, &linked.waits);
    blocking::warn(&api, &waits, progress);
    let notes = linked.zeros.iter().chain(&package.notes);
    notes.for_each(|w| progress.warn(w));

    // Writes the header. From here on the image is complete, and its hash names the wrappers.
    let header = Header {
        format: provenance::FORMAT,
        image_size: linked.image.len() as u64,
        fixed_size: linked.fixed_size,
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: rustc.unwrap_or_default(),
        inputs_sha256: digest,
        fixed_sha256: [0; 32],
        writable_sha256: [0; 32],
        package: place.identity().to_owned(),
        crates: linked.crates.clone(),
    };
    t.run("header", || provenance::write(&header, &mut linked.image))?;
    let names = t.run("hash", || wrappers::Names::new(&linked.image));
    symtab::publish(&mut linked.symbols, |wrapper| names.public(wrapper));

    // Wraps the image into an object, and reads that back with another parser.
    let syso_name = format!("{}_linux_{}.syso", place.stem, arch.goarch());
    let crates = provenance::crates(&header, &linked.image).map(<[u8]>::to_vec);
    let syso = t.run("elf", || {
        elf::write(arch, linked.image, &linked.symbols, crates)
    })?;
    progress.status("Verifying", &syso_name);
    t.run("verify", || verify::syso(&syso_name, &syso))?;

    // Prints the Go package: text only.
    let text = t.run("print", || {
        go::print(&package, arch, &|export| names.wrapper(export))
    });

    // Writes all files or none.
    let mut written = vec![(syso_name, syso)];
    written.extend(text.into_iter().map(|f| (f.name, f.text.into_bytes())));
    if let Some(notice) = inside.and_then(|inside| inside.notice.as_ref()) {
        let name = format!("NOTICE_{}.txt", place.stem);
        written.push((name, notice.clone().into_bytes()));
    }
    let written = t.run("write", || go::write(&place, &written, &verify::is_ours))?;
    Ok(Converted {
        package: place.package,
        import_path: place.import_path,
        out_dir: o.out_dir.clone(),
        files: written,
        functions: package.functions,
        image_size: header.image_size,
        kept: linked.kept,
        dropped: linked.dropped,
        waits,
    })
}

/// Finds out everything about a library, without writing anything. What stands in the way of an image is part of the answer.
pub fn inspect(o: &InspectOptions, progress: &dyn Progress) -> Result<Inspection> {
    let t = Stages::new(progress);
    o.check()?;
    let library_file = library_file(&o.inputs);
    let library_name = go::library_name(Path::new(&library_file));
    let place = go::nowhere(&library_name, o.package.as_deref())?;

    // As for `convert`, but that the exports without a signature are left out.
    let files = t.run("read", || Files::open(&o.inputs))?;
    files.report(progress);
    let library = t.run("parse", || Library::parse(&files, &o.exports))?;
    let arch = library.arch;
    let headers = t.run("headers", || Headers::open(&o.headers))?;
    let convertible = t.run("signatures", || {
        Convertible::read(&library, &headers, o.no_pairs)
    });
    let api = &convertible.api;
    let declared = Declared {
        consumes: rules::consumes::consumes(api, &o.consumes)?,
        blocking: rules::declared::blocking(api, &o.blocking)?,
        ..Declared::default()
    };

    // Names may clash between functions that are good one by one; then there is no Go API to show.
    let mut obstacles = Vec::new();
    let package = t.run("go", || {
        go::plan(&go::Request {
            place: &place,
            api,
            declared: &declared,
            arch,
            go_prefix: Prefix::new(o.trim_prefix.as_deref()),
            command: "rsyso".to_owned(),
            aborts: interpose::aborts(&library.objects),
            rustc: library.rustc.clone(),
            rsyso: env!("CARGO_PKG_VERSION").to_owned(),
            library: library_file,
            sha256: String::new(),
            present: None,
        })
    });
    let package = or_none(package, &mut obstacles);
    let plain = Calls::plain(api, &declared);
    let calls = package.as_ref().map_or(&plain, |p| &p.calls);

    // Exports that have no wrapper are roots themselves.
    let wrappers = t.run("wrappers", || wrappers::object(api, arch, calls))?;
    let runtime = t.run("runtime", || runtime::objects(arch.goarch()))?;
    let own = library.objects.len() as u32;
    let inputs = Inputs::new(library.objects, wrappers, runtime);
    let mut roots = inputs.wrapper_sections();
    roots.extend(convertible.without(&library.exports));
    let graph = graph(inputs, &roots, &t)?;
    progress.status("Inspecting", &count(library.exports.len(), "export"));

    // Lays the image out without writing it, and counts its bytes.
    let placed = t
        .run("check", || check(&graph))
        .and_then(|()| lay_out(&graph, arch, o.stack_size, &t));
    let placed = or_none(placed, &mut obstacles);
    let image = t.run("sizes", || {
        placed
            .as_ref()
            .map(|placed| sizes::attribute(&graph, placed, &library.exports))
    });
    let waits = t.run("waits", || {
        waits::find(&graph.inputs, &graph.symbols, &graph.live.sections, arch)
    });
    let exports = t.run("exports", || {
        exports::describe(&exports::Context {
            graph: &graph,
            exports: &library.exports,
            convertible: &convertible,
            go: package.as_ref().map_or(&[], |p| &p.functions),
            blocking: &declared.blocking,
            waits: &waits,
            stack_bytes: placed.as_ref().map(|p| p.stack_bytes()),
        })
    });
    Ok(Inspection {
        library: library_name,
        target: format!("linux/{}", arch.goarch()),
        rustc: library.rustc.unwrap_or_default(),
        package: place.package,
        api: package.iter().flat_map(exports::go_api).collect(),
        exports,
        sizes: kept::input_sizes(&graph),
        missing: kept::missing(&graph),
        image,
        obstacles,
        kept: kept::sections(&graph, own),
        dropped: graph.inputs.loadable() - graph.live.sections.len(),
    })
}

/// An image whose header is not written yet.
struct Linked {
    image: Vec<u8>,
    /// Bytes before the writable part.
    fixed_size: u64,
    symbols: Vec<ImageSymbol>,
    /// By export: how it can wait.
    waits: Vec<Option<Wait>>,
    /// What takes room in the file without need.
    zeros: Option<Problem>,
    /// Where the list of what is inside lies.
    crates: Range<u32>,
    kept: usize,
    dropped: usize,
}

/// From the library's objects to the bytes of the image.
fn link(
    library: Library<'_>,
    api: &Api,
    calls: &Calls,
    lane: u64,
    crates: Option<Vec<u8>>,
    t: &Stages<'_>,
) -> Result<Linked> {
    let (arch, exports) = (library.arch, &library.exports);
    // Assembles the wrappers: one more object. The runtime's objects are the last: from here on none is added.
    let mut wrappers = t.run("wrappers", || wrappers::object(api, arch, calls))?;
    // The list of what is inside is read-only data as any other, which nothing refers to but the header.
    let crates = crates.map(|list| {
        let (obj, sec) = (library.objects.len() as u32, wrappers.sections.len() as u32);
        let size = list.len() as u32;
        wrappers
            .sections
            .push(Section::read_only(".rodata.rsyso_crates", list));
        (SecRef { obj, sec }, size)
    });
    let runtime = t.run("runtime", || runtime::objects(arch.goarch()))?;
    let inputs = Inputs::new(library.objects, wrappers, runtime);
    let roots = inputs.wrapper_sections();
    // Resolves names and marks what is alive. From here on that is frozen.
    let graph = graph(inputs, &roots, t)?;
    let (inputs, live) = (&graph.inputs, &graph.live.sections);
    t.run("check", || check(&graph))?;
    let shadows = shadow::warnings(inputs, &graph.symbols, &graph.live);
    let probes = probes::warning(inputs, live, arch);
    shadows
        .iter()
        .chain(&probes)
        .for_each(|w| t.progress.warn(w));
    // Looks for system calls that wait, and for the exports that reach them.
    let waits = t.run("waits", || waits::find(inputs, &graph.symbols, live, arch));
    let waits = exports.iter().map(|e| blocking::wait_of(inputs, &waits, e));
    let waits = waits.collect();
    let (kept, total) = (live.len(), inputs.loadable());
    t.progress
        .status("Linking", &format!("{kept} of {total} sections"));
    // Gives everything its place. From here on all addresses are frozen.
    let placed = lay_out(&graph, arch, lane, t)?;
    // Writes the bytes, each field checked for range and alignment.
    let image = t.run("image", || write::write(placed.image(&graph, arch)))?;
    let symbols = t.run("symbols", || symtab::table(inputs, &placed.layout));
    let zeros = room::warning(inputs, &graph.symbols, &placed.plan.far, &placed.layout);
    let crates = match crates {
        Some((at, size)) => {
            let place = placed.layout.sections.get(&at);
            let lost = "internal error: the list of crates has no place; please report it";
            let start = *place.ok_or_else(|| Error::fault(Problem::new(lost)))? as u32;
            start..start + size
        }
        None => 0..0,
    };
    Ok(Linked {
        crates,
        image,
        fixed_size: placed.layout.params.rw_offset,
        symbols,
        waits,
        zeros,
        kept,
        dropped: total - kept,
    })
}

/// From objects to what is alive, for both commands.
fn graph<'d>(inputs: Inputs<'d>, roots: &[SecRef], t: &Stages<'_>) -> Result<Graph<'d>> {
    // Says what each symbol of each object stands for. From here on no name is resolved.
    let symbols = t.run("resolve", || resolve::resolve(&inputs, roots))?;
    // Splits the unwind tables into records, which live as long as their functions.
    let frames = t.run("unwind", || unwind::parse(&inputs, &symbols))?;
    // Marks what the roots reach, and keeps who asked for it.
    let live = t.run("mark", || live::mark(&inputs, &symbols, &frames, roots));
    Ok(Graph {
        inputs,
        symbols,
        frames,
        live,
    })
}

/// Refuses what would fail at run time.
fn check(graph: &Graph<'_>) -> Result<()> {
    let (inputs, symbols, live) = (&graph.inputs, &graph.symbols, &graph.live);
    live::check_initialisers(inputs, symbols, live)?;
    // An undefined symbol never becomes a stub that fails later.
    live::check_undefined(inputs, live)?;
    // A switch of stacks would part Rust from its thread-locals.
    stacks::check(inputs, symbols, live)
}

/// From what is alive to a place for each byte of it, for both commands.
fn lay_out(graph: &Graph<'_>, arch: &dyn Arch, lane: u64, t: &Stages<'_>) -> Result<Placed> {
    let Graph {
        inputs,
        symbols,
        frames,
        live,
    } = graph;
    // Chooses the statics that get memory of their own, outside the image.
    let far = t.run("far", || {
        far::choose(inputs, symbols, live, frames, arch, lane)
    })?;
    // Decides what is written in each field, and which code is rewritten; no addresses yet.
    let plan = t.run("plan", || {
        plan::plan(inputs, symbols, live, frames, arch, lane, far)
    })?;
    // Merges equal constants into pools.
    let merged = t.run("merge", || merge::merge(inputs, live, &plan));
    // Collects the names of functions, for messages about faults and panics.
    let names = t.run("names", || NameTable::new(inputs, &|at| live.keeps(at)));
    let cx = order::Context {
        inputs,
        symbols,
        live,
        frames,
        plan: &plan,
        merged: &merged,
        names: &names,
        arch,
        lane_size: lane,
    };
    // Chooses where branches that would not reach need a step in between.
    let thunks = t.run("thunks", || thunks::plan(cx));
    // Gives everything its address.
    let layout = t.run("layout", || layout::layout(cx, &thunks))?;
    Ok(Placed {
        plan,
        thunks,
        merged,
        names,
        layout,
    })
}

/// Leaves out what cannot be, and tells why.
fn or_none<T>(result: Result<T>, obstacles: &mut Vec<String>) -> Option<T> {
    let told = |e: Error| obstacles.extend(e.problems.into_iter().map(|p| p.message));
    result.map_err(told).ok()
}
