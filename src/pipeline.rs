//! The pipeline: every stage of `convert` and of `inspect`, in order. A stage is a function of the folder that has its name. It borrows the
//! values of earlier stages and returns its own; a comment says from where on a value is frozen. `rsyso convert -v` shows what each takes.
//! The stages from objects to the bytes of an image are in [`linking`]: both commands go through them.
//!
//! ```text
//! inputs -> objects -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!              \-> signatures -> conventions -> Api -> Go package -> .go .s
//! ```

mod linking;

use std::path::{Path, PathBuf};

use crate::analyse::convertible::Convertible;
use crate::analyse::{blocking, exports, kept, sizes, waits};
use crate::base::diag::{Error, Result};
use crate::base::options::{ConvertOptions, InspectOptions, library_file};
use crate::base::report::{Converted, Inspection, Progress, count};
use crate::base::stages::Stages;
use crate::go::{self, CgoPresent, GoPackage, Prefix};
use crate::link::library::Library;
use crate::link::{elf, interpose, symtab};
use crate::model::uses::Calls;
use crate::model::{Api, Declared, Signatures};
use crate::provenance;
use crate::read::Files;
use crate::shim::{self, Shim};
use crate::sig::Parsed;
use crate::sig::header::Headers;
use crate::sig::rules;
use crate::{verify, wrappers};

/// A Go package that is not written yet.
pub struct Made {
    /// Where it goes.
    pub place: go::Place,
    /// Its files: their names and their bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What is told of it, but for the paths of its files.
    pub told: Converted,
}

/// Turns a library into a Go package.
pub fn convert(o: &ConvertOptions, progress: &dyn Progress) -> Result<Converted> {
    let Made { place, files, told } = make(o, None, progress)?;
    // Writes all files or none.
    let written =
        Stages::new(progress).run("write", || go::write(&place, &files, &verify::is_ours))?;
    Ok(Converted {
        files: written,
        ..told
    })
}

/// Everything that [`convert`] does, but for the writing. Where it is `known` what the exports take and give, that is not read from the library.
pub fn make(
    o: &ConvertOptions,
    known: Option<Signatures>,
    progress: &dyn Progress,
) -> Result<Made> {
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
    let library = t.run("parse", || Library::parse(&files, o.named(), &headers))?;
    let arch = library.arch;

    // Reads what the exports are. From here on the API is frozen. What flags say of it stands beside it.
    let (api, declared) = offered(&library, &headers, known, o, &t)?;
    // Of all members and of all debug information, less than a tenth goes into an image.
    files.release();
    // Plans the Go package. From here on the package is frozen, but for the names of its wrappers.
    let (package, shim, cgo_present) = planned(&library, o, &place, (&api, &declared), &t)?;

    // Links the library, the wrappers and the runtime.
    let crates = o.inside.as_ref().map(|inside| inside.crates.clone());
    let lane = (o.stack_size, o.backtrace);
    let mut linked = linking::link(library, &api, &package.calls, lane, crates, &t)?;
    let (kept, dropped) = (linked.kept, linked.dropped);
    let waits = blocking::report(&api, &declared.blocking, &linked.waits);
    blocking::warn(&api, &waits, &declared.bare, progress);
    let notes = linked.zeros.iter().chain(&package.notes);
    notes.for_each(|w| progress.warn(w));

    // Writes the header. From here on the image is complete, and its hash names the wrappers.
    let header = linked.header(place.identity());
    t.run("header", || provenance::write(&header, &mut linked.image))?;
    let names = t.run("hash", || wrappers::Names::new(&linked.image));
    symtab::publish(&mut linked.symbols, |wrapper| names.public(wrapper));

    // Wraps the image into an object, and reads that back with another parser.
    let name = format!("{}_linux_{}.syso", place.stem, arch.goarch());
    let syso = wrapped(&name, arch, linked, &header, &t)?;

    // What earlier runs left for cgo must be of the same sources.
    let sum = provenance::hex(&header.inputs_sha256);
    if let (Some(present), Some(shim)) = (&cgo_present, &shim) {
        present.check(arch.goarch(), (&package, &sum), &shim.id, &o.cgo)?;
    }
    // Prints the Go package: text only.
    let text = t.run("print", || {
        go::print(&package, arch, &sum, &|export| names.wrapper(export))
    });

    // The inputs must be what they were.
    files.unchanged()?;
    let mut files = vec![(name, syso)];
    files.extend(text.into_iter().map(|f| (f.name, f.text.into_bytes())));
    files.extend(o.inside.iter().filter_map(|i| i.notice_file(&place.stem)));
    let told = Converted {
        functions: package.functions,
        image_size: header.image_size,
        kept,
        dropped,
        waits,
        shim: shim.map(|shim| (shim.source, shim.id)),
        ..about(&place)
    };
    Ok(Made { place, files, told })
}

/// The image as an object, read back with another parser.
fn wrapped(
    name: &str,
    arch: &dyn crate::arch::Arch,
    linked: linking::Linked,
    header: &provenance::Header,
    t: &Stages<'_>,
) -> Result<Vec<u8>> {
    let crates = provenance::crates(header, &linked.image).map(<[u8]>::to_vec);
    let syso = t.run("elf", || {
        elf::write(arch, linked.image, &linked.symbols, crates)
    })?;
    t.progress.status("Verifying", name);
    t.run("verify", || verify::syso(name, &syso))?;
    Ok(syso)
}

/// What is told of a package before it is known.
fn about(place: &go::Place) -> Converted {
    Converted {
        package: place.package.clone(),
        import_path: place.import_path.clone(),
        out_dir: place.dir.clone(),
        ..Converted::default()
    }
}

/// The Go package, and the shim where Go calls through cgo. What Go cannot express is refused, with the parameter's name; so are names that clash, and
/// an API that differs from that of the other architectures that are there.
fn planned(
    library: &Library<'_>,
    o: &ConvertOptions,
    place: &go::Place,
    (api, declared): (&Api, &Declared),
    t: &Stages<'_>,
) -> Result<(GoPackage, Option<Shim>, Option<CgoPresent>)> {
    let present = go::present(place)?;
    let cgo_present = go::cgo_present(place)?;
    let shim = match o.cgo.is_empty() && cgo_present.is_none() {
        true => None,
        false => Some(t.run("shim", || shim::write(api, place.identity()))?),
    };
    let package = t.run("go", || {
        go::plan(&go::Request {
            go_prefix: Prefix::new(o.trim_prefix.as_deref()),
            command: o.command.clone(),
            present: present.as_ref(),
            cgo: shim.as_ref().map(|shim| go::Cgo {
                shim,
                machines: &o.cgo,
                present: cgo_present.as_ref(),
            }),
            ..request(library, &o.inputs, place, api, declared)
        })
    })?;
    if let Some(present) = &present {
        go::agree(present, &package, library.arch.goarch())?;
    }
    Ok((package, shim, cgo_present))
}

/// What the library offers: its signatures, what conventions mean by them, and what flags say of them.
fn offered(
    library: &Library<'_>,
    headers: &Headers,
    known: Option<Signatures>,
    o: &ConvertOptions,
    t: &Stages<'_>,
) -> Result<(Api, Declared)> {
    let api = match known {
        Some(known) => Api::from(known),
        None => {
            let functions = count(library.exports.len(), "function");
            t.progress
                .status("Reading", &format!("signatures of {functions}"));
            let read = t.run("signatures", || {
                let parsed = Parsed::with(o.sources.clone());
                library.signatures(&library.exports, headers, &parsed)
            })?;
            let conventions = t.run("conventions", || {
                let keeps = rules::keeps::said(&read.functions, &o.keeps)?;
                rules::conventions(&read, library.frees, !o.no_pairs, &keeps, o.pool)
            })?;
            Api::new(read, &conventions)
        }
    };
    let declared = declared(
        &api,
        &Flags {
            consumes: &o.consumes,
            cstr: &o.cstr,
            trust: &o.trust,
            blocking: &o.blocking,
            bare: &o.bare,
        },
    )?;
    Ok((api, declared))
}

/// The globs of the flags that say something of functions, and nothing of how they are read.
struct Flags<'a> {
    consumes: &'a [String],
    cstr: &'a [String],
    trust: &'a [String],
    blocking: &'a [String],
    bare: &'a [String],
}

/// What flags say of functions.
fn declared(api: &Api, flags: &Flags<'_>) -> Result<Declared> {
    Ok(Declared {
        consumes: rules::consumes::consumes(api, flags.consumes)?,
        cstr: rules::declared::cstr(api, flags.cstr)?,
        trusted: rules::declared::trusted(api, flags.trust)?,
        blocking: rules::declared::blocking(api, flags.blocking)?,
        bare: rules::declared::bare(api, flags.bare)?,
    })
}

/// What flags say of the functions that can be converted.
fn declared_of_those(
    convertible: &Convertible,
    library: &Library<'_>,
    o: &InspectOptions,
) -> Result<Declared> {
    let about = |globs: &[String]| convertible.about(&library.exports, globs);
    let flags = Flags {
        consumes: &about(&o.consumes),
        cstr: &about(&o.cstr),
        trust: &about(&o.trust),
        blocking: &about(&o.blocking),
        bare: &about(&o.bare),
    };
    declared(&convertible.api, &flags)
}

/// What a Go package is planned from, but for what the user asks of `convert` alone.
fn request<'a>(
    library: &Library<'_>,
    inputs: &[PathBuf],
    place: &'a go::Place,
    api: &'a Api,
    declared: &'a Declared,
) -> go::Request<'a> {
    go::Request {
        place,
        api,
        declared,
        arch: library.arch,
        go_prefix: Prefix::new(None),
        command: "rsyso".to_owned(),
        aborts: interpose::aborts(&library.objects),
        rustc: library.rustc.clone(),
        rsyso: env!("CARGO_PKG_VERSION").to_owned(),
        library: library_file(inputs),
        present: None,
        cgo: None,
    }
}

/// Finds out everything about a library, without writing anything. What stands in the way of an image is part of the answer.
pub fn inspect(o: &InspectOptions, progress: &dyn Progress) -> Result<Inspection> {
    let t = Stages::new(progress);
    o.check()?;
    let library_name = go::library_name(Path::new(&library_file(&o.inputs)));
    let place = go::nowhere(&library_name, o.package.as_deref())?;

    // As for `convert`, but that the exports without a signature are left out.
    let files = t.run("read", || Files::open(&o.inputs))?;
    let headers = t.run("headers", || Headers::open(&o.headers))?;
    files.report(progress);
    let library = t.run("parse", || Library::parse(&files, o.named(), &headers))?;
    let arch = library.arch;
    let convertible = t.run("signatures", || {
        Convertible::read(&library, &headers, o.no_pairs, &o.keeps, o.pool)
    })?;
    files.release();
    let api = &convertible.api;
    let declared = declared_of_those(&convertible, &library, o)?;

    // Names may clash between functions that are good one by one; then there is no Go API to show.
    let mut obstacles = Vec::new();
    let package = t.run("go", || {
        go::plan(&go::Request {
            go_prefix: Prefix::new(o.trim_prefix.as_deref()),
            ..request(&library, &o.inputs, &place, api, &declared)
        })
    });
    let package = or_none(package, &mut obstacles);
    let plain = Calls::plain(api, &declared);
    let calls = package.as_ref().map_or(&plain, |p| &p.calls);

    // Exports that have no wrapper are roots themselves.
    let wrappers = t.run("wrappers", || wrappers::object(api, arch, calls))?;
    let own = library.objects.len() as u32;
    let roots = convertible.without(&library.exports);
    let objects = (library.objects, wrappers);
    let graph = linking::graph(objects, roots, arch, o.backtrace, &t)?;
    progress.status("Inspecting", &count(library.exports.len(), "export"));

    // Lays the image out without writing it, and counts its bytes.
    let placed = t
        .run("check", || linking::check(&graph))
        .and_then(|()| linking::lay_out(&graph, arch, o.stack_size, &t));
    let placed = or_none(placed, &mut obstacles);
    let sizes = |placed| sizes::attribute(&graph, placed, &library.exports);
    let image = t.run("sizes", || placed.as_ref().map(sizes));
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
    files.unchanged()?;
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

/// Leaves out what cannot be, and tells why.
fn or_none<T>(result: Result<T>, obstacles: &mut Vec<String>) -> Option<T> {
    let told = |e: Error| obstacles.extend(e.problems.into_iter().map(|p| p.message));
    result.map_err(told).ok()
}
