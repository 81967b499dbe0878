//! The sources keep to their design: parts use what stands below them, nothing runs in circles, and machines are named behind the seam alone.
//!
//! What is read are tokens, of macros too, without comments and without what is compiled for unit tests alone. An import is a path that begins with `crate` or
//! `super`, wherever it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A crate's sources, and what holds of them.
struct Sources {
    /// The folder.
    root: &'static str,
    /// Its parts, from the ground up: each may use those before it. Empty where that is not laid down.
    layers: &'static [&'static str],
    /// The part that may name machines, and what names them elsewhere: words of the code, or of strings in it.
    machines: (&'static str, &'static [&'static str]),
}

const RUNTIME: Sources = Sources {
    root: "rt/src",
    layers: &[
        "contract", "arch", "sys", "image", "alloc", "lane", "leave", "c", "enter",
    ],
    machines: (
        "arch",
        &[
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
        ],
    ),
};

#[test]
fn parts_of_the_runtime_use_what_stands_below_them() {
    holds(runs_upwards(&RUNTIME, &read(&RUNTIME)));
}

#[test]
fn nothing_in_the_runtime_runs_in_circles() {
    holds(circles(RUNTIME.root, &read(&RUNTIME)));
}

#[test]
fn machines_are_named_in_one_part_of_the_runtime() {
    holds(machines(&RUNTIME, &read(&RUNTIME)));
}

fn holds(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The path of a module, without `crate`.
type Module = Vec<String>;

/// What one file says.
struct File {
    path: PathBuf,
    /// Paths of other modules that it names, with the line.
    imports: Vec<(Module, usize)>,
    /// Words and strings of its code, with the line.
    words: Vec<(String, usize)>,
}

/// Reads all files of a crate that are compiled without tests.
fn read(sources: &Sources) -> BTreeMap<Module, File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources.root);
    let mut files = BTreeMap::new();
    read_module(&root, &root.join("lib.rs"), &[], &mut files);
    assert!(files.len() > 20, "the sources are elsewhere");
    let known: BTreeSet<Module> = files.keys().cloned().collect();
    for (module, file) in &mut files {
        file.path = Path::new(sources.root).join(file.path.strip_prefix(&root).unwrap());
        for (target, _) in &mut file.imports {
            while !known.contains(target) {
                target.pop();
            }
        }
        file.imports
            .retain(|(target, _)| target != module && !target.is_empty());
    }
    files
}

/// Reads a file, and those of the modules that it declares.
fn read_module(root: &Path, path: &Path, module: &[String], files: &mut BTreeMap<Module, File>) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let tokens: TokenStream = text
        .parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = Reader {
        module: module.to_vec(),
        declared: Vec::new(),
        file: File {
            path: path.to_owned(),
            imports: Vec::new(),
            words: Vec::new(),
        },
    };
    reader.read(tokens);
    files.insert(module.to_vec(), reader.file);
    for name in reader.declared {
        let child: Module = module.iter().cloned().chain([name]).collect();
        let folder = child
            .iter()
            .fold(root.to_owned(), |dir, name| dir.join(name));
        let candidates = [folder.with_extension("rs"), folder.join("mod.rs")];
        // Others are found by `#[path]`.
        if let Some(file) = candidates.iter().find(|file| file.is_file()) {
            read_module(root, file, &child, files);
        }
    }
}

/// Reads the tokens of one file.
struct Reader {
    /// Where it stands: the file's module, or one that it has inside.
    module: Module,
    /// Modules in files of their own.
    declared: Vec<String>,
    file: File,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            at += match token {
                TokenTree::Punct(p) if p.as_char() == '#' => self.attribute(rest),
                TokenTree::Ident(i) if i == "crate" || i == "super" => self.path(rest),
                TokenTree::Ident(i) if i == "mod" => self.declaration(rest),
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    1
                }
                TokenTree::Ident(i) => {
                    self.word(&i.to_string(), token);
                    1
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    words.for_each(|word| self.word(word, token));
                    1
                }
                TokenTree::Punct(_) => 1,
            };
        }
    }

    fn word(&mut self, word: &str, token: &TokenTree) {
        let line = token.span().start().line;
        self.file.words.push((word.to_owned(), line));
    }

    /// An attribute: what is documentation is passed over, and so is an item that is for tests alone. Gives the number of tokens.
    fn attribute(&mut self, tokens: &[TokenTree]) -> usize {
        let Some((at, group)) = tokens
            .iter()
            .take(3)
            .enumerate()
            .find_map(|(at, t)| match t {
                TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket => Some((at, g)),
                _ => None,
            })
        else {
            return 1;
        };
        let text = group.stream().to_string().replace(' ', "");
        if text == "cfg(test)" && at == 1 {
            let ends = |t: &TokenTree| match t {
                TokenTree::Group(g) => g.delimiter() == Delimiter::Brace,
                TokenTree::Punct(p) => p.as_char() == ';',
                _ => false,
            };
            let length = tokens.iter().position(ends);
            return length.map_or(tokens.len(), |at| at + 1);
        }
        if !text.starts_with("doc=") {
            self.read(group.stream());
        }
        at + 1
    }

    /// A module inside, or one in a file of its own. Gives the number of tokens.
    fn declaration(&mut self, tokens: &[TokenTree]) -> usize {
        match tokens {
            [_, TokenTree::Ident(name), TokenTree::Punct(p), ..] if p.as_char() == ';' => {
                self.declared.push(name.to_string());
                3
            }
            [_, TokenTree::Ident(name), TokenTree::Group(group), ..] => {
                self.module.push(name.to_string());
                self.read(group.stream());
                self.module.pop();
                3
            }
            _ => 1,
        }
    }

    /// A path from `crate` or `super` on. Gives the number of tokens.
    fn path(&mut self, tokens: &[TokenTree]) -> usize {
        let mut target = match &tokens[0] {
            TokenTree::Ident(first) if first == "super" => self.above(&self.module),
            _ => Vec::new(),
        };
        let line = tokens[0].span().start().line;
        let used = 1 + self.segments(&tokens[1..], &mut target, line);
        self.file.imports.push((target, line));
        used
    }

    fn above(&self, module: &[String]) -> Module {
        module[..module.len().saturating_sub(1)].to_vec()
    }

    /// The rest of a path, after its first segment; the paths of a list in braces are imports of their own.
    fn segments(&mut self, tokens: &[TokenTree], target: &mut Module, line: usize) -> usize {
        let mut at = 0;
        loop {
            match &tokens[at..] {
                [TokenTree::Punct(a), TokenTree::Punct(b), next, ..]
                    if a.as_char() == ':' && b.as_char() == ':' =>
                {
                    match next {
                        TokenTree::Ident(name) if name == "super" => *target = self.above(target),
                        TokenTree::Ident(name) if name == "self" => {}
                        TokenTree::Ident(name) => target.push(name.to_string()),
                        TokenTree::Group(list) => {
                            self.list(list.stream(), target, line);
                            return at + 3;
                        }
                        _ => return at + 3,
                    }
                    at += 3;
                }
                _ => return at,
            }
        }
    }

    fn list(&mut self, tokens: TokenStream, base: &[String], line: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let comma = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ',');
        for part in tokens.split(comma) {
            let Some(TokenTree::Ident(first)) = part.first() else {
                continue;
            };
            let mut target = base.to_vec();
            if first != "self" {
                target.push(first.to_string());
            }
            self.segments(&part[1..], &mut target, line);
            self.file.imports.push((target, line));
        }
    }
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
        if module.first().is_some_and(|part| part == seam) {
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
        let mut reader = Reader {
            module: module.clone(),
            declared: Vec::new(),
            file: File {
                path: PathBuf::from(module.join("/") + ".rs"),
                imports: Vec::new(),
                words: Vec::new(),
            },
        };
        reader.read(text.parse().unwrap());
        all.insert(module, reader.file);
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
