//! The stages of `inspect`, in order. Those from objects to what is alive and where it goes are those of `convert`.

use std::path::Path;

use super::asked::{Flags, declared, request};
use super::linking;
use crate::analyse::convertible::Convertible;
use crate::analyse::{exports, kept, sizes, waits};
use crate::base::diag::{Error, Result};
use crate::base::identifiers::Naming;
use crate::base::options::{InspectOptions, library_file};
use crate::base::report::{Inspection, Progress, count};
use crate::base::stages::Stages;
use crate::go;
use crate::link::library::Library;
use crate::model::Declared;
use crate::model::uses::Calls;
use crate::read::Files;
use crate::sig::header::Headers;
use crate::wrappers;

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
    let convertible = t.run("signatures", || Convertible::read(&library, &headers, o))?;
    files.release();
    let api = &convertible.api;
    let declared = declared_of_those(&convertible, &library, o)?;

    // Names may clash between functions that are good one by one; then there is no Go API to show.
    let mut obstacles = Vec::new();
    let package = t.run("go", || {
        go::plan(&go::Request {
            naming: Naming::new(o.names, o.trim_prefix.as_deref()),
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

/// Leaves out what cannot be, and tells why.
fn or_none<T>(result: Result<T>, obstacles: &mut Vec<String>) -> Option<T> {
    let told = |e: Error| obstacles.extend(e.problems.into_iter().map(|p| p.message));
    result.map_err(told).ok()
}
