//! The pages of `docs/` and the README say what the code says: links lead somewhere, options exist, tables are complete.

use crate::common;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::root;
use rsyso::internals::base::report::{
    Bytes, Converted, CrateSize, GoDeclaration, Image, InspectedExport, Inspection, Item, Kept,
    Missing, Sizes, Wait, Waiting,
};
use rsyso::internals::build::{Built, BuiltTarget};
use rsyso::internals::crates::Crate;
use rsyso::internals::init::Initialised;
use rsyso::internals::port::Ported;
use rsyso::internals::verify::{ProgramImage, ProgramReport, SysoReport};
use serde::Serialize;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    assert!(pages.len() >= 6, "{pages:?}");
    pages.push(root().join("README.md"));
    pages.push(root().join("tests/README.md"));
    pages
}

/// Everything between a pair of backticks.
fn code_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|r| r.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let local = !link.starts_with("http") && !file.is_empty();
            let target = page.parent().unwrap().join(file);
            assert!(!local || target.exists(), "{}: {link}", page.display());
        }
    }
}

/// Whether there is a file of that name; `*` stands for a folder.
fn exists(name: &str) -> bool {
    match name.split_once("/*/") {
        None => root().join(name).exists(),
        Some((dir, rest)) => std::fs::read_dir(root().join(dir))
            .is_ok_and(|dir| dir.flatten().any(|e| e.path().join(rest).exists())),
    }
}

#[test]
fn named_files_exist() {
    for page in pages() {
        for word in code_words(&read(&page)) {
            let ours = ["src/", "rt/", "tests/", "docs/"]
                .iter()
                .any(|d| word.starts_with(d));
            // `src/lib.rs:12` and the like are examples of output.
            let named = ours && !word.contains([':', ' ']);
            assert!(!named || exists(word), "{}: {word}", page.display());
        }
    }
}

/// Words of the form `--name`.
fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words
        .filter(|w| {
            let name = w.strip_prefix("--");
            name.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_lowercase()))
        })
        .collect()
}

fn help(command: &str) -> String {
    let mut rsyso = common::rsyso();
    let ran = common::process::run(rsyso.args([command, "--help"]), Duration::from_secs(60));
    ran.success().stdout
}

/// Pictures are drawn by the script beside them.
#[test]
fn pictures_are_what_their_scripts_draw() {
    let pictures = root().join("docs/pictures");
    let mut script = std::process::Command::new(pictures.join("pipeline.sh"));
    let drawn = common::process::run(&mut script, Duration::from_secs(60)).success();
    assert_eq!(drawn.stdout, read(&pictures.join("pipeline.svg")));
}

#[test]
fn options_that_are_named_exist() {
    /// Of cargo, rustc and what docs/RELEASE.md calls; and rsyso's own without a command.
    const OTHERS: &[&str] = &[
        "--all-targets",
        "--crate-type",
        "--generate-notes",
        "--group",
        "--lib",
        "--manifest-path",
        "--no-run",
        "--owner",
        "--path",
        "--release",
        "--remap-path-prefix",
        "--repo",
        "--sort",
        "--test",
        "--version",
    ];
    let help = ["build", "convert", "init", "inspect", "port", "verify"]
        .map(help)
        .concat();
    let known = options(&help);
    assert!(known.contains("--blocking") && known.len() > 8, "{known:?}");
    for page in pages() {
        let text = read(&page);
        for word in options(&text) {
            let exists = known.contains(word) || OTHERS.contains(&word);
            assert!(exists, "{}: {word}", page.display());
        }
    }
}

#[test]
fn every_test_is_in_the_table() {
    let page = read(&root().join("tests/README.md"));
    let words = code_words(&page);
    let mut tests = 0;
    for group in ["", "tool/", "go/", "load/"] {
        for entry in std::fs::read_dir(root().join("tests").join(group)).unwrap() {
            let entry = entry.unwrap();
            let mut name = group.to_owned() + &entry.file_name().into_string().unwrap();
            let folder = entry.path().join("mod.rs").exists() && name != "common";
            if folder {
                name.push('/');
            }
            if folder || name.ends_with(".rs") && !name.ends_with("main.rs") {
                tests += 1;
                assert!(
                    words.contains(&name.as_str()),
                    "tests/README.md lacks {name}"
                );
            }
        }
    }
    assert!(tests > 25, "{tests}");
}

#[test]
fn the_design_gives_each_library_its_role() {
    let manifest = read(&root().join("Cargo.toml"));
    let design = read(&root().join("docs/DESIGN.md"));
    let roles: Vec<&str> = design
        .lines()
        .skip_while(|l| !l.starts_with("## Libraries"))
        .take_while(|l| !l.starts_with("## The runtime"))
        .filter_map(|l| l.strip_prefix("| ")?.split(" | ").next())
        .filter(|first| !matches!(*first, "crate" | "---"))
        .flat_map(|names| names.split(", "))
        .collect();
    let dependencies: Vec<&str> = manifest
        .lines()
        .skip_while(|l| *l != "[dependencies]")
        .skip(1)
        .take_while(|l| !l.starts_with('['))
        .filter_map(|l| Some(l.split_once(" = ")?.0))
        .collect();
    assert!(dependencies.len() > 10, "{dependencies:?}");
    for name in &dependencies {
        assert!(roles.contains(name), "docs/DESIGN.md gives {name} no role");
    }
    for name in &roles {
        assert!(
            dependencies.contains(name),
            "docs/DESIGN.md names {name}, which is not used"
        );
    }
}

#[test]
fn every_field_of_the_json_is_documented() {
    let page = read(&root().join("docs/JSON.md"));
    let words = code_words(&page);
    let text = String::new;
    let image = ProgramImage {
        package: text(),
        rsyso: text(),
        rustc: text(),
        inputs_sha256: text(),
        fixed_sha256: text(),
        image_size: 0,
        fixed_size: 0,
        offset: 0,
        address: 0,
        crates: None,
    };
    let syso = SysoReport {
        file: text(),
        goarch: text(),
        package: text(),
        rsyso: text(),
        rustc: text(),
        inputs_sha256: text(),
        fixed_sha256: text(),
        image_size: 0,
        fixed_size: 0,
        symbols: 0,
        wrappers: Vec::new(),
        crates: None,
    };
    let krate = Crate {
        license: Some(text()),
        dependencies: vec![0],
        root: true,
        ..Crate::default()
    };
    let program = ProgramReport {
        file: text(),
        goarch: text(),
        images: Vec::new(),
    };
    // Those that are left out when they say nothing.
    let item = Item {
        symbol: "s".into(),
        place: "p".into(),
        root: "r".into(),
        ..Item::default()
    };
    let bytes = Bytes {
        code: 1,
        rodata: 1,
        data: 1,
        zeros: 1,
        unwind: 1,
        names: 1,
        tables: 1,
        padding: 1,
    };
    let fields = [
        keys(&Built::default()),
        keys(&BuiltTarget::default()),
        keys(&Initialised::default()),
        keys(&Converted::default()),
        keys(&Ported::default()),
        keys(&Waiting::default()),
        keys(&Wait::default()),
        keys(&Inspection::default()),
        keys(&InspectedExport::default()),
        keys(&GoDeclaration::default()),
        keys(&Image::default()),
        keys(&CrateSize::default()),
        keys(&item),
        keys(&bytes),
        keys(&Sizes::default()),
        keys(&Missing::default()),
        keys(&Kept::default()),
        keys(&syso),
        keys(&program),
        keys(&image),
        keys(&krate),
    ];
    for field in fields.concat() {
        assert!(
            words.contains(&field.as_str()),
            "docs/JSON.md lacks `{field}`"
        );
    }
}

fn keys(value: &impl Serialize) -> Vec<String> {
    let value = serde_json::to_value(value).unwrap();
    value
        .as_object()
        .expect("a struct")
        .keys()
        .cloned()
        .collect()
}

#[test]
fn go_declarations_of_results_and_handles_are_those_that_are_written() {
    let golden = |name: &str| read(&root().join(format!("tests/golden/{name}.go.txt")));
    let written = golden("results") + &golden("handles");
    let page = read(&root().join("docs/FFI.md"));
    let declared: Vec<&str> = page.lines().filter(|l| l.starts_with("func ")).collect();
    assert!(declared.len() > 5, "{declared:?}");
    for line in declared {
        assert!(written.contains(&format!("{line} {{\n")), "{line}");
    }
}
