//! The Go packages of `examples/`: made by their make rules, and then judged as a Go developer would judge them.

use crate::common;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::elf;
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{root, scaffold};

/// The examples that are crates: their folders' names.
fn examples() -> &'static [String] {
    static MADE: OnceLock<Vec<String>> = OnceLock::new();
    MADE.get_or_init(|| {
        let folders = std::fs::read_dir(root().join("examples")).unwrap();
        let mut names: Vec<String> = folders
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("Cargo.toml").is_file())
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        make();
        names
    })
}

/// Runs the make rule of all examples with the tool under test.
fn make() {
    let rule = format!("make examples RSYSO={}", env!("CARGO_BIN_EXE_rsyso"));
    // The first time, 200 crates are compiled.
    run(
        &mut scaffold::script(root(), &rule),
        Duration::from_secs(2400),
    )
    .success();
}

fn example(name: &str) -> PathBuf {
    root().join("examples").join(name)
}

/// The modules of the examples: those that others import, and those that compare them with other packages.
fn modules() -> Vec<PathBuf> {
    let own = examples().iter().map(|name| example(name));
    let with_bench = own.flat_map(|dir| [dir.join("bench"), dir]);
    with_bench
        .chain([example("site")])
        .filter(|dir| dir.join("go.mod").is_file())
        .collect()
}

/// `go` in a module, without cgo; it prints what it says when it fails.
#[track_caller]
fn go(release: Release, dir: &Path, args: &[&str]) -> String {
    go::succeed(&mut go::command(release, dir, false), args).stdout
}

#[test]
fn there_are_six_and_each_is_complete() {
    assert!(examples().len() >= 6, "{:?}", examples());
    for name in examples() {
        for file in [
            format!("{name}.go"),
            format!("{name}_unsupported.go"),
            format!("{name}_linux_amd64.s"),
            format!("{name}_linux_amd64.syso"),
            format!("{name}_test.go"),
            "example_test.go".into(),
            "README.md".into(),
        ] {
            assert!(example(name).join(&file).is_file(), "{name}/{file}");
        }
        let syso = format!("{name}_linux_amd64.syso");
        common::workspace::verify(&example(name).join(syso));
    }
    let list = std::fs::read_to_string(root().join("examples/README.md")).unwrap();
    for name in examples() {
        assert!(
            list.contains(&format!("({name}/README.md)")),
            "examples/README.md: {name}"
        );
    }
}

#[test]
fn tests_and_examples_pass() {
    for dir in modules() {
        go(Release::Newest, &dir, &["test", "-count=1", "./..."]);
    }
    for name in examples() {
        go(Release::Oldest, &example(name), &["test", "./..."]);
    }
}

#[test]
fn vet_and_staticcheck_have_nothing_to_say() {
    for dir in modules() {
        go(Release::Newest, &dir, &["vet", "./..."]);
        run(go::staticcheck(&dir).arg("./..."), Duration::from_secs(600)).success();
    }
}

#[test]
fn every_exported_name_is_documented() {
    for name in examples() {
        let doc = go(Release::Newest, &example(name), &["doc", "-all", "."]);
        let entries = entries(&doc);
        assert!(entries.len() > 3, "{name}:\n{doc}");
        // What it is comes first, from the crate's own comment.
        let about = doc.lines().nth(2).unwrap_or_default();
        let first = about.strip_prefix(&format!("Package {name} "));
        let first = first.unwrap_or_else(|| panic!("{name}: {about}"));
        assert!(!first.starts_with("calls"), "{name}: {about}");
        for entry in entries {
            assert!(!entry.doc.is_empty(), "{name}: {}", entry.declaration[0]);
            if let Some(field) = entry.bare_fields().first() {
                panic!("{name}: {}: {field}", entry.declaration[0]);
            }
        }
    }
}

/// Whoever reads a README reads the API of the package that was made.
#[test]
fn readmes_tell_the_api() {
    for name in examples() {
        let path = example(name).join("README.md");
        let readme = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = readme
            .split_once("```go\n// API\n")
            .unwrap_or_else(|| panic!("{name}: the README has no block that begins with // API"));
        let (written, after) = rest.split_once("```").unwrap();
        let doc = go(Release::Newest, &example(name), &["doc", "-all", "."]);
        let api = api(&entries(&doc));
        if std::env::var_os("RSYSO_BLESS").is_some() {
            let text = format!("{before}```go\n// API\n{api}```{after}");
            std::fs::write(&path, text).unwrap();
        } else {
            assert_eq!(written, api, "{name}: `make bless` writes it anew");
        }
    }
}

/// A name in `go doc -all`.
struct Entry<'a> {
    /// Its lines: more than one for a struct or a list of constants.
    declaration: Vec<&'a str>,
    /// The lines below it.
    doc: Vec<&'a str>,
}

impl Entry<'_> {
    /// Lines of a struct that have a comment neither above them nor behind them.
    fn bare_fields(&self) -> Vec<&str> {
        let lines = self.declaration.windows(2);
        let bare = lines.filter(|pair| {
            let (above, line) = (pair[0].trim(), pair[1].trim());
            let field = self.declaration[0].starts_with("type ")
                && line.starts_with(char::is_alphabetic)
                && !line.contains("//");
            field && !above.starts_with("//")
        });
        bare.map(|pair| pair[1]).collect()
    }

    /// Whether it is a second name of another function, a panic or an error: what every package has.
    fn usual(&self) -> bool {
        let twin = self.doc.iter().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words[..], [_, "is", other] if other.ends_with('.'))
        });
        let first = self.declaration[0];
        twin || [
            "type Panic ",
            "type Error ",
            "func (p *Panic)",
            "func (e *Error)",
        ]
        .iter()
        .any(|usual| first.starts_with(usual))
    }
}

/// The entries of `go doc -all`: declarations begin a line, their documentation is indented by four blanks.
fn entries(doc: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut open = false;
    for line in doc.lines() {
        let begins = ["func ", "type ", "const ", "var "]
            .iter()
            .any(|kind| line.starts_with(kind));
        match entries.last_mut() {
            _ if begins => {
                open = line.ends_with(['{', '(']);
                entries.push(Entry {
                    declaration: vec![line],
                    doc: Vec::new(),
                });
            }
            Some(entry) if open => {
                open = !matches!(line, "}" | ")");
                entry.declaration.push(line);
            }
            Some(entry) if line.starts_with("    ") => entry.doc.push(line),
            _ => {}
        }
    }
    entries
}

/// The declarations without comments.
fn api(entries: &[Entry<'_>]) -> String {
    let mut text = String::new();
    for entry in entries.iter().filter(|entry| !entry.usual()) {
        if entry.declaration[0].starts_with("type ") && !text.is_empty() {
            text.push('\n');
        }
        let lines = entry.declaration.iter();
        let code: Vec<&str> = lines
            .map(|line| line.split("//").next().unwrap().trim_end())
            .filter(|code| !code.is_empty())
            .collect();
        // As `go doc` does without -all.
        let hidden = matches!(code[..], [_, "}"]);
        text.push_str(&code.join(if hidden { " ... " } else { "\n" }));
        text.push('\n');
    }
    text
}

/// Every benchmark runs once: what the READMEs measured can be measured.
#[test]
fn benchmarks_run() {
    for name in examples() {
        let dirs = [example(name), example(name).join("bench")];
        let told: String = dirs
            .iter()
            .filter(|dir| dir.join("go.mod").is_file())
            .map(|dir| {
                let bench = ["test", "-run=^$", "-bench=.", "-benchtime=1x", "./..."];
                go(Release::Newest, dir, &bench)
            })
            .collect();
        let lines = told.lines().filter(|line| line.starts_with("Benchmark"));
        assert!(lines.count() >= 2, "{name}:\n{told}");
    }
}

/// `make examples` vendored the modules of the site, and built it from there.
#[test]
fn three_are_one_static_program() {
    examples();
    for name in ["blake3", "markdown", "regex"] {
        let vendored = format!("vendor/example.com/{name}/{name}_linux_amd64.syso");
        assert!(example("site").join(&vendored).is_file(), "{vendored}");
    }
    let program = root().join("target/site");
    let shape = elf::shape(&program);
    assert!(!shape.interpreted, "{shape:?}");
    common::workspace::verify(&program);
    let out = common::scratch();
    let mut site = Command::new(&program);
    site.arg(example("site").join("pages")).arg(out.path());
    let told = run(&mut site, Duration::from_secs(60)).success().stdout;
    assert_eq!(
        told,
        "gear.svg -> gear.5d9d8a1b302e.svg\n\
         about.md -> about.html: \"About\", 2 links\n\
         index.md -> index.html: \"Rust in Go\", 2 links\n"
    );
    let page = std::fs::read_to_string(out.path().join("index.html")).unwrap();
    for part in [
        "<td>these <a href=\"about.html#how\">pages</a></td>",
        "<img src=\"gear.5d9d8a1b302e.svg\" alt=\"a gear\"",
        "<a href=\"https://example.com/about.md\">",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}
