//! The proof that a `.syso` is what a crate's sources make: it is built anew, in a folder of its own, and compared.

use std::path::Path;

use crate::arch;
use crate::base::diag::{Error, Problem, Result};
use crate::base::files;
use crate::base::report::Progress;
use crate::go;
use crate::verify::{self, SysoReport};

use super::{BuildOptions, build};

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
