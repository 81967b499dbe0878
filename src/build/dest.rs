//! Where the Go package goes.

use std::path::{Path, PathBuf};

use crate::base::diag::Result;
use crate::base::identifiers;
use crate::go;

use super::BuildOptions;
use super::krate::Crate;

/// The folder of the Go package: as asked for; the current one under `go generate`; the crate's own, if it is one of a Go package that can be
/// imported, or of a module; else one in it that is named as the package, so that the import path ends in the package's name.
pub(super) fn folder(o: &BuildOptions, krate: &Crate, generating: bool) -> Result<PathBuf> {
    if let Some(dir) = &o.out_dir {
        return Ok(dir.clone());
    }
    if generating {
        return Ok(PathBuf::from("."));
    }
    if beside(&krate.dir)? {
        return Ok(krate.dir.clone());
    }
    let name = match &o.convert.package {
        Some(name) => name.clone(),
        None => identifiers::package_name(&krate.library),
    };
    Ok(match krate.dir.as_path() == Path::new(".") {
        true => PathBuf::from(name),
        false => krate.dir.join(name),
    })
}

/// Whether Go code lives beside `Cargo.toml`. A program (`package main`) gets its library in a folder, as no other package could import it.
fn beside(dir: &Path) -> Result<bool> {
    Ok(match go::package_in(dir)? {
        Some(package) => package != "main",
        None => dir.join("go.mod").is_file(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_code_beside_the_manifest_draws_the_package_there() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let dir = tmp.path();
        let put = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file");
        assert_eq!(beside(dir), Ok(false));
        put("go.mod", "module example.com/m\n");
        assert_eq!(beside(dir), Ok(true));
        put("main.go", "package main\n");
        assert_eq!(beside(dir), Ok(false));
        std::fs::remove_file(dir.join("main.go")).expect("removed");
        put("generate.go", "// Package m.\npackage m\n");
        assert_eq!(beside(dir), Ok(true));
    }
}
