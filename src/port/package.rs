//! The files of a package that take part under cgo, and those that its ported form needs.

use std::path::{Path, PathBuf};

use super::directives::{self, Flags};
use super::source::{self, GoFile};
use super::target::Target;
use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, MARK};
use crate::go;

/// A package with bindings.
pub(super) struct Package {
    pub folder: PathBuf,
    pub name: String,
    /// The Go files that are built with cgo alone: those that import "C", and those that a tag says it of.
    pub files: Vec<GoFile>,
    /// Its other Go files that are built without cgo, but for tests.
    pub others: Vec<GoFile>,
    /// Its files of C code.
    pub c_files: Vec<PathBuf>,
    pub flags: Flags,
    /// What cannot be ported of it.
    pub problems: Vec<Problem>,
}

/// Files in other languages that the go command hands to a compiler under cgo.
const FOREIGN: &[(&str, &str)] = &[
    ("cc", "C++"),
    ("cpp", "C++"),
    ("cxx", "C++"),
    ("m", "Objective-C"),
    ("f", "Fortran"),
    ("F", "Fortran"),
    ("for", "Fortran"),
    ("f90", "Fortran"),
    ("s", "assembly"),
    ("S", "assembly"),
    ("sx", "assembly"),
    ("swig", "SWIG"),
    ("swigcxx", "SWIG"),
];

/// Reads the package in a folder.
pub(super) fn read(folder: &Path, target: &Target) -> Result<Package> {
    let place = folder.display().to_string();
    let fault =
        |e: std::io::Error| Error::fault(Problem::new(format!("cannot be read: {e}")).at(&place));
    let folder = files::canonical(folder).map_err(fault)?;
    let mut paths = files::list(&folder).map_err(fault)?;
    paths.sort();
    let mut package = Package {
        name: String::new(),
        files: Vec::new(),
        others: Vec::new(),
        c_files: Vec::new(),
        flags: Flags::default(),
        problems: Vec::new(),
        folder,
    };
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(['_', '.'])
            || !path.is_file()
            || !go::suits(&name, target.arch.goarch())
        {
            continue;
        }
        match extension.as_str() {
            "go" => package.go_file(path, target)?,
            "c" if applies(&read_text(&path)?, target) => package.c_files.push(path),
            other => {
                let language = FOREIGN.iter().find(|(e, _)| *e == other);
                if let Some((_, language)) = language
                    && applies(&read_text(&path)?, target)
                {
                    let what = format!("files in {language} cannot be ported");
                    package.problems.push(Problem::new(what).at(shown(&path)));
                }
            }
        }
    }
    if !package.files.iter().any(|f| !f.imports.is_empty()) {
        return Err(Error::fault(
            Problem::new("no Go file here imports \"C\" for linux")
                .at(place)
                .help("name the folder of the package with the binding"),
        ));
    }
    package.flags(target);
    package.clashes(target);
    Ok(package)
}

/// A path for messages.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir()
        .ok()
        .and_then(|here| files::canonical(&here).ok());
    let short = here.as_ref().and_then(|here| path.strip_prefix(here).ok());
    short.unwrap_or(path).display().to_string()
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = files::read(path);
    let bytes = bytes
        .map_err(|e| Error::fault(Problem::new(format!("cannot be read: {e}")).at(shown(path))))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether the `//go:build` line of a C file, if there is one, is for the target.
fn applies(text: &str, target: &Target) -> bool {
    let comments = text
        .lines()
        .map(str::trim)
        .take_while(|l| l.is_empty() || l.starts_with("//"));
    let said = comments
        .filter_map(|l| l.strip_prefix("//go:build "))
        .next();
    let constraint = said.and_then(super::constraint::parse);
    constraint.is_none_or(|c| c.holds(&|tag| target.knows(tag, true)))
}

impl Package {
    fn go_file(&mut self, path: PathBuf, target: &Target) -> Result<()> {
        let text = read_text(&path)?;
        let ours = text.lines().next().is_some_and(|l| l.contains(MARK));
        if ours {
            return Ok(());
        }
        let file = source::parse(path, text)?;
        let test = file.name.ends_with("_test.go");
        if test
            && (file.package.ends_with("_test")
                || file.imports.is_empty() && file.constraint.is_none())
        {
            return Ok(());
        }
        let holds = |cgo: bool| {
            let constraint = file.constraint.as_ref();
            constraint.is_none_or(|(_, c)| c.holds(&|tag| target.knows(tag, cgo)))
        };
        let binds = !file.imports.is_empty();
        match (holds(true), holds(false)) {
            (true, alone) if binds || !alone => {
                if self.name.is_empty() {
                    self.name.clone_from(&file.package);
                }
                self.files.push(file);
            }
            (true, true) if file.handles.is_some() => self.problems.push(
                Problem::new("the file imports runtime/cgo, which makes a program one with cgo")
                    .at(shown(&file.path))
                    .help("move what uses it into a file that imports \"C\", which is ported"),
            ),
            (_, true) if !binds && !test => self.others.push(file),
            _ => {}
        }
        Ok(())
    }

    fn flags(&mut self, target: &Target) {
        let folder = self.folder.display().to_string();
        for file in &self.files {
            for import in &file.imports {
                let wrong = directives::read(&import.preamble, target, &folder, &mut self.flags);
                for wrong in wrong {
                    let place = format!("{}:{}", shown(&file.path), import.line + wrong.line);
                    self.problems.push(Problem::new(wrong.what).at(place));
                }
            }
        }
        for package in &self.flags.packages {
            self.problems.push(
                Problem::new(format!(
                    "`#cgo pkg-config: {package}`: packages of the system are not linked"
                ))
                .help("give the static library with --lib"),
            );
        }
    }

    /// What stands in for the binding where there is no cgo would stand beside the ported files.
    fn clashes(&mut self, target: &Target) {
        let without_cgo_alone = |file: &&GoFile| {
            let constraint = file.constraint.as_ref();
            constraint.is_some_and(|(_, c)| !c.holds(&|tag| target.knows(tag, true)))
        };
        for file in self.others.iter().filter(without_cgo_alone) {
            let same = file.declares.iter().find(|name| {
                let mut ported = self.files.iter().flat_map(|f| &f.declares);
                ported.any(|other| other == *name)
            });
            if let Some(name) = same {
                let what = format!(
                    "`{name}` is declared here for builds without cgo, and would be declared twice with the ported files"
                );
                self.problems
                    .push(Problem::new(what).at(shown(&file.path)).help(
                    "have its `//go:build` line leave out linux on the machines that are ported",
                ));
            }
        }
    }
}
