//! The sources keep to their design: parts use what stands below them, nothing runs in circles, and machines are named behind the seam alone.

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use reader::{File, Module, parse, read};

/// A crate's sources, and what holds of them.
struct Sources {
    /// The folder.
    root: &'static str,
    /// Its parts, from the ground up: each may use those before it. Empty where that is not laid down.
    layers: &'static [&'static str],
    /// The part that may name machines, and what names them elsewhere.
    machines: (&'static str, &'static [&'static str]),
    /// Modules that may name machines, too, and why.
    but: &'static [(&'static str, &'static str)],
}

/// What names a machine: words of the code, or of strings in it.
const MACHINES: &[&str] = &[
    "x86",
    "x86_64",
    "amd64",
    "aarch64",
    "arm64",
    "target_arch",
    "asm",
    "naked_asm",
    "rax",
    "rcx",
    "rdx",
    "rbx",
    "rsi",
    "rdi",
    "rsp",
    "rbp",
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
    "sysv",
    "sysv64",
    "aapcs",
    "iced_x86",
    "EM_X86_64",
    "EM_AARCH64",
];

const TOOL: Sources = Sources {
    root: "src",
    layers: &[
        "base",
        "crates",
        "provenance",
        "model",
        "arch",
        "read",
        "sig",
        "wrappers",
        "shim",
        "link",
        "go",
        "analyse",
        "verify",
        "page",
        "pipeline",
        "builder",
        "build",
        "port",
        "init",
        "cli",
    ],
    machines: ("arch", MACHINES),
    but: &[(
        "go::place",
        "lists all that the go command takes for a platform at the end of a file's name",
    )],
};

const RUNTIME: Sources = Sources {
    root: "rt/src",
    layers: &[
        "contract", "arch", "sys", "image", "alloc", "lane", "leave", "c", "enter",
    ],
    machines: ("arch", MACHINES),
    but: &[],
};

#[test]
fn parts_use_what_stands_below_them() {
    holds(runs_upwards);
}

#[test]
fn nothing_runs_in_circles() {
    holds(|sources, files| circles(sources.root, files));
}

#[test]
fn machines_are_named_in_one_part() {
    holds(machines);
}

/// Asks for what is broken in each crate.
fn holds(ask: impl Fn(&Sources, &BTreeMap<Module, File>) -> Vec<String>) {
    let ask = |sources| ask(sources, &read(sources));
    let broken: Vec<String> = [&TOOL, &RUNTIME].into_iter().flat_map(ask).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Imports of what stands above, a sentence each.
fn runs_upwards(sources: &Sources, files: &BTreeMap<Module, File>) -> Vec<String> {
    let layer = |module: &[String]| {
        let part = module.first()?;
        sources.layers.iter().position(|layer| layer == part)
    };
    let mut broken = Vec::new();
    for (module, file) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let Some(own) = layer(module) else {
            broken.push(format!(
                "{}: no layer has this name: say in this test what it stands on",
                file.path.display()
            ));
            continue;
        };
        for (target, line) in &file.imports {
            if let Some(other) = layer(target).filter(|other| *other > own) {
                broken.push(format!(
                    "{}:{line}: `{}` uses `{}`, which stands above it: move what both need down, or have `{}` hand it over. From the ground up: {}",
                    file.path.display(),
                    sources.layers[own],
                    target.join("::"),
                    sources.layers[other],
                    sources.layers.join(", "),
                ));
            }
        }
    }
    broken
}

/// Circles among the modules that one module has inside, a sentence each. What a module keeps itself is there for those inside it.
fn circles(root: &str, files: &BTreeMap<Module, File>) -> Vec<String> {
    // By the module that has both inside: from one to the other, and where.
    let mut graphs: BTreeMap<Module, BTreeMap<&str, BTreeMap<&str, String>>> = BTreeMap::new();
    for (module, file) in files {
        for (target, line) in &file.imports {
            let common = module
                .iter()
                .zip(target)
                .take_while(|(a, b)| a == b)
                .count();
            let (Some(from), Some(to)) = (module.get(common), target.get(common)) else {
                continue;
            };
            let place = format!("{}:{line}", file.path.display());
            let graph = graphs.entry(module[..common].to_vec()).or_default();
            graph.entry(from).or_default().entry(to).or_insert(place);
        }
    }
    let mut broken = Vec::new();
    for (module, mut graph) in graphs {
        // What uses nothing is in no circle, nor is what uses only such.
        loop {
            let uses: BTreeSet<&str> = graph.keys().copied().collect();
            let before = graph.values().map(BTreeMap::len).sum::<usize>();
            graph
                .values_mut()
                .for_each(|to| to.retain(|to, _| uses.contains(to)));
            graph.retain(|_, to| !to.is_empty());
            if graph.values().map(BTreeMap::len).sum::<usize>() == before {
                break;
            }
        }
        let Some((mut at, _)) = graph.first_key_value() else {
            continue;
        };
        // Whoever goes on long enough goes round.
        let mut way = vec![*at];
        let circle = loop {
            let (next, _) = graph[at]
                .first_key_value()
                .expect("all of these use another");
            if let Some(start) = way.iter().position(|seen| seen == next) {
                break &way[start..];
            }
            way.push(next);
            at = next;
        };
        let mut text = format!(
            "{}: a circle:",
            [root]
                .into_iter()
                .chain(module.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("/")
        );
        for (n, from) in circle.iter().enumerate() {
            let to = circle[(n + 1) % circle.len()];
            let _ = write!(text, " `{from}` uses `{to}` ({}),", graph[from][to]);
        }
        text.push_str(" so none can be read without the others: move what two of them need into a file that stands below both");
        broken.push(text);
    }
    broken
}

/// Names of machines where they should not be, a sentence each.
fn machines(sources: &Sources, files: &BTreeMap<Module, File>) -> Vec<String> {
    let (seam, names) = sources.machines;
    let mut broken = Vec::new();
    for (module, file) in files {
        let path = module.join("::");
        let may = sources.but.iter().any(|(name, _)| *name == path);
        if may || module.first().is_some_and(|part| part == seam) {
            continue;
        }
        for (word, line) in file
            .words
            .iter()
            .filter(|(word, _)| names.contains(&word.as_str()))
        {
            broken.push(format!(
                "{}:{line}: `{word}` belongs to a machine: ask `{seam}` for a property of it, and give it to each machine there",
                file.path.display()
            ));
        }
    }
    broken
}

/// A crate of files that are given as text.
fn sample(files: &[(&str, &str)]) -> BTreeMap<Module, File> {
    let mut all = BTreeMap::new();
    for (module, text) in files {
        let module: Module = module
            .split("::")
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect();
        let path = PathBuf::from(module.join("/") + ".rs");
        let (file, _) = parse(&path, &module, text);
        all.insert(module, file);
    }
    all
}

#[test]
fn each_fault_is_found() {
    let files = sample(&[
        (
            "arch",
            "naked_asm!(\"call {to}\", to = sym crate::lane::table::find);",
        ),
        ("lane", "pub mod table;"),
        (
            "lane::table",
            "use super::list::{self, all as lanes};\n#[cfg(test)] mod tests { use crate::enter::boot; }",
        ),
        (
            "lane::list",
            "//! x86_64\nc_fn! { fn f() { crate::sys::die(\"mov rax, 1\"); super::super::lane::table::g() } }",
        ),
        ("sys", "/// amd64\nmod inside { use super::super::enter; }"),
        ("enter", ""),
    ]);
    let upwards = runs_upwards(&RUNTIME, &files);
    let has = |all: &[String], what: &str| all.iter().any(|s| s.contains(what));
    assert_eq!(upwards.len(), 2, "{upwards:?}");
    assert!(
        has(
            &upwards,
            "arch.rs:1: `arch` uses `lane::table::find`, which stands above it"
        ),
        "{upwards:?}"
    );
    assert!(has(&upwards, "sys.rs:2: `sys` uses `enter`"), "{upwards:?}");
    let round = circles("rt/src", &files);
    assert_eq!(round.len(), 1, "{round:?}");
    assert!(
        has(
            &round,
            "rt/src/lane: a circle: `list` uses `table` (lane/list.rs:2), `table` uses `list` (lane/table.rs:1)"
        ),
        "{round:?}"
    );
    let named = machines(&RUNTIME, &files);
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(
        has(&named, "lane/list.rs:2: `rax` belongs to a machine"),
        "{named:?}"
    );
}
