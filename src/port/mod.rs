//! `rsyso port`: a cgo binding of a static library becomes a package without cgo.
//!
//! | stage | where | what it does |
//! | --- | --- | --- |
//! | files | `package`, `source`, `constraint`, `directives` | reads the Go files that import "C", with a Go grammar, and what `#cgo` lines say |
//! | names | `names`, `probe`, `ctype` | asks the C compiler what each `C.name` is; types come from its debug information |
//! | mapping | `binding`, `gotypes`, `abi`, `defined`, `exports` | what stands in Go for each name, the C functions that Go calls for it, and the Go functions that C calls |
//! | C code | `objects`, `compiler` | compiles these, the preambles and the C files of the package |
//! | link | `libraries`, and `convert`'s pipeline | one image of all of it |
//! | text | `text` | the ported files, and the one with what they use of C |
//! | write | here, `stale` | all files or none; or compares them with what is there |

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
mod names;
mod objects;
mod package;
mod probe;
mod source;
mod stale;
mod target;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;
use crate::base::options::ConvertOptions;
use crate::base::report::{Progress, count};
use crate::base::stages::Stages;
use crate::model::Signatures;
use crate::{go, pipeline, verify};

use binding::Binding;
use compiler::Compiler;
use ctype::Types;
use package::{Package, shown};
use probe::Meaning;
use target::Target;
use text::Image;

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

/// What `port` made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ported {
    /// Name of the package.
    pub package: String,
    /// The import path of the package with the image.
    pub image_path: String,
    /// Where the ported files lie.
    pub out_dir: PathBuf,
    /// The files, the ported ones first.
    pub files: Vec<PathBuf>,
    /// The functions of C that are called.
    pub functions: Vec<String>,
    /// The types of C that are used.
    pub types: Vec<String>,
    /// The constants of C that are used.
    pub constants: Vec<String>,
    /// Fields that Go cannot have, as `struct.field`.
    pub left_out: Vec<String>,
    /// The libraries that are linked.
    pub libraries: Vec<String>,
    /// Bytes of the image.
    pub image_size: u64,
    /// The originals that would be built beside the ported files with `-tags rsyso` and cgo, as they lack a constraint.
    pub unconstrained: Vec<PathBuf>,
}

/// Ports a package.
pub fn port(o: &PortOptions, progress: &dyn Progress) -> Result<Ported> {
    let t = Stages::new(progress);
    let target = Target::find()?;
    // Reads the Go files. From here on the package is fixed.
    let mut package = t.run("files", || package::read(&o.dir, &target))?;
    let out = match &o.out_dir {
        Some(out) => out.clone(),
        None => o.dir.clone(),
    };
    progress.status(
        "Porting",
        &format!(
            "package {} for linux/{}",
            package.name,
            target.arch.goarch()
        ),
    );

    // Asks the C compiler what the names are. From here on the types of C are fixed.
    let compiler = Compiler::find(&package.folder, &package.flags.compile, &target)?;
    let mut types = Types::default();
    let meanings = t.run("names", || ask(&compiler, &package, &mut types))?;
    // Maps each name. What has no form in Go is told with all else that is in the way.
    let mut binding = Binding::new(&types);
    let mut problems = std::mem::take(&mut package.problems);
    let replaced = t.run("map", || {
        map(&package, &meanings, &mut binding, &mut problems)
    });
    let found = libraries::find(&package.folder, &package.flags.link, &o.libraries);
    problems.extend(found.problems);
    let elsewhere = files::canonical(&out).ok().as_ref() != Some(&package.folder);
    if elsewhere {
        problems.extend(package.others.iter().filter_map(embeds));
    }
    Error::check(Kind::Unsupported, problems, ())?;

    // Compiles what the image needs of C.
    let objects = t.run("compile", || {
        objects::compile(&compiler, &package, &binding)
    })?;
    // Links it: one more package, with the image.
    let place = image_place(&out, &package, &found.archives)?;
    let inputs: Vec<PathBuf> = found.archives.iter().cloned().chain(objects).collect();
    let made = pipeline::make(
        &convert_options(o, &place, inputs, &binding),
        Some(signatures(&binding)),
        progress,
    )?;

    // Prints the ported files. Nothing is written before all of it is there.
    let (image_path, image_size) = (
        made.told.import_path.clone().unwrap_or_default(),
        made.told.image_size,
    );
    let written = Written {
        o,
        out: &out,
        elsewhere,
        target: &target,
        package: &package,
        binding: &binding,
    };
    let all = t.run("print", || written.files(&replaced, made));
    let stale = stale::find(&out, &all, &target);
    match o.check {
        true => t.run("compare", || compare(&all, &stale))?,
        false => t.run("write", || go::write_tree(&all, &stale, &verify::is_ours))?,
    }
    Ok(Ported {
        package: package.name.clone(),
        image_path,
        out_dir: out,
        files: all.into_iter().map(|(path, _)| path).collect(),
        libraries: found.archives.iter().map(|a| shown(a)).collect(),
        image_size,
        unconstrained: unconstrained(&package, &target),
        ..told(&binding)
    })
}

/// What the files are made of.
struct Written<'p> {
    o: &'p PortOptions,
    out: &'p Path,
    /// Whether that is another folder than the package's.
    elsewhere: bool,
    target: &'p Target,
    package: &'p Package,
    binding: &'p Binding<'p>,
}

impl Written<'_> {
    /// All files, with their paths: the ported ones, what they share, and the package with the image.
    fn files(&self, replaced: &[Vec<String>], made: pipeline::Made) -> Vec<(PathBuf, Vec<u8>)> {
        let marker = format!("// Code generated by {}; DO NOT EDIT.", self.o.command);
        let image = Image {
            package: made.told.package,
            path: made.told.import_path.unwrap_or_default(),
        };
        let mut all = Vec::new();
        for (file, replaced) in self.package.files.iter().zip(replaced) {
            let text = text::ported(file, replaced, &image, &marker, self.target);
            let path = self.out.join(text::ported_name(&file.name));
            all.push((path, text.into_bytes()));
        }
        let others = self.package.others.iter().filter(|_| self.elsewhere);
        all.extend(others.map(|file| {
            let text = format!("{marker}\n\n{}", file.text);
            (self.out.join(&file.name), text.into_bytes())
        }));
        let name = &self.package.name;
        let shared = text::shared(name, self.binding, &image, &marker, self.target);
        all.push((self.out.join(text::SHARED), shared.into_bytes()));
        let dir = made.place.dir;
        if self.package.files.iter().any(|f| f.handles.is_some()) {
            let path = dir.join(text::HANDLES).join("handle.go");
            all.push((path, text::handles(&marker).into_bytes()));
        }
        all.extend(
            made.files
                .into_iter()
                .map(|(name, bytes)| (dir.join(name), bytes)),
        );
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
fn ask(
    compiler: &Compiler,
    package: &Package,
    types: &mut Types,
) -> Result<Vec<BTreeMap<String, Meaning>>> {
    let mut all = Vec::new();
    for file in &package.files {
        let names = file.references.iter().flat_map(|r| binding::needs(&r.name));
        let exported = file.exports.iter().map(|e| e.name.clone());
        let names: BTreeSet<String> = names.chain(exported).collect();
        let preamble = objects::preamble(file) + &exports::prototypes(file);
        all.push(match names.is_empty() {
            true => BTreeMap::new(),
            false => probe::ask(compiler, &preamble, &names, types)?,
        });
    }
    Ok(all)
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

/// Where the package with the image goes: `internal/rsyso_NAME`, after the library.
fn image_place(out: &Path, package: &Package, archives: &[PathBuf]) -> Result<go::Place> {
    let library = match archives.first() {
        Some(first) => go::library_name(first),
        None => package.name.clone(),
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
    let mut imports: Vec<_> = binding
        .provided
        .iter()
        .map(|p| p.function.clone())
        .collect();
    imports.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    Signatures {
        functions,
        imports,
        types: binding.abi.defs.clone(),
        ..Signatures::default()
    }
}

/// What was mapped, for the report.
fn told(binding: &Binding<'_>) -> Ported {
    let stripped = |name: &String, prefixes: &[&str]| {
        let rest = prefixes.iter().find_map(|p| name.strip_prefix(p));
        rest.map(str::to_owned)
    };
    let functions = binding
        .calls
        .keys()
        .filter_map(|n| stripped(n, &["_Cfunc_", "_C2func_"]));
    let functions: BTreeSet<String> = functions.collect();
    let types = binding.types.defined.keys();
    let constants = binding.constants.keys();
    let left_out = binding.types.defined.iter().flat_map(|(name, definition)| {
        let name = name.trim_start_matches(gotypes::PREFIX).to_owned();
        definition
            .left_out
            .iter()
            .map(move |field| format!("{name}.{field}"))
    });
    Ported {
        functions: functions.into_iter().collect(),
        types: types
            .filter_map(|n| stripped(n, &[gotypes::PREFIX]))
            .collect(),
        constants: constants
            .filter_map(|n| stripped(n, &["_Ciconst_", "_Cfconst_", "_Csconst_"]))
            .collect(),
        left_out: left_out.collect(),
        ..Ported::default()
    }
}

/// Originals that `-tags rsyso` does not leave out.
fn unconstrained(package: &Package, target: &Target) -> Vec<PathBuf> {
    let with_tag = |tag: &str| match tag {
        "rsyso" => Some(true),
        tag => target.knows(tag, true),
    };
    let files = package.files.iter().filter(|f| {
        let constraint = f.constraint.as_ref();
        constraint.is_none_or(|(_, c)| c.holds(&with_tag))
    });
    files.map(|f| f.path.clone()).collect()
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

/// What was mapped, in a line.
pub fn summary(ported: &Ported) -> String {
    [
        count(ported.functions.len(), "function"),
        count(ported.types.len(), "type"),
        count(ported.constants.len(), "constant"),
    ]
    .join(", ")
}
