//! `rsyso port`: a cgo binding of a static library becomes a package without cgo.
//!
//! | stage | where | what it does |
//! | --- | --- | --- |
//! | files | `machines`, `target`, `package`, `source`, `constraint`, `directives`, `libraries` | reads the Go files that import "C", with a Go grammar, and what `#cgo` lines say; which machines there are libraries for |
//! | names | `names`, `probe`, `ctype` | asks the C compiler what each `C.name` is; types come from its debug information |
//! | mapping | `binding`, `gotypes`, `abi`, `defined`, `exports` | what stands in Go for each name, the C functions that Go calls for it, and the Go functions that C calls |
//! | C code | `objects`, `compiler` | compiles these, the preambles and the C files of the package |
//! | link | `link`, and `convert`'s pipeline | one image of all of it for each machine |
//! | text | `text` | the ported files, and the one with what they use of C: one for all machines where they are the same |
//! | write | here, `stale` | all files or none; or compares them with what is there |
//!
//! Names and types are asked for on each machine, as cgo does: `char` has a sign on one and none on another.

mod abi;
mod binding;
mod compiler;
mod constraint;
mod ctype;
mod defined;
mod directives;
mod exports;
mod gotypes;
mod libraries;
mod link;
mod machines;
mod names;
mod objects;
mod package;
mod probe;
mod report;
mod source;
mod stale;
mod target;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;
use crate::base::report::Progress;
use crate::base::stages::Stages;
use crate::{go, verify};

use binding::Binding;
use ctype::Types;
use link::Images;
use machines::Machine;
use package::{Package, shown};
use probe::Meaning;
use text::{Image, Pieces};

pub use report::{Ported, summary};

/// What `port` is asked to do.
#[derive(Clone, Debug, Default)]
pub struct PortOptions {
    /// The folder of the package.
    pub dir: PathBuf,
    /// Static libraries that stand for those that `#cgo LDFLAGS` name and that are not found.
    pub libraries: Vec<PathBuf>,
    /// Where the ported files go; beside the originals when absent.
    pub out_dir: Option<PathBuf>,
    /// Write nothing, and compare with what is there.
    pub check: bool,
    /// The command for the first line of the files.
    pub command: String,
}

/// What stands for the names of C on one machine.
struct Mapped<'t> {
    binding: Binding<'t>,
    /// What stands for each reference of each file.
    replaced: Vec<Vec<String>>,
}

/// What the names of each file are on one machine, and the types that they lead to.
struct Asked {
    types: Types,
    meanings: Vec<BTreeMap<String, Meaning>>,
}

/// Ports a package.
pub fn port(o: &PortOptions, progress: &dyn Progress) -> Result<Ported> {
    let t = Stages::new(progress);
    // Reads the Go files, and finds out for which machines there is all that it takes. From here on the package is fixed.
    let machines = t.run("files", || machines::find(o, progress))?;
    let name = machines.first().map_or("", |m| m.package.name.as_str());
    let platforms: Vec<String> = machines.iter().map(|m| m.target.name()).collect();
    progress.status(
        "Porting",
        &format!("package {name} for {}", platforms.join(" and ")),
    );

    // Asks the C compilers what the names are. From here on the types of C are fixed.
    let asked = t.run("names", || {
        machines.iter().map(ask).collect::<Result<Vec<_>>>()
    })?;
    // Maps each name. What has no form in Go is told with all else that is in the way.
    let (mapped, mut problems) = t.run("map", || map_all(&machines, &asked));
    let out = o.out_dir.clone().unwrap_or_else(|| o.dir.clone());
    let elsewhere = machines
        .iter()
        .find(|m| files::canonical(&out).ok().as_ref() != Some(&m.package.folder));
    let embedding = elsewhere.map(|m| m.package.others.iter().filter_map(embeds));
    problems.extend(embedding.into_iter().flatten());
    Error::check(Kind::Unsupported, problems, ())?;
    link::agree(&machines, &mapped)?;

    // Compiles what the images need of C.
    let compile = |(machine, mapped): (&Machine, &Mapped<'_>)| {
        objects::compile(&machine.compiler, &machine.package, &mapped.binding)
    };
    let all = machines.iter().zip(&mapped);
    let objects = t.run("compile", || all.map(compile).collect::<Result<Vec<_>>>())?;
    // Links them: one more package, with the images.
    let archives = machines.first().map_or(&[][..], |m| &m.archives);
    let place = link::place(&out, name, archives)?;
    let images = link::images(o, place, (&machines, &mapped), objects, progress)?;

    // Prints the ported files. Nothing is written before all of it is there.
    let written = Written {
        o,
        out: &out,
        elsewhere: elsewhere.is_some(),
        machines: &machines,
        mapped: &mapped,
        images: &images,
    };
    let all = t.run("print", || written.files());
    let stale = stale::find(&out, &images.place.dir, &all);
    match o.check {
        true => t.run("compare", || compare(&all, &stale))?,
        false => t.run("write", || go::write_tree(&all, &stale, &verify::is_ours))?,
    }
    let mut ported = Ported {
        package: name.to_owned(),
        machines: goarches(&machines),
        image_path: images.place.import_path.unwrap_or_default(),
        out_dir: out,
        files: all.into_iter().map(|(path, _)| path).collect(),
        libraries: libraries(&machines),
        image_size: images.size,
        unconstrained: machines.iter().flat_map(unconstrained).collect(),
        ..Ported::default()
    };
    mapped.iter().for_each(|m| ported.add(&m.binding));
    Ok(ported)
}

fn goarches(machines: &[Machine]) -> Vec<String> {
    let names = machines.iter().map(|m| m.target.arch.goarch().to_owned());
    names.collect()
}

fn libraries(machines: &[Machine]) -> Vec<String> {
    let archives = machines.iter().flat_map(|m| &m.archives);
    archives.map(|a| shown(a)).collect()
}

/// What the files are made of.
struct Written<'p> {
    o: &'p PortOptions,
    out: &'p Path,
    /// Whether that is another folder than the package's.
    elsewhere: bool,
    machines: &'p [Machine],
    mapped: &'p [Mapped<'p>],
    images: &'p Images,
}

impl Written<'_> {
    /// All files, with their paths: the ported ones, what they share, and the package with the images.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let marker = format!("// Code generated by {}; DO NOT EDIT.", self.o.command);
        let place = &self.images.place;
        let image = Image {
            package: place.package.clone(),
            path: place.import_path.clone().unwrap_or_default(),
        };
        let mut pieces = Pieces::default();
        let (mut handles, mut copies) = (false, BTreeMap::new());
        for (machine, mapped) in self.machines.iter().zip(self.mapped) {
            let target = &machine.target;
            let package = &machine.package;
            for (file, replaced) in package.files.iter().zip(&mapped.replaced) {
                handles |= file.handles.is_some();
                pieces.add(target, text::ported(file, replaced, &image, target));
            }
            let shared = text::shared(&package.name, &mapped.binding, &image);
            pieces.add(target, shared);
            let others = package.others.iter().filter(|_| self.elsewhere);
            copies.extend(others.map(|f| (f.name.clone(), format!("{marker}\n\n{}", f.text))));
        }
        let named = pieces.files(&marker).into_iter().chain(copies);
        let mut all: Vec<(PathBuf, Vec<u8>)> = named
            .map(|(name, text)| (self.out.join(name), text.into_bytes()))
            .collect();
        if handles {
            let path = place.dir.join(text::HANDLES).join("handle.go");
            all.push((path, text::handles(&marker).into_bytes()));
        }
        let images = self.images.files.iter();
        all.extend(images.map(|(name, bytes)| (place.dir.join(name), bytes.clone())));
        all
    }
}

/// Why a file cannot be copied to another folder.
fn embeds(file: &source::GoFile) -> Option<Problem> {
    let line = file
        .text
        .lines()
        .position(|l| l.starts_with("//go:embed "))?;
    let place = format!("{}:{}", shown(&file.path), line + 1);
    Some(
        Problem::new("the file embeds others, which do not lie where the ported files go")
            .at(place)
            .help("port the package where it is, without `-o`"),
    )
}

/// Asks for the names of each file, after its own preamble.
fn ask(machine: &Machine) -> Result<Asked> {
    let mut types = Types::default();
    let mut meanings = Vec::new();
    for file in &machine.package.files {
        let names = file.references.iter().flat_map(|r| binding::needs(&r.name));
        let exported = file.exports.iter().map(|e| e.name.clone());
        let names: BTreeSet<String> = names.chain(exported).collect();
        let preamble = objects::preamble(file) + &exports::prototypes(file);
        meanings.push(match names.is_empty() {
            true => BTreeMap::new(),
            false => probe::ask(&machine.compiler, &preamble, &names, &mut types)?,
        });
    }
    Ok(Asked { types, meanings })
}

/// Maps the names for all machines, and tells what is in the way: once, where it is so on several.
fn map_all<'t>(machines: &[Machine], asked: &'t [Asked]) -> (Vec<Mapped<'t>>, Vec<Problem>) {
    let (mut all, mut problems): (Vec<_>, Vec<Problem>) = (Vec::new(), Vec::new());
    for (machine, asked) in machines.iter().zip(asked) {
        let mut binding = Binding::new(&asked.types);
        let mut own = machine.problems.clone();
        let replaced = map(&machine.package, &asked.meanings, &mut binding, &mut own);
        own.retain(|problem| !problems.contains(problem));
        problems.extend(own);
        all.push(Mapped { binding, replaced });
    }
    (all, problems)
}

/// What stands for each reference of each file.
fn map(
    package: &Package,
    meanings: &[BTreeMap<String, Meaning>],
    binding: &mut Binding<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    binding.reserve(exports::names(package));
    for (number, (file, meanings)) in package.files.iter().zip(meanings).enumerate() {
        let mut replaced = Vec::new();
        let mut told = BTreeSet::new();
        for reference in &file.references {
            let name = &reference.name;
            match binding.refer(name, reference.context, meanings, number) {
                Ok(go) => replaced.push(go),
                Err(why) => {
                    if told.insert((name.clone(), why.clone())) {
                        let place = format!("{}:{}", shown(&file.path), reference.line);
                        problems.push(
                            Problem::new(format!("C.{name} cannot be ported: {why}")).at(place),
                        );
                    }
                }
            }
        }
        for export in &file.exports {
            let why = match exports::refused(file, export) {
                // Where a reference has no form, nothing comes of the file.
                None if replaced.len() < file.references.len() => None,
                None => binding.provide(file, export, &replaced, meanings).err(),
                refused => refused,
            };
            let place = format!("{}:{}", shown(&file.path), export.line);
            problems.extend(why.map(|why| {
                let what = format!("`//export {}` cannot be ported: {why}", export.name);
                Problem::new(what).at(place)
            }));
        }
        all.push(replaced);
    }
    all
}

/// Originals that `-tags rsyso` does not leave out, and the constraint that they lack.
fn unconstrained(machine: &Machine) -> BTreeMap<PathBuf, String> {
    let with_tag = |tag: &str| match tag {
        "rsyso" => Some(true),
        tag => machine.target.knows(tag, true),
    };
    let files = machine.package.files.iter().filter_map(|f| {
        let line = match &f.constraint {
            Some((_, said)) if !said.holds(&with_tag) => return None,
            Some((range, _)) => {
                let said = f.text.get(range.clone()).unwrap_or_default();
                let said = said.trim_start_matches("//go:build").trim();
                format!("//go:build ({said}) && !rsyso")
            }
            None => "//go:build !rsyso".to_owned(),
        };
        Some((f.path.clone(), line))
    });
    files.collect()
}

/// Refuses files that are not as they would be written, and those that would be removed.
fn compare(all: &[(PathBuf, Vec<u8>)], stale: &[PathBuf]) -> Result<()> {
    let differs =
        |(path, bytes): &&(PathBuf, Vec<u8>)| files::read(path).ok().as_ref() != Some(bytes);
    let changed = all.iter().filter(differs).map(|(path, _)| path);
    let problems = changed.chain(stale).map(|path| {
        Problem::new("the ported file is not up to date")
            .at(shown(path))
            .help("run rsyso port again")
    });
    Error::check(Kind::Fault, problems.collect(), ())
}
