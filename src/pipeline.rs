//! The pipeline: every stage of `convert`, in order. A stage is a function of the folder that has its name. It borrows the values of earlier
//! stages and returns its own; a comment says from where on a value is frozen. `rsyso convert -v` shows what each takes. The stages from
//! objects to the bytes of an image are in [`linking`]: `inspect` goes through them, too. The rest of its stages are in [`inspecting`].
//!
//! ```text
//! inputs -> objects -> symbols -> liveness -> plan -> layout -> image -> ELF -> verified
//!              \-> signatures -> conventions -> Api -> Go package -> .go .s
//! ```

mod asked;
mod inspecting;
mod linking;

use crate::analyse::blocking;
use crate::base::diag::Result;
use crate::base::identifiers::Naming;
use crate::base::options::ConvertOptions;
use crate::base::report::{Converted, Progress, count};
use crate::base::stages::Stages;
use crate::go::{self, CgoPresent, GoPackage};
use crate::link::library::Library;
use crate::link::{elf, symtab};
use crate::model::{Api, Declared, Signatures};
use crate::provenance;
use crate::read::Files;
use crate::shim::{self, Shim};
use crate::sig::Parsed;
use crate::sig::header::Headers;
use crate::sig::rules;
use crate::{verify, wrappers};
use asked::{Flags, declared, request};

pub use inspecting::inspect;

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
            naming: Naming::new(o.names, o.trim_prefix.as_deref()),
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
            let parsed = Parsed::with(o.sources.clone());
            let read = t.run("signatures", || {
                library.signatures(&library.exports, headers, &parsed)
            })?;
            let here = shim::Here {
                signatures: &read,
                headers,
                parsed: &parsed,
                own_abis: library.arch.c_abi_names(),
            };
            for machine in &o.cgo {
                t.run("alike", || shim::alike(&here, machine))?;
            }
            let conventions = t.run("conventions", || {
                let asked = rules::Asked {
                    pairs: !o.no_pairs,
                    keeps: rules::keeps::said(&read.functions, &o.keeps)?,
                    user_data: rules::user_data::said(&read.functions, &o.user_data)?,
                    pool: o.pool,
                };
                rules::conventions(&read, library.frees, &asked)
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
