//! The package with the images: one for each machine, behind one API.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::binding::{self, Binding};
use super::machines::Machine;
use super::target::Target;
use super::{Mapped, PortOptions};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;
use crate::base::options::ConvertOptions;
use crate::base::report::Progress;
use crate::model::{Function, Signatures};
use crate::{go, pipeline, verify};

/// The package with the images.
pub(super) struct Images {
    pub place: go::Place,
    /// Names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// Bytes of all images.
    pub size: u64,
}

/// Where it goes: `internal/rsyso_NAME`, after the library.
pub(super) fn place(out: &Path, package: &str, archives: &[PathBuf]) -> Result<go::Place> {
    let library = match archives.first() {
        Some(first) => go::library_name(first),
        None => package.to_owned(),
    };
    let mut name = library.to_lowercase().replace('-', "_");
    // The go command would take the end of the name for a platform, or for a test.
    while let Some((head, last)) = name.rsplit_once('_') {
        match go::is_platform(last) || last == "test" {
            true => name = head.to_owned(),
            false => break,
        }
    }
    if name.is_empty() || go::is_platform(&name) {
        name = "lib".to_owned();
    }
    let package = format!("rsyso_{name}");
    let dir = out.join("internal").join(&package);
    let place = go::place(&[], &dir, Some(&package), Some(&name), None, None)?;
    if place.import_path.is_none() {
        return Err(Error::fault(
            Problem::new("there is no go.mod here nor above: the import path of the image's package is not known")
                .at(out.display().to_string())
                .help("go mod init makes one"),
        ));
    }
    Ok(place)
}

/// Links the image of each machine with what was compiled for it, in a folder of its own: what is there of an earlier run does not count.
pub(super) fn images(
    o: &PortOptions,
    place: go::Place,
    (machines, mapped): (&[Machine], &[Mapped<'_>]),
    objects: Vec<Vec<PathBuf>>,
    progress: &dyn Progress,
) -> Result<Images> {
    let failed = |e: std::io::Error| {
        let what = format!("a folder for the image cannot be used: {e}");
        Error::fault(Problem::new(what))
    };
    let scratch = tempfile::tempdir().map_err(failed)?;
    let there = go::Place {
        dir: scratch.path().to_path_buf(),
        ..place.clone()
    };
    let mut size = 0;
    for ((machine, mapped), objects) in machines.iter().zip(mapped).zip(objects) {
        let inputs = machine.archives.iter().cloned().chain(objects).collect();
        let binding = &mapped.binding;
        let made = pipeline::make(
            &convert_options(o, &there, inputs, binding),
            Some(signatures(binding)),
            progress,
        )?;
        size += made.told.image_size;
        // The next machine's pipeline finds it, and widens the constraints.
        go::write(&there, &made.files, &verify::is_ours)?;
    }
    let mut paths = files::list(&there.dir).map_err(failed)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.push((name.into_owned(), files::read(&path).map_err(failed)?));
    }
    Ok(Images { place, files, size })
}

/// Refuses what has another API on one machine than on another: Go code has one for all.
pub(super) fn agree(machines: &[Machine], mapped: &[Mapped<'_>]) -> Result<()> {
    let mut all = machines.iter().zip(mapped);
    let Some((first, base)) = all.next() else {
        return Ok(());
    };
    let base = signatures(&base.binding);
    let mut problems = Vec::new();
    for (machine, other) in all {
        let names = differences(&base, &signatures(&other.binding));
        let differs = |what: String| differs(&what, first.target, machine.target);
        problems.extend(names.into_iter().map(differs));
    }
    Error::check(Kind::Unsupported, problems, ())
}

fn differs(what: &str, one: Target, other: Target) -> Problem {
    let (first, second) = (one.name(), other.name());
    Problem::new(format!("{what} is not the same for {first} and {second}")).help(format!(
        "hide it behind a C function in the preamble, or port for one machine: GOARCH={} rsyso port",
        one.arch.goarch()
    ))
}

/// What is in one alone, or otherwise than in the other.
fn differences(one: &Signatures, other: &Signatures) -> BTreeSet<String> {
    let (a, b) = (functions(one), functions(other));
    let alone = a.iter().filter(|f| !b.contains(f));
    let alone = alone.chain(b.iter().filter(|f| !a.contains(f)));
    let names = alone.map(|f| format!("C.{}", f.symbol.trim_start_matches(binding::SYMBOL)));
    let names: BTreeSet<String> = names.collect();
    if !names.is_empty() {
        return names;
    }
    let types = one.types.iter().zip(&other.types).filter(|(a, b)| a != b);
    let names = types.map(|(a, _)| format!("`{}`, which is passed by value,", spelled(&a.name)));
    names.collect()
}

fn functions(all: &Signatures) -> Vec<&Function> {
    all.functions.iter().chain(&all.imports).collect()
}

/// A type of a call, as C has it (`Abi::record`).
fn spelled(name: &str) -> String {
    name.trim_start_matches("value_")
        .replacen("struct_", "struct ", 1)
}

fn convert_options(
    o: &PortOptions,
    place: &go::Place,
    inputs: Vec<PathBuf>,
    binding: &Binding<'_>,
) -> ConvertOptions {
    let symbols = binding.entries.iter().map(|e| e.function.symbol.clone());
    ConvertOptions {
        out_dir: place.dir.clone(),
        package: Some(place.package.clone()),
        stem: Some(place.stem.clone()),
        import_path: place.import_path.clone(),
        exports: symbols.collect(),
        imports: binding.provided.iter().map(|p| p.name.clone()).collect(),
        trim_prefix: Some(binding::SYMBOL.to_owned()),
        no_pairs: true,
        // Under cgo nothing is looked at, either.
        trust: vec!["*".to_owned()],
        command: o.command.clone(),
        ..ConvertOptions::new(inputs)
    }
}

fn signatures(binding: &Binding<'_>) -> Signatures {
    let mut functions: Vec<_> = binding.entries.iter().map(|e| e.function.clone()).collect();
    functions.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    let provided = binding.provided.iter();
    let mut imports: Vec<_> = provided.map(|p| p.function.clone()).collect();
    imports.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    Signatures {
        functions,
        imports,
        types: binding.abi.defs.clone(),
        ..Signatures::default()
    }
}
