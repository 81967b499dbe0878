//! A copy of the Go side of this tree, with every fixture converted in place.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rayon::prelude::*;

use super::process::run;
use super::{archive, converted, fixtures, root, rsyso};

/// The copy: `fixtures/NAME/go` and `tests/programs`, as in the source tree, so that the paths in the go.mod files hold.
pub struct Workspace {
    dir: PathBuf,
    fixtures: Vec<String>,
    /// Held until the process ends: no other changes the files meanwhile.
    _lock: File,
}

/// The workspace of this test crate, made on first use.
pub fn workspace() -> &'static Workspace {
    static SHARED: OnceLock<Workspace> = OnceLock::new();
    SHARED.get_or_init(Workspace::new)
}

impl Workspace {
    /// Copies, builds and converts.
    fn new() -> Self {
        // One for each test crate, always in the same place: what Go has compiled is found again.
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
        std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
        let lock = File::create(dir.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        // It is not removed at the end (statics are not dropped), but before it is made anew.
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        let workspace = Workspace {
            dir,
            fixtures: fixtures(),
            _lock: lock,
        };
        copy_sources(&root().join("tests/programs"), &workspace.programs());
        // Several at once: half of what a fixture takes runs on one processor, the end of rustc and the copying of archives.
        workspace
            .fixtures
            .par_iter()
            .with_max_len(1)
            .for_each(|name| put_fixture(name, &workspace.fixture(name)));
        let table = fuzz_table(&workspace);
        std::fs::write(workspace.programs().join("fuzz/functions_test.go"), table).unwrap();
        workspace
    }

    /// Where everything is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The main module.
    pub fn programs(&self) -> PathBuf {
        self.path().join("tests/programs")
    }

    /// The Go package of a fixture.
    pub fn fixture(&self, name: &str) -> PathBuf {
        self.path().join("fixtures").join(name).join("go")
    }

    /// The names of the fixtures.
    pub fn fixtures(&self) -> &[String] {
        &self.fixtures
    }
}

/// Puts the Go package of a fixture into a folder: its tests, what is converted, and what its code says natively.
pub fn put_fixture(name: &str, to: &Path) {
    let sources = root().join("fixtures").join(name);
    copy_sources(&sources.join("go"), to);
    if let Some((_, other)) = TWINS.iter().find(|(twin, _)| *twin == name) {
        let tests = root().join("fixtures").join(other).join("go");
        copy_tests(&tests, (other, name), to);
    }
    for file in std::fs::read_dir(converted::package(name)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    if sources.join(NATIVE_SOURCE).is_file() {
        tell_natively(&archive(name).with_file_name("native"), to);
    }
}

/// Fixtures that have the Go tests of another.
const TWINS: [(&str, &str); 1] = [("usesjemalloc", "usesmimalloc")];

/// Copies the Go tests of one package into another.
fn copy_tests(from: &Path, (package, twin): (&str, &str), to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with("_test.go") {
            let text = std::fs::read_to_string(&path).unwrap();
            let clause = |name: &str| format!("package {name}\n");
            assert!(text.contains(&clause(package)), "{}", path.display());
            let text = text.replace(&clause(package), &clause(twin));
            std::fs::write(to.join(name), text).unwrap();
        }
    }
}

/// The fixtures whose exports `tests/programs/fuzz` calls.
const FUZZED: [&str; 3] = ["abi", "data", "text"];

/// The Go table of all functions of these.
fn fuzz_table(workspace: &Workspace) -> String {
    let mut table = String::from("package fuzz\n\nimport (\n");
    for name in FUZZED {
        table += &format!("\t\"rsyso.test/{name}\"\n");
    }
    table += ")\n\nvar functions = []struct {\n\tname string\n\tcall any\n}{\n";
    for name in FUZZED {
        let path = workspace.fixture(name).join(format!("{name}.go"));
        let text = std::fs::read_to_string(path).unwrap();
        let declared = text.lines().filter_map(|l| l.strip_prefix("func "));
        let names = declared.filter_map(|l| Some(l.split_once('(')?.0));
        for go in names.filter(|n| n.starts_with(char::is_uppercase)) {
            table += &format!("\t{{\"{name}.{go}\", {name}.{go}}},\n");
        }
    }
    table + "}\n"
}

/// A fixture may have a program that says what its code does on the machine's own C library.
const NATIVE_SOURCE: &str = "src/bin/native.rs";

/// Writes what that program says to where the fixture's Go test looks for it.
fn tell_natively(program: &Path, go: &Path) {
    let told = run(&mut Command::new(program), Duration::from_secs(60)).success();
    let data = go.join("testdata");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("native.txt"), told.stdout).unwrap();
}

/// Copies what is under version control: Go sources, modules and C programs, not what a developer converted by hand.
pub fn copy_sources(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy_sources(&path, &to.join(name));
        } else if !made_by_rsyso(&path) {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn made_by_rsyso(path: &Path) -> bool {
    match path.extension().and_then(|e| e.to_str()) {
        Some("syso" | "s" | "a") => true,
        Some("go") => std::fs::read_to_string(path)
            .unwrap()
            .starts_with("// Code generated by rsyso"),
        _ => false,
    }
}

/// `rsyso verify` passes on a `.syso` or a linked program.
#[track_caller]
pub fn verify(file: &Path) {
    run(rsyso().arg("verify").arg(file), Duration::from_secs(60)).success();
}
