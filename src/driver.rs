//! The driver: a call and a sentence per stage.

use crate::analyse::{blocking, probes, shadow, stacks, waits};
use crate::arch::{self, Arch};
use crate::base::diag::{Error, Problem, Result};
use crate::base::options::{ConvertOptions, base_name};
use crate::base::report::{Converted, Progress, Wait, count};
use crate::go::Prefix;
use crate::link::exports::{self, Export};
use crate::link::functions::NameTable;
use crate::link::layout::Layout;
use crate::link::live::Live;
use crate::link::merge::Merged;
use crate::link::plan::Plan;
use crate::link::symbols::{Inputs, Symbols};
use crate::link::thunks::Thunks;
use crate::link::unwind::Frames;
use crate::link::{
    SecRef, elf, far, image, interpose, layout, live, merge, plan, symbols, symtab, thunks, unwind,
};
use crate::model::uses::Calls;
use crate::model::{Api, Declared};
use crate::provenance::{self, Header};
use crate::read::runtime;
use crate::read::{self, Bind, Def, Files, Object, Section};
use crate::sig::header::Headers;
use crate::sig::rules;
use crate::{go, sig, verify, wrappers};
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Turns a library into a Go package.
pub fn convert(o: &ConvertOptions, progress: &dyn Progress) -> Result<Converted> {
    // What is wrong in the options shows before any file is read.
    o.check()?;
    // Where the package goes and what it is called: found out first, so that nothing is done in vain.
    let env = std::env::var("GOPACKAGE").ok();
    let place = go::place(
        &o.inputs,
        &o.out_dir,
        o.package.as_deref(),
        o.stem.as_deref(),
        o.import_path.as_deref(),
        env.as_deref(),
    )?;
    // From here on the bytes of the inputs are fixed.
    let files = Files::open(&o.inputs)?;
    let headers = headers(&o.headers)?;
    report_inputs(&files, progress);
    let library = read(&files, &o.exports)?;
    progress.status(
        "Reading",
        &format!("signatures of {}", count(library.exports.len(), "function")),
    );
    // What is read, what is meant by it, and the API that both make: from here on it is fixed. What flags say of it stands beside it.
    let read = sig::read(
        &library.sig_objects(),
        &library.sig_exports(),
        &headers,
        &sig::Parsed::with(o.sources.clone()),
    )?;
    let conventions = rules::conventions(&read, library.frees, !o.no_pairs)?;
    let api = Api::new(read, &conventions);
    let declared = Declared {
        consumes: rules::consumes::consumes(&api, &o.consumes)?,
        trusted: rules::declared::trusted(&api, &o.trust)?,
        blocking: rules::declared::blocking(&api, &o.blocking)?,
    };
    // What Go cannot express is refused before anything is linked, with the parameter's name; so are names that clash, and an API that differs
    // from that of the other architectures that are there. From here on the package is fixed, but for the names of its wrappers.
    let digest = digest(&library);
    let present = go::present(&place)?;
    let (arch, rustc) = (library.arch, library.rustc.clone());
    let package = go::plan(&go::Request {
        place: &place,
        api: &api,
        declared: &declared,
        arch,
        go_prefix: prefix(o.trim_prefix.as_deref()),
        command: o.command.clone(),
        aborts: interpose::aborts(&library.objects),
        rustc: rustc.clone(),
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        library: base_name(o.inputs.first().map_or(Path::new(""), PathBuf::as_path)),
        sha256: provenance::hex(&digest),
        present: present.as_ref(),
    })?;
    if let Some(present) = &present {
        go::agree(present, &package, arch.goarch())?;
    }
    let identity = place
        .import_path
        .clone()
        .unwrap_or_else(|| place.package.clone());
    // The wrappers are one more object; from here on no object is added.
    let crates = o.inside.as_ref().map(|inside| inside.crates.packed());
    let linked = link(
        library,
        &api,
        &package.calls,
        o.stack_size,
        crates.as_deref(),
        progress,
    )?;
    let header = Header {
        format: provenance::FORMAT,
        image_size: linked.image.len() as u64,
        fixed_size: linked.layout.params.rw_offset,
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: rustc.unwrap_or_default(),
        inputs_sha256: digest,
        fixed_sha256: [0; 32],
        writable_sha256: [0; 32],
        package: identity,
        crates: linked.crates.clone(),
    };
    let syso_name = format!("{}_linux_{}.syso", place.stem, arch.goarch());
    let (kept, dropped) = (linked.kept, linked.dropped);
    let waits = blocking::report(&api, &declared.blocking, &linked.waits);
    blocking::warn(&api, &waits, progress);
    if let Some(zeros) = &linked.zeros {
        progress.warn(zeros);
    }
    for note in &package.notes {
        progress.warn(note);
    }
    let (syso, names) = seal(linked, &header, arch, &syso_name, progress)?;
    // The Go side: text only.
    let text = go::print(&package, arch, &|export| names.wrapper(export));
    // All files or none.
    let mut files = vec![(syso_name, syso)];
    files.extend(text.into_iter().map(|f| (f.name, f.text.into_bytes())));
    if let Some(notice) = o.inside.as_ref().and_then(|inside| inside.notice.as_ref()) {
        files.push((
            format!("NOTICE_{}.txt", place.stem),
            notice.clone().into_bytes(),
        ));
    }
    let written = go::write(&place, &files, &is_ours)?;
    Ok(Converted {
        package: place.package,
        import_path: place.import_path,
        out_dir: o.out_dir.clone(),
        files: written,
        functions: package.functions,
        image_size: header.image_size,
        kept,
        dropped,
        waits,
    })
}

/// What Go names leave out.
pub(crate) fn prefix(trim: Option<&str>) -> Prefix {
    trim.map_or(Prefix::Auto, |prefix| Prefix::Given(prefix.to_owned()))
}

/// Whether a file that is in the way is a `.syso` of an earlier run.
fn is_ours(data: &[u8]) -> bool {
    verify::is_object(data) && !provenance::find(data).is_empty()
}

pub(crate) fn report_inputs(files: &Files, progress: &dyn Progress) {
    for (name, bytes, members) in files.summary() {
        let what = format!("{name} ({:.1} MB, {members} members)", bytes as f64 / 1e6);
        progress.status("Reading", &what);
    }
}

/// A library as it was read.
pub(crate) struct Library<'d> {
    pub(crate) objects: Vec<Object<'d>>,
    pub(crate) arch: &'static dyn Arch,
    pub(crate) exports: Vec<Export>,
    pub(crate) rustc: Option<String>,
    /// Whether it has the function of `rsyso-ffi` that frees memory.
    pub(crate) frees: bool,
}

impl Library<'_> {
    /// The objects, for their signatures.
    pub(crate) fn sig_objects(&self) -> Vec<sig::Object<'_>> {
        let objects = self.objects.iter().map(|o| sig::Object {
            name: o.name.clone(),
            data: o.data,
            rust: o.rustc.is_some(),
        });
        objects.collect()
    }

    /// The exports, for their signatures.
    pub(crate) fn sig_exports(&self) -> Vec<sig::Export> {
        let exports = self.exports.iter().map(|e| sig::Export {
            symbol: e.symbol.clone(),
            object: e.obj as usize,
            section: e.section as usize,
            offset: e.offset,
        });
        exports.collect()
    }
}

/// Parses the inputs and finds the exports.
pub(crate) fn read<'d>(files: &'d Files, globs: &[String]) -> Result<Library<'d>> {
    let objects = read::objects(files)?;
    let machine = objects.first().map_or(0, |o| o.machine);
    let arch =
        arch::by_machine(machine).ok_or_else(|| Error::fault(Problem::new("unknown machine")))?;
    let exports = exports::find(&objects, globs)?;
    // The library's own objects tell its compiler; std's may have been built by another.
    let own = exports
        .iter()
        .find_map(|e| objects[e.obj as usize].rustc.clone());
    let frees = objects
        .iter()
        .flat_map(|o| &o.symbols)
        .any(|s| s.name == rules::owned::FREE && s.def != Def::Undefined);
    Ok(Library {
        objects,
        arch,
        exports,
        rustc: own,
        frees,
    })
}

/// Reads C headers.
pub(crate) fn headers(paths: &[PathBuf]) -> Result<Headers> {
    let mut files = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).map_err(|e| {
            Error::fault(Problem::new(format!("cannot read {}: {e}", path.display())))
        })?;
        files.push((base_name(path), bytes));
    }
    Headers::read(&files)
}

/// SHA-256 over what the inputs load, and the runtime, by its own sum. Debug information does not take part: it names the folders of the machine
/// that built the library, and what it says of the API is in the Go files.
fn digest(library: &Library<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(runtime::sha256(library.arch.goarch()).unwrap_or_default());
    let number = |hash: &mut Sha256, n: u64| hash.update(n.to_le_bytes());
    for object in &library.objects {
        for section in object.sections.iter().filter(|section| section.alloc()) {
            for n in [
                section.flags,
                section.size,
                section.align,
                section.data.len() as u64,
            ] {
                number(&mut hash, n);
            }
            hash.update(&section.data);
            for reloc in &section.relocs {
                let [kind, symbol] = [reloc.r_type, reloc.symbol].map(u64::from);
                for n in [reloc.offset, kind, symbol, reloc.addend as u64] {
                    number(&mut hash, n);
                }
            }
        }
        for symbol in &object.symbols {
            number(&mut hash, symbol.value);
            number(&mut hash, symbol.size);
            // Names that compilers make have hashes in them, which tell the folder of a crate outside of the workspace.
            let made = ["_ZN", "_R"].iter().any(|p| symbol.name.starts_with(p));
            if symbol.bind != Bind::Local && !made && !symbol.name.contains('.') {
                number(&mut hash, symbol.name.len() as u64);
                hash.update(symbol.name.as_bytes());
            }
        }
    }
    hash.finalize().into()
}

/// An image before its header is written.
pub(crate) struct Linked {
    image: Vec<u8>,
    layout: Layout,
    symbols: Vec<symtab::ImageSymbol>,
    kept: usize,
    dropped: usize,
    /// By export: how it can wait.
    waits: Vec<Option<Wait>>,
    /// What takes room in the file without need.
    zeros: Option<Problem>,
    /// Where the list of what is inside lies.
    crates: Range<u32>,
}

/// What is alive, and the tables that tell it.
pub(crate) struct Graph<'d> {
    pub(crate) inputs: Inputs<'d>,
    pub(crate) symbols: Symbols,
    pub(crate) frames: Vec<Frames>,
    pub(crate) live: Live,
}

impl Graph<'_> {
    /// Refuses what would fail at run time.
    pub(crate) fn check(&self) -> Result<()> {
        // A name that nobody provides never becomes a stub that fails later.
        live::check_initialisers(&self.inputs, &self.symbols, &self.live)?;
        live::check_undefined(&self.inputs, &self.live)?;
        // A switch of stacks would part Rust from its thread-locals.
        stacks::check(&self.inputs, &self.symbols, &self.live)
    }
}

/// Resolves names and marks what the roots reach: the objects of rsyso's own (`extra`), or given sections.
pub(crate) fn reach<'d>(
    objects: Vec<Object<'d>>,
    runtime: &'d Files,
    extra: Object<'d>,
    roots: Vec<SecRef>,
) -> Result<Graph<'d>> {
    let mut inputs = Inputs {
        objects,
        runtime_from: 0,
        wrappers: None,
    };
    let wrappers = inputs.objects.len() as u32;
    let own = (1..extra.sections.len() as u32).map(|sec| SecRef { obj: wrappers, sec });
    let roots: Vec<_> = own.chain(roots).collect();
    inputs.objects.push(extra);
    inputs.wrappers = Some(wrappers);
    inputs.runtime_from = inputs.objects.len();
    inputs.objects.extend(read::objects(runtime)?);
    let symbols = symbols::resolve(&inputs, &roots)?;
    let frames = unwind::parse(&inputs, &symbols)?;
    let live = live::mark(&inputs, &symbols, &frames, &roots);
    Ok(Graph {
        inputs,
        symbols,
        frames,
        live,
    })
}

/// The embedded runtime of an architecture.
pub(crate) fn runtime(arch: &dyn Arch) -> Result<Files> {
    let bytes = runtime::archive(arch.goarch()).ok_or_else(|| {
        Error::unsupported(Problem::new(format!(
            "this rsyso was built without the runtime for {}",
            arch.goarch()
        )))
    })?;
    Files::from_bytes("rsyso-rt", bytes.to_vec())
}

/// Links the library, the wrappers and the runtime into an image.
fn link(
    library: Library<'_>,
    api: &Api,
    calls: &Calls,
    lane_size: u64,
    crates: Option<&[u8]>,
    progress: &dyn Progress,
) -> Result<Linked> {
    let arch = library.arch;
    let mut extra = wrappers::object(api, arch, calls)?;
    // Read-only data as any other, which nothing refers to but the header.
    let crates = crates.map(|list| {
        let sec = extra.sections.len() as u32;
        let list = Section::read_only(".rodata.rsyso_crates", list.to_vec());
        let size = list.size as u32;
        extra.sections.push(list);
        let obj = library.objects.len() as u32;
        (SecRef { obj, sec }, size)
    });
    let runtime = runtime(arch)?;
    let exports = library.exports;
    let graph = reach(library.objects, &runtime, extra, Vec::new())?;
    graph.check()?;
    let shadows = shadow::warnings(&graph.inputs, &graph.symbols, &graph.live);
    let probes = probes::warning(&graph.inputs, &graph.live.sections, arch);
    for warning in shadows.into_iter().chain(probes) {
        progress.warn(&warning);
    }
    let waits = waits::find(&graph.inputs, &graph.symbols, &graph.live.sections, arch);
    let wait_of = |e| blocking::wait_of(&graph.inputs, &waits, e);
    let waits = exports.iter().map(wait_of).collect();
    let total = loadable(&graph.inputs);
    let kept = graph.live.sections.len();
    progress.status("Linking", &format!("{kept} of {total} sections"));
    let placed = place(&graph, arch, lane_size)?;
    let image = image::write(image::Context {
        inputs: &graph.inputs,
        plan: &placed.plan,
        thunks: &placed.thunks,
        merged: &placed.merged,
        names: &placed.names,
        looked_up: &graph.live.looked_up,
        layout: &placed.layout,
        frames: &graph.frames,
        arch,
    })?;
    let symbols = symtab::table(&graph.inputs, &placed.layout);
    let zeros = far::warning(
        &graph.inputs,
        &graph.symbols,
        &placed.plan.far,
        &placed.layout,
    );
    let crates = crates.map_or(0..0, |(at, size)| {
        let start = placed.layout.sections.get(&at).map_or(0, |at| *at as u32);
        start..start + size
    });
    Ok(Linked {
        zeros,
        crates,
        image,
        layout: placed.layout,
        symbols,
        kept,
        dropped: total - kept,
        waits,
    })
}

/// What is alive, with a place for each byte of it.
pub(crate) struct Placed {
    pub(crate) plan: Plan,
    pub(crate) thunks: Thunks,
    pub(crate) merged: Merged,
    pub(crate) names: NameTable,
    pub(crate) layout: Layout,
}

/// Gives everything in the graph its place in the image.
pub(crate) fn place(graph: &Graph<'_>, arch: &dyn Arch, lane_size: u64) -> Result<Placed> {
    let Graph {
        inputs,
        symbols,
        frames,
        live,
    } = graph;
    let far = far::choose(inputs, symbols, live, frames, arch, lane_size)?;
    let plan = plan::plan(inputs, symbols, live, frames, arch, lane_size, far)?;
    let merged = merge::merge(inputs, live, &plan);
    let names = NameTable::new(inputs, &|at| live.keeps(at));
    let cx = layout::Context {
        inputs,
        symbols,
        live,
        frames,
        plan: &plan,
        merged: &merged,
        names: &names,
        arch,
        lane_size,
    };
    let thunks = thunks::plan(cx);
    let layout = layout::layout(cx, &thunks)?;
    Ok(Placed {
        plan,
        thunks,
        merged,
        names,
        layout,
    })
}

/// Number of sections that could be loaded.
pub(crate) fn loadable(inputs: &Inputs<'_>) -> usize {
    inputs
        .objects
        .iter()
        .map(|o| o.sections.iter().filter(|s| s.alloc()).count())
        .sum()
}

/// Writes the header, names the wrappers, wraps the image into an object, and reads that back with another parser.
fn seal(
    mut linked: Linked,
    header: &Header,
    arch: &dyn Arch,
    name: &str,
    progress: &dyn Progress,
) -> Result<(Vec<u8>, wrappers::Names)> {
    provenance::write(header, &mut linked.image).map_err(|e| {
        Error::fault(Problem::new(format!(
            "cannot write the header of the image: {e}"
        )))
    })?;
    let names = wrappers::Names::new(&linked.image);
    for wrapper in linked.symbols.iter_mut().filter(|s| s.global) {
        wrapper.name = names.public(&wrapper.name);
    }
    let crates = provenance::crates(header, &linked.image).map(<[u8]>::to_vec);
    let syso = elf::write(arch, linked.image, &linked.symbols, crates)?;
    progress.status("Verifying", name);
    verify::syso(name, &syso)?;
    Ok((syso, names))
}
