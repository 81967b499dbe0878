//! The stages of the linking core, in order: from objects to what is alive, to a place for each byte, to the bytes.

use std::ops::Range;

use crate::analyse::{blocking, probes, shadow, stacks, waits};
use crate::arch::Arch;
use crate::base::diag::{Error, Problem, Result};
use crate::base::report::Wait;
use crate::base::stages::Stages;
use crate::link::functions::NameTable;
use crate::link::graph::{Graph, Placed};
use crate::link::inputs::Inputs;
use crate::link::library::Library;
use crate::link::symtab::ImageSymbol;
use crate::link::{
    SecRef, digest, far, layout, live, merge, order, plan, resolve, symtab, thunks, unwind, write,
};
use crate::model::Api;
use crate::model::uses::Calls;
use crate::provenance::{self, Header, Sum};
use crate::read::{Object, Section, runtime};
use crate::wrappers;

/// An image whose header is not written yet.
pub struct Linked {
    /// The bytes.
    pub image: Vec<u8>,
    /// Over what it is made of.
    pub digest: Sum,
    /// The version of the library's compiler; empty when unknown.
    rustc: String,
    /// Bytes before the writable part.
    pub fixed_size: u64,
    /// What its parts are called.
    pub symbols: Vec<ImageSymbol>,
    /// By export: how it can wait.
    pub waits: Vec<Option<Wait>>,
    /// What takes room in the file without need.
    pub zeros: Option<Problem>,
    /// Where the list of what is inside lies.
    pub crates: Range<u32>,
    /// Sections that the exports reach.
    pub kept: usize,
    /// Sections that they do not.
    pub dropped: usize,
}

impl Linked {
    /// The image's header, but for the sums, which are taken when it is written.
    pub fn header(&self, package: &str) -> Header {
        Header {
            format: provenance::FORMAT,
            image_size: self.image.len() as u64,
            fixed_size: self.fixed_size,
            rsyso: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: self.rustc.clone(),
            inputs_sha256: self.digest,
            fixed_sha256: Sum::default(),
            writable_sha256: Sum::default(),
            package: package.to_owned(),
            crates: self.crates.clone(),
        }
    }
}

/// From the library's objects to the bytes of the image.
pub fn link(
    library: Library<'_>,
    api: &Api,
    calls: &Calls,
    (lane, backtraces): (u64, bool),
    crates: Option<Vec<u8>>,
    t: &Stages<'_>,
) -> Result<Linked> {
    let (arch, exports) = (library.arch, &library.exports);
    let rustc = library.rustc.unwrap_or_default();
    // Assembles the wrappers: one more object.
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
    // Resolves names and marks what is alive. From here on that is frozen.
    let graph = graph((library.objects, wrappers), Vec::new(), arch, backtraces, t)?;
    let (inputs, live) = (&graph.inputs, &graph.live.sections);
    t.run("check", || check(&graph))?;
    let digest = t.run("digest", || digest::digest(&graph, arch.goarch()));
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
    let symbols = t.run("symbols", || {
        symtab::table(inputs, &placed.layout, &placed.names)
    });
    let zeros = layout::room::warning(inputs, &graph.symbols, &placed.plan.far, &placed.layout);
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
        digest,
        rustc,
        fixed_size: placed.layout.params.rw_offset,
        symbols,
        waits,
        zeros,
        kept,
        dropped: total - kept,
    })
}

/// From objects to what is alive, for both commands: what the wrappers reach, and what `roots` do.
pub fn graph<'d>(
    (library, wrappers): (Vec<Object<'d>>, Object<'d>),
    mut roots: Vec<SecRef>,
    arch: &dyn Arch,
    backtraces: bool,
    t: &Stages<'_>,
) -> Result<Graph<'d>> {
    // The runtime's objects are the last: from here on none is added.
    let runtime = t.run("runtime", || runtime::objects(arch.goarch()))?;
    let inputs = Inputs::new(library, wrappers, runtime);
    roots.splice(0..0, inputs.wrapper_sections());
    // Says what each symbol of each object stands for. From here on no name is resolved.
    let symbols = t.run("resolve", || resolve::resolve(&inputs, &roots, backtraces))?;
    // Splits the unwind tables into records, which live as long as their functions.
    let frames = t.run("unwind", || unwind::parse(&inputs, &symbols))?;
    // Marks what the roots reach, and keeps who asked for it.
    let live = t.run("mark", || live::mark(&inputs, &symbols, &frames, &roots));
    Ok(Graph {
        inputs,
        symbols,
        frames,
        live,
    })
}

/// Refuses what would fail at run time.
pub fn check(graph: &Graph<'_>) -> Result<()> {
    let (inputs, symbols, live) = (&graph.inputs, &graph.symbols, &graph.live);
    live::check_initialisers(inputs, symbols, live)?;
    // An undefined symbol never becomes a stub that fails later.
    live::check_undefined(inputs, live)?;
    // A switch of stacks would part Rust from its thread-locals.
    stacks::check(inputs, symbols, live)
}

/// From what is alive to a place for each byte of it, for both commands.
pub fn lay_out(graph: &Graph<'_>, arch: &dyn Arch, lane: u64, t: &Stages<'_>) -> Result<Placed> {
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
