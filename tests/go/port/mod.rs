//! Bindings of cgo, ported by one command: their own tests give the same with cgo and without.

mod arm64;
mod bench;
mod clang;
mod refusals;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::{Ran, run};
use crate::common::registry::sources;
use crate::common::{root, rsyso, scratch};
use crate::libraries::copy;
use crate::tutorial::follow;

/// Runs `rsyso port` in a folder.
#[track_caller]
fn port(dir: &Path, words: &[&str]) -> Ran {
    let mut command = rsyso();
    command.arg("port").args(words).current_dir(dir);
    run(&mut command, Duration::from_secs(300))
}

/// A package of this folder, in a fresh one.
fn fixture(name: &str) -> tempfile::TempDir {
    let dir = scratch();
    copy(&root().join("tests/go/port").join(name), dir.path());
    dir
}

/// What became of each test and each of its parts.
#[track_caller]
fn results(dir: &Path, cgo: bool) -> BTreeMap<String, String> {
    let mut command = go::command(Release::Newest, dir, cgo);
    let ran = go::succeed(&mut command, &["test", "-count=1", "-v", "."]);
    told_results(&ran.stdout)
}

/// What the output of tests says.
fn told_results(stdout: &str) -> BTreeMap<String, String> {
    let lines = stdout.lines().filter_map(|line| {
        let (result, rest) = line.trim().strip_prefix("--- ")?.split_once(": ")?;
        let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
        Some((name.to_owned(), result.to_owned()))
    });
    lines.collect()
}

/// Runs the tests of a package with cgo and without, and gives how many pass.
#[track_caller]
fn the_same_with_and_without_cgo(dir: &Path) -> usize {
    need_c_compiler();
    let (with, without) = (results(dir, true), results(dir, false));
    assert_eq!(with, without);
    assert!(with.values().all(|result| result == "PASS"), "{with:?}");
    with.len()
}

/// The binding of rure, as a user has it: with library and header beside it.
fn rure_binding(dir: &Path) {
    copy(&root().join("tests/go/port/rure"), dir);
    let (library, header) = rure();
    for (folder, file) in [("lib", library), ("include", header)] {
        std::fs::create_dir(dir.join(folder)).unwrap();
        let to = dir.join(folder).join(file.file_name().unwrap());
        std::fs::copy(file, to).unwrap();
    }
}

/// How many tests docs/PORTING.md says that a binding passes, with cgo and ported.
#[track_caller]
fn told(binding: &str) -> usize {
    let page = std::fs::read_to_string(root().join("docs/PORTING.md")).unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(binding));
    let cells: Vec<Vec<&str>> = rows
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    let [row] = cells.as_slice() else {
        panic!("one row of the page is about {binding}: {cells:?}");
    };
    assert_eq!(row[2], row[3], "{binding}");
    row[2].parse().unwrap()
}

fn need_c_compiler() {
    go::need_c_compiler();
}

/// All files of a folder and their bytes.
fn all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(all(&path)),
            false => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
        }
    }
    found
}

/// The library and the header of rure, as the registry has it.
fn rure() -> &'static (PathBuf, PathBuf) {
    static BUILT: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let krate = Path::new(env!("CARGO_TARGET_TMPDIR")).join("port-rure");
        if !krate.join("Cargo.toml").exists() {
            copy(&sources("rure", "0.2.5"), &krate);
            let manifest = krate.join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).unwrap();
            std::fs::write(&manifest, text + "\n[workspace]\n").unwrap();
        }
        let mut build = std::process::Command::new("cargo");
        build
            .args(["build", "-q", "--release", "--lib"])
            .current_dir(&krate);
        run(&mut build, Duration::from_secs(900)).success();
        (
            krate.join("target/release/librure.a"),
            krate.join("include/rure.h"),
        )
    })
}

#[test]
fn a_binding_in_the_usual_style() {
    let dir = scratch();
    rure_binding(dir.path());
    let before = all(dir.path());
    port(dir.path(), &["-q"]).success();
    let after = all(dir.path());
    for (path, bytes) in &before {
        assert!(
            after.get(path) == Some(bytes),
            "{} was changed",
            path.display()
        );
    }
    for (path, bytes) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let marked = String::from_utf8_lossy(first).starts_with("// Code generated by rsyso");
        assert!(
            marked || path.extension().is_some_and(|e| e == "syso"),
            "{}",
            path.display()
        );
    }
    assert_eq!(
        the_same_with_and_without_cgo(dir.path()),
        told("the `rure` crate 0.2.5")
    );
    // The same again, and told when it is not.
    port(dir.path(), &["-q", "--check"]).success();
    assert_eq!(all(dir.path()).len(), after.len());
    let source = dir.path().join("captures.go");
    let text = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, text + "\n// More.\n").unwrap();
    let stale = port(dir.path(), &["-q", "--check"]);
    assert_eq!(stale.failure(), 1);
    assert!(
        stale.stderr.contains("captures_rsyso.go"),
        "{}",
        stale.stderr
    );
    // With the line that the note tells, the ported files take the place of the originals in builds with cgo.
    for name in ["rure.go", "captures.go"] {
        let path = dir.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("//go:build !rsyso\n\n{text}")).unwrap();
    }
    port(dir.path(), &["-q"]).success();
    let mut test = go::command(Release::Newest, dir.path(), true);
    go::succeed(&mut test, &["test", "-count=1", "-tags", "rsyso", "."]);
    let mut vet = go::command(Release::Newest, dir.path(), false);
    go::succeed(&mut vet, &["vet", "./..."]);
}

/// docs/PORTING.md as it stands, on that binding.
#[test]
fn the_page_as_it_stands() {
    need_c_compiler();
    let home = scratch();
    let home = home.path().canonicalize().unwrap();
    rure_binding(&home.join("rure"));
    let page = std::fs::read_to_string(root().join("docs/PORTING.md")).unwrap();
    assert_eq!(follow(&page, "docs/PORTING.md", &home, &[]), 0);
}

/// In another folder all that the package needs without cgo is written; what came of an original that is no more is removed.
#[test]
fn another_folder_and_files_that_are_no_more() {
    let dir = fixture("callbacks");
    let path = |name: &str| dir.path().join(name);
    std::fs::write(
        path("plain.go"),
        "// What needs no C.\n\npackage callbacks\n\nfunc plain() int { return 7 }\n",
    )
    .unwrap();
    let more = "package callbacks\n\n// int more(void) { return 1; }\nimport \"C\"\n\nfunc more() int { return int(C.more()) + plain() }\n";
    std::fs::write(path("more.go"), more.replace("int more", "static int more")).unwrap();
    let names = |at: &Path| {
        let files = all(at).into_keys();
        let names = files.map(|f| f.strip_prefix(at).unwrap().to_str().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    let out = scratch();
    std::fs::write(
        out.path().join("go.mod"),
        "module rsyso.test/there\n\ngo 1.21\n",
    )
    .unwrap();
    let to = out.path().join("there");
    let words = ["-q", "-o", to.to_str().unwrap()];
    port(dir.path(), &words).success();
    let first = names(&to);
    assert!(
        first.contains("plain.go") && first.contains("more_rsyso.go"),
        "{first:?}"
    );
    let build = || {
        let mut build = go::command(Release::Newest, &to, false);
        go::succeed(&mut build, &["vet", "."]);
    };
    build();
    for name in ["more.go", "plain.go"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    let stale = port(dir.path(), &[&words[..], &["--check"]].concat());
    assert_eq!(stale.failure(), 1);
    assert!(
        stale.stderr.contains("more_rsyso.go") && stale.stderr.contains("plain.go"),
        "{}",
        stale.stderr
    );
    assert_eq!(names(&to), first);
    // What rsyso did not write stays.
    std::fs::write(to.join("own.go"), "package callbacks\n").unwrap();
    port(dir.path(), &words).success();
    let second = names(&to);
    assert!(second.contains("own.go"));
    let gone: Vec<_> = first.difference(&second).map(String::as_str).collect();
    assert_eq!(gone, ["more_rsyso.go", "plain.go"]);
    build();
    port(dir.path(), &[&words[..], &["--check"]].concat()).success();
}

/// The types, sizes and values of names of C, as cgo has them.
#[test]
fn names_mean_what_they_mean_under_cgo() {
    need_c_compiler();
    let dir = fixture("mapping");
    port(dir.path(), &["-q"]).success();
    let report = |cgo: bool| {
        let to = dir.path().join(format!("report-{cgo}"));
        let mut test = go::command(Release::Newest, dir.path(), cgo);
        go::succeed(test.env("REPORT", &to), &["test", "-count=1", "."]);
        std::fs::read_to_string(to).unwrap()
    };
    same_names(&report(true), &report(false));
}

/// Compares the reports of the fixture `mapping`, with cgo and without.
#[track_caller]
fn same_names(with: &str, without: &str) {
    // Structs without a tag are numbered, in an order of cgo's own.
    let unnumbered = |text: &str| {
        let mut parts = text.split("_Ctype_struct___");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str("_Ctype_struct___N");
            out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        out
    };
    let (with, without) = (unnumbered(with), unnumbered(without));
    assert!(with.lines().count() > 80, "{with}");
    for (with, without) in with.lines().zip(without.lines()) {
        assert_eq!(without, with);
    }
    assert_eq!(with, without);
}

/// A binding of Go's module proxy, as it is published, but for some of its folders: libraries for other platforms.
fn published(module: &str, version: &str, without: &[&str]) -> tempfile::TempDir {
    let empty = scratch();
    std::fs::write(empty.path().join("go.mod"), "module empty\n\ngo 1.21\n").unwrap();
    let mut download = go::command(Release::Newest, empty.path(), false);
    let of = format!("{module}@{version}");
    let told = go::succeed(&mut download, &["mod", "download", "-json", &of]).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let from = Path::new(told["Dir"].as_str().unwrap());
    let dir = scratch();
    copy_without(
        from,
        dir.path(),
        &without.iter().map(|w| from.join(w)).collect::<Vec<_>>(),
    );
    // The module cache is read-only, and so are its copies.
    let mut chmod = std::process::Command::new("chmod");
    run(
        chmod.args(["-R", "u+w"]).arg(dir.path()),
        Duration::from_secs(60),
    )
    .success();
    dir
}

fn copy_without(from: &Path, to: &Path, without: &[PathBuf]) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            _ if without.contains(&path) => {}
            true => copy_without(&path, &to, without),
            false => drop(std::fs::copy(&path, to).unwrap()),
        }
    }
}

#[test]
fn automerge() {
    let dir = published(
        "github.com/automerge/automerge-go",
        "v0.0.0-20230903201930-b80ce8aadbb9",
        &[],
    );
    port(dir.path(), &["-q"]).success();
    let tests = told("`github.com/automerge/automerge-go`");
    assert_eq!(the_same_with_and_without_cgo(dir.path()), tests);
}

/// A binding whose module has its libraries in it, those for this machine alone.
fn wasmtime_binding(major: &str, version: &str) -> tempfile::TempDir {
    const OTHERS: [&str; 4] = [
        "build/linux-aarch64",
        "build/macos-aarch64",
        "build/macos-x86_64",
        "build/windows-x86_64",
    ];
    published(&format!("{WASMTIME}/{major}"), version, &OTHERS)
}

const WASMTIME: &str = "github.com/bytecodealliance/wasmtime-go";

/// An engine that makes code while the program runs, handles its faults, and calls Go from it.
fn wasmtime_of(major: &str, version: &str) {
    let dir = wasmtime_binding(major, version);
    port(dir.path(), &["-q"]).success();
    let tests = told(&format!("`{WASMTIME}/{major}`"));
    assert_eq!(the_same_with_and_without_cgo(dir.path()), tests);
}

#[test]
fn wasmtime() {
    wasmtime_of("v25", "v25.0.0");
}

#[test]
#[ignore = "another download of 73 MB; `make bindings` runs it"]
fn the_newest_wasmtime() {
    wasmtime_of("v39", "v39.0.1");
}

/// A database, whose file has both forms of build constraints.
#[test]
#[ignore = "a download of 58 MB; `make bindings` runs it"]
fn libsql() {
    let dir = published(
        "github.com/tursodatabase/go-libsql",
        "v0.0.0-20251219133454-43644db490ff",
        &["lib/darwin_arm64"],
    );
    port(dir.path(), &["-q"]).success();
    need_c_compiler();
    let [with, without] = [true, false].map(|cgo| {
        let mut test = go::command(Release::Newest, dir.path(), cgo);
        test.args(["test", "-count=1", "-v", "."]);
        told_results(&run(&mut test, Duration::from_secs(900)).stdout)
    });
    assert_eq!(with, without);
    // Others need a server, and are left out; one fails for root, for whom no folder is one that cannot be written to.
    let passed = with.values().filter(|result| *result == "PASS").count();
    let failed: Vec<&String> = with
        .iter()
        .filter(|(_, r)| *r == "FAIL")
        .map(|(name, _)| name)
        .collect();
    assert!(
        failed.is_empty() || failed == ["TestErrorCanNotConnect"],
        "{with:?}"
    );
    let tests = told("`github.com/tursodatabase/go-libsql`");
    assert_eq!(passed + failed.len(), tests, "{with:?}");
}

#[test]
fn go_functions_that_c_calls() {
    let dir = fixture("callbacks");
    port(dir.path(), &["-q"]).success();
    assert_eq!(the_same_with_and_without_cgo(dir.path()), 7);
    let mut vet = go::command(Release::Newest, dir.path(), false);
    go::succeed(&mut vet, &["vet", "."]);
}
