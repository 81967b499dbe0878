//! The proof that a `.syso` is what a crate's sources make: it is built anew, in a folder of its own, and compared.

use std::path::{Path, PathBuf};

use crate::arch;
use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, Entry};
use crate::base::report::Progress;
use crate::go;
use crate::verify::{self, SysoReport};

use super::{BuildOptions, build};

/// Folders in folders that are looked through; crates have fewer.
const DEPTH_LIMIT: u32 = 32;

/// Finds what the command line of the build named: generated files keep its name alone, so it is looked for in the crate. Paths from `Cargo.toml` have
/// a folder, and stay.
pub fn find_again(paths: &mut [PathBuf], folder: &Path, kind: Entry) -> Result<()> {
    for path in paths {
        if path.components().count() != 1 {
            continue;
        }
        let mut found = Vec::new();
        look_for(path, folder, kind, 0, &mut found);
        match found.as_slice() {
            [one] => one.clone_into(path),
            several => {
                let (name, folder) = (path.display(), folder.display());
                let what = match several.len() {
                    0 => format!("`{name}`, which the package was built with, is not in {folder}"),
                    n => format!(
                        "{n} of the name `{name}`, which the package was built with, are in {folder}"
                    ),
                };
                let help = "name it in [package.metadata.rsyso] of Cargo.toml, where its folder counts, and build the package again";
                return Err(Error::fault(Problem::new(what).help(help)));
            }
        }
    }
    Ok(())
}

/// Adds what has that name in a folder or in those below, but for what was built and what is hidden.
fn look_for(name: &Path, folder: &Path, kind: Entry, depth: u32, found: &mut Vec<PathBuf>) {
    let Ok(mut entries) = files::list(folder) else {
        return;
    };
    entries.sort();
    for path in entries {
        let own = path.file_name().unwrap_or_default();
        let skipped = own == "target" || own.as_encoded_bytes().starts_with(b".");
        let Ok(entry) = files::look(&path) else {
            continue;
        };
        if own == name && entry == kind {
            found.push(path.clone());
        }
        if entry == Entry::Folder && !skipped && depth < DEPTH_LIMIT {
            look_for(name, &path, kind, depth + 1, found);
        }
    }
}

/// Builds the crate as `o` says, for the machine of `syso`, whose report is `object`, and compares each byte. Nothing that was built before takes part.
pub fn rebuild(
    o: &BuildOptions,
    syso: &Path,
    object: &SysoReport,
    progress: &dyn Progress,
) -> Result<()> {
    let place = syso.display().to_string();
    let fault = |message: String| Error::fault(Problem::new(message).at(&place));
    let read =
        |path: &Path| files::read(path).map_err(|e| fault(format!("cannot be compared: {e}")));
    let folder = tempfile::tempdir()
        .map_err(|e| fault(format!("no folder to build in can be made: {e}")))?;
    let out_dir = folder.path().join("go");
    let mut o = BuildOptions {
        out_dir: Some(out_dir.clone()),
        target_dir: Some(folder.path().join("target")),
        notice: false,
        ..o.clone()
    };
    let arches = arch::ALL
        .iter()
        .filter(|arch| arch.goarch() == object.goarch);
    o.targets = arches.map(|arch| arch.rust_target().to_owned()).collect();
    // What the folder of the package would say of its names.
    let end = format!("_linux_{}.syso", object.goarch);
    let stem = syso
        .file_name()
        .and_then(|name| name.to_str()?.strip_suffix(&end));
    o.convert.stem = stem.map(String::from);
    if o.convert.package.is_none() {
        let dir = syso.parent().filter(|dir| !dir.as_os_str().is_empty());
        o.convert.package = go::package_in(dir.unwrap_or(Path::new(".")))?;
    }
    if o.convert.import_path.is_none() && o.convert.package.as_ref() != Some(&object.package) {
        o.convert.import_path = Some(object.package.clone());
    }
    build(&o, progress)?;
    let made = out_dir.join(syso.file_name().unwrap_or_default());
    let (theirs, ours) = (read(syso)?, read(&made)?);
    if theirs == ours {
        return Ok(());
    }
    let ours = verify::syso(&made.display().to_string(), &ours)?;
    let mut problem = Problem::new("these sources make another image").at(&place);
    for (what, there, here) in [
        ("rsyso", &object.rsyso, &ours.rsyso),
        ("rustc", &object.rustc, &ours.rustc),
        ("package", &object.package, &ours.package),
        (
            "SHA-256 of the inputs",
            &object.inputs_sha256,
            &ours.inputs_sha256,
        ),
    ] {
        if there != here {
            problem = problem.note(format!("{what}: {there} in the file, {here} here"));
        }
    }
    Err(Error::fault(problem.help(
        "the same sources make the same bytes with the same Cargo.lock, rustc, C compiler and rsyso",
    )))
}
