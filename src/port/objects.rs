//! The objects of C code that go into an image: what Go calls, with the preambles that it needs, and the C files of the package.

use std::path::PathBuf;

use super::binding::Binding;
use super::compiler::{Compiler, complaint};
use super::directives;
use super::exports;
use super::package::{Package, shown};
use super::probe::PROLOGUE;
use super::source::GoFile;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;

/// The C code in front of a file's imports of "C".
pub(super) fn preamble(file: &GoFile) -> String {
    let mut text = String::from(PROLOGUE);
    for import in &file.imports {
        let c = directives::c_text(&import.preamble);
        text.push_str(&format!("#line {} \"{}\"\n{c}\n", import.line, file.name));
    }
    text
}

/// The header for the C files of the package: the preambles of the files that export functions, and the declarations.
fn export_header(package: &Package) -> String {
    let mut text = String::from("#ifndef RSYSO_CGO_EXPORT\n#define RSYSO_CGO_EXPORT\n");
    for file in package.files.iter().filter(|f| !f.exports.is_empty()) {
        text.push_str(&preamble(file));
        text.push_str(&exports::prototypes(file));
    }
    text + "#endif\n"
}

/// Compiles all of it.
pub(super) fn compile(
    compiler: &Compiler,
    package: &Package,
    binding: &Binding<'_>,
) -> Result<Vec<PathBuf>> {
    compiler.provide(exports::HEADER, &export_header(package))?;
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    let mut add = |name: String, text: &str, place: String| -> Result<()> {
        match compiler.object(&name, text)? {
            Ok(path) => objects.push(path),
            Err(stderr) => problems.push(
                Problem::new("the C compiler refuses this file's C code")
                    .at(place)
                    .note(complaint(&stderr)),
            ),
        }
        Ok(())
    };
    for (number, file) in package.files.iter().enumerate() {
        let entries = binding.entries.iter().filter(|e| e.file == Some(number));
        let entries: Vec<&str> = entries.map(|e| e.c.as_str()).collect();
        if file.imports.is_empty() {
            continue;
        }
        let text = format!(
            "{}{}#line 1 \"rsyso-calls\"\n#include <errno.h>\n{}",
            preamble(file),
            exports::prototypes(file),
            entries.concat()
        );
        add(format!("rsyso_{number}"), &text, shown(&file.path))?;
    }
    if let Some(text) = exports::referred(package) {
        add("rsyso_exports".into(), &text, "package C".into())?;
    }
    let own: Vec<&str> = binding
        .entries
        .iter()
        .filter(|e| e.file.is_none())
        .map(|e| e.c.as_str())
        .collect();
    if !own.is_empty() {
        let text = format!("#include <stdlib.h>\n#include <string.h>\n{}", own.concat());
        add("rsyso_memory".into(), &text, "package C".into())?;
    }
    for (number, path) in package.c_files.iter().enumerate() {
        let read = files::read(path);
        let read = read.map_err(|e| {
            Error::fault(Problem::new(format!("cannot be read: {e}")).at(shown(path)))
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = format!("#line 1 \"{name}\"\n{}", String::from_utf8_lossy(&read));
        add(format!("rsyso_c{number}"), &text, shown(path))?;
    }
    Error::check(Kind::Fault, problems, objects)
}
