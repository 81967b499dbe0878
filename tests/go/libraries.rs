//! Libraries with a C API, as the registry has them: nothing in them was made for Go. docs/LIBRARIES.md says how each is converted and how much of it,
//! and `tests/libraries` has a Go test for each, which is laid into its package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::registry::sources;
use crate::common::{root, rsyso, scratch};

/// Cargo compiles hundreds of crates for some.
const BUILD: Duration = Duration::from_secs(3600);

/// Those that are so small that every run of the tests takes them.
const QUICK: [&str; 2] = ["encoding_c", "rure"];

/// Copies a tree.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(&from, &to).unwrap()),
        }
    }
}

/// A row of the page's table.
#[derive(Debug)]
struct Library {
    name: String,
    version: String,
    /// The words after `rsyso build`.
    options: Vec<String>,
    exports: usize,
    converted: usize,
}

/// The table of docs/LIBRARIES.md.
fn libraries() -> Vec<Library> {
    let page = std::fs::read_to_string(root().join("docs/LIBRARIES.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let library = |row: &str| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, crate_, options, exports, converted, does, _] = cells[..] else {
            panic!("{row}");
        };
        let (name, version) = crate_.trim_matches('`').split_once(' ').expect(row);
        let words = options.trim_matches('`').split_whitespace();
        assert!(!does.is_empty(), "{row}");
        Library {
            name: name.to_owned(),
            version: version.to_owned(),
            options: words.map(|w| w.trim_matches('\'').to_owned()).collect(),
            exports: exports.parse().expect(row),
            converted: converted.parse().expect(row),
        }
    };
    rows.map(library).collect()
}

impl Library {
    /// Its Go test, and what else belongs to it.
    fn tests(&self) -> PathBuf {
        root().join("tests/libraries").join(&self.name)
    }

    /// The crate, where it can be built.
    fn unpacked(&self) -> PathBuf {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
        let krate = all.join(format!("{}-{}", self.name, self.version));
        if !krate.join("Cargo.toml").exists() {
            let fresh = krate.with_extension("new");
            let _ = std::fs::remove_dir_all(&fresh);
            copy(&sources(&self.name, &self.version), &fresh);
            // Not a part of the workspace that the folder lies in.
            let manifest = fresh.join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).unwrap();
            std::fs::write(&manifest, text + "\n[workspace]\n").unwrap();
            std::fs::rename(fresh, &krate).unwrap();
        }
        // Where the package has no lock of its own, what it needs is pinned here.
        let lock = self.tests().join("Cargo.lock");
        if lock.exists() {
            std::fs::copy(lock, krate.join("Cargo.lock")).unwrap();
        }
        krate
    }

    /// Writes the Go package, and gives what is told of it.
    fn build(&self, krate: &Path, package: &Path) -> (Value, Ran) {
        let mut build = rsyso();
        build.args(["build", "-q", "--json", "--locked"]);
        build.args(&self.options).arg("-o").arg(package).arg(".");
        // What several of them need is compiled once.
        let target = krate.with_file_name("target");
        build.env("CARGO_TARGET_DIR", target).current_dir(krate);
        let ran = run(&mut build, BUILD).success();
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        (told["targets"][0].clone(), ran)
    }

    /// How many exports there are, and how many of them can be converted.
    fn counted(&self, krate: &Path, archive: &str) -> (usize, usize) {
        // What is left out counts among the exports. The others may be converted only without it: two may have one Go name.
        let exports = self.inspected(krate, archive, false);
        let wanted = self.inspected(krate, archive, true);
        let converted = wanted.iter().filter(|e| e["go"] != "").count();
        (exports.len(), converted)
    }

    /// What `inspect` says of each export, or of each that is not left out.
    fn inspected(&self, krate: &Path, archive: &str, left_out: bool) -> Vec<Value> {
        let mut inspect = rsyso();
        inspect.args(["inspect", "--json"]);
        let mut words = self.options.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--no-default-features" => {}
                "--features" => drop(words.next()),
                "--export" if !left_out => drop(words.next()),
                word => drop(inspect.arg(word)),
            }
        }
        let ran = run(inspect.arg(archive).current_dir(krate), BUILD).success();
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        found["exports"].as_array().unwrap().clone()
    }

    /// Converts it, compares what the page says, and runs its Go test.
    fn check(&self) {
        let krate = self.unpacked();
        let dir = scratch();
        let package = dir.path().join("go");
        let (told, ran) = self.build(&krate, &package);
        // Of the calls that wait, there is nothing to say.
        let waits = |line: &&str| ["can wait", "can sleep"].iter().any(|p| line.contains(p));
        let waits: Vec<&str> = ran.stderr.lines().filter(waits).collect();
        assert_eq!(waits, [""; 0], "{}", self.name);
        let functions = told["functions"].as_array().unwrap().len();
        assert_eq!(functions, self.converted, "{}", self.name);
        let archive = told["archive"].as_str().unwrap();
        let counts = self.counted(&krate, archive);
        assert_eq!(counts, (self.exports, self.converted), "{}", self.name);
        for entry in std::fs::read_dir(self.tests()).unwrap() {
            let from = entry.unwrap().path();
            if from.extension().is_some_and(|e| e == "go") {
                std::fs::copy(&from, package.join(from.file_name().unwrap())).unwrap();
            }
        }
        let module = format!("module rsyso.test/{}\n\ngo 1.21\n", self.name);
        std::fs::write(package.join("go.mod"), module).unwrap();
        for release in [Release::Oldest, Release::Newest] {
            let mut test = go::command(release, &package, false);
            go::succeed(&mut test, &["test", "-count=1", "."]);
        }
        println!("{}: {functions} of {}", self.name, self.exports);
    }
}

#[test]
fn each_has_a_row_and_a_go_test() {
    let named: BTreeSet<_> = libraries().into_iter().map(|l| l.name).collect();
    let folders = std::fs::read_dir(root().join("tests/libraries")).unwrap();
    let folders = folders.map(|f| f.unwrap().file_name().into_string().unwrap());
    assert_eq!(named, folders.collect());
}

#[test]
fn small_ones() {
    let all = libraries().into_iter();
    let small: Vec<_> = all.filter(|l| QUICK.contains(&l.name.as_str())).collect();
    assert_eq!(small.len(), QUICK.len());
    small.iter().for_each(Library::check);
}

/// `RSYSO_LIBRARY` names one.
#[test]
#[ignore = "compiles a thousand crates: `make libraries`"]
fn large_ones() {
    let one = std::env::var("RSYSO_LIBRARY").ok();
    let wanted = |l: &Library| match &one {
        Some(one) => l.name == *one,
        None => !QUICK.contains(&l.name.as_str()),
    };
    let all: Vec<_> = libraries().into_iter().filter(wanted).collect();
    assert!(!all.is_empty(), "{one:?}");
    all.iter().for_each(Library::check);
}
