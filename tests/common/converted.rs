//! The packages of the fixtures: each is converted once for all programs of tests, and again when the tool, the library or the options are
//! others.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{OncePerFixture, archive, convert, root};

/// The folder with the files that `convert` writes for a fixture, with the words of its file `options`, if it has one.
pub fn package(fixture: &str) -> PathBuf {
    static KNOWN: OncePerFixture = OncePerFixture::new();
    KNOWN.get(fixture, make)
}

fn make(fixture: &str) -> PathBuf {
    let library = archive(fixture);
    let options = options(fixture);
    let mut hash = Sha256::new();
    hash.update(tool());
    hash.update(Sha256::digest(std::fs::read(&library).unwrap()));
    hash.update(options.join(" "));
    for header in options.iter().filter(|word| word.ends_with(".h")) {
        hash.update(std::fs::read(header).unwrap());
    }
    let key: String = hash.finalize()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("converted");
    let package = packages.join(format!("{fixture}-{key}"));
    if package.is_dir() {
        return package;
    }
    std::fs::create_dir_all(&packages).unwrap();
    remove_old(&packages);
    let fresh = tempfile::tempdir_in(&packages).unwrap();
    // As it would be found in the fixture's folder, by the go.mod there: it is in the header of the image.
    let import_path = format!("rsyso.test/{fixture}");
    let more = ["--import-path", &import_path, "-q"];
    let options: Vec<&str> = options.iter().map(String::as_str).chain(more).collect();
    convert(&library, fresh.path(), &options);
    // All of it appears at once. Another process may have been faster: then its files are there, which are the same.
    if let Err(error) = std::fs::rename(fresh.path(), &package) {
        assert!(package.is_dir(), "{}: {error}", package.display());
    }
    package
}

/// The words of a fixture's file `options`, if it has one. Headers stand in its folder.
pub fn options(fixture: &str) -> Vec<String> {
    let folder = root().join("fixtures").join(fixture);
    let options = std::fs::read_to_string(folder.join("options")).unwrap_or_default();
    let words = options.split_whitespace().map(|word| match word {
        word if word.ends_with(".h") => folder.join(word).to_str().unwrap().to_owned(),
        word => word.to_owned(),
    });
    words.collect()
}

/// The SHA-256 of the tool, the runtime included.
fn tool() -> &'static [u8] {
    static TOOL: OnceLock<Vec<u8>> = OnceLock::new();
    TOOL.get_or_init(|| {
        let bytes = std::fs::read(env!("CARGO_BIN_EXE_rsyso")).unwrap();
        Sha256::digest(bytes).to_vec()
    })
}

/// Removes what no test has made for a week.
fn remove_old(packages: &Path) {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    for folder in std::fs::read_dir(packages).unwrap().flatten() {
        let modified = folder.metadata().and_then(|data| data.modified());
        let age = modified.ok().and_then(|since| since.elapsed().ok());
        if age.is_some_and(|age| age > WEEK) {
            // Another process may remove it, too.
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}
