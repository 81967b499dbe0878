//! The text of generated packages: against goldens, and in the eyes of gofmt, go vet and the compiler.

mod build;
mod handles;
mod kept_samples;
mod names;
mod refusals;
mod samples;
mod sum_samples;
mod uses;

use std::fs;
use std::path::Path;
use std::process::Command;

use build::*;
use rsyso::internals::arch::amd64::Amd64;
use rsyso::internals::go::Kind;
use rsyso::internals::model::*;
use samples::*;

/// Compares with `tests/golden/NAME.txt`; `RSYSO_BLESS=1` writes it instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    if std::env::var_os("RSYSO_BLESS").is_some() {
        fs::write(&path, text).expect("the golden is written");
    }
    let want = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        want == text,
        "{name} is not as its golden says; look at the difference, then run with RSYSO_BLESS=1\n{text}"
    );
}

#[test]
fn the_files_are_as_their_goldens_say() {
    for (stem, api) in samples::all() {
        let files = files(&api, &Amd64, stem);
        for file in &files {
            golden(&file.name, &file.text);
        }
        let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
        let mut want = vec![".go", "_unsupported.go", "_linux_amd64.s"];
        // For the race detector.
        if ["handles", "keeps"].contains(&stem) {
            want.extend(["_race.go", "_norace.go"]);
        }
        let want: Vec<String> = want.iter().map(|end| format!("{stem}{end}")).collect();
        assert_eq!(names, want);
    }
}

/// What `inspect` shows of a package is what others can use of it, as the file has it.
#[test]
fn the_declarations_are_those_of_the_file() {
    for (stem, sample) in samples::all() {
        let package = plan(&sample, stem);
        let text = &print(&package, &Amd64)[0].text;
        for d in package.declarations() {
            let comment = d.doc.iter().map(|line| match line.as_str() {
                "" => "//\n".to_owned(),
                code if code.starts_with('\t') => format!("//{code}\n"),
                line => format!("// {line}\n"),
            });
            let directive = d.directive.map(|d| format!("//\n//{d}\n"));
            let end = match &d.body {
                Some(_) => " {",
                None => "\n",
            };
            let comment: String = comment.chain(directive).collect();
            let whole = format!("\n\n{comment}{}{end}", d.text);
            assert!(text.contains(&whole), "{stem}: {whole}");
            let name = d.name.rsplit('.').next().unwrap_or_default();
            assert!(d.text.contains(name) && d.text.starts_with(d.kind.keyword()));
        }
        // What begins with a capital letter in the first column is among them.
        let is_name = |rest: &str| rest.starts_with(char::is_uppercase);
        let functions = text.lines().filter_map(|l| l.strip_prefix("func "));
        let plain = functions.filter(|rest| is_name(rest)).count();
        let types = text.lines().filter_map(|l| l.strip_prefix("type "));
        let types = types.filter(|rest| is_name(rest)).count();
        let declared = |kind: Kind| package.declarations().filter(move |d| d.kind == kind);
        let methods = |d: &&rsyso::internals::go::Declaration| d.name.contains('.');
        assert_eq!(declared(Kind::Type).count(), types, "{stem}");
        assert_eq!(
            declared(Kind::Func).filter(|d| !methods(d)).count(),
            plain,
            "{stem}"
        );
        assert_eq!(package.functions.len(), sample.functions.len(), "{stem}");
    }
}

/// A Go module in a directory of its own.
struct Module(tempfile::TempDir);

impl Module {
    fn new() -> Self {
        let module = Module(tempfile::tempdir().expect("a directory"));
        module.add("go.mod", "module example.com/m\n\ngo 1.21\n");
        module
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn add(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn add_package(&self, api: &Sample, stem: &str, goarch: &'static str) {
        for file in files(api, &Fake(goarch), stem) {
            self.add(&format!("{stem}/{}", file.name), &file.text);
        }
        // Without a .syso, body-less functions need a .s file, which there is on one platform alone.
        self.add(&format!("{stem}/doc.go"), &format!("package {stem}\n"));
    }

    /// Runs a Go tool, which must succeed, and gives what it prints.
    fn run(&self, program: &str, args: &[&str], env: &[(&str, &str)]) -> String {
        let out = Command::new(program)
            .args(args)
            .current_dir(self.path())
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=mod")
            .envs(env.iter().copied())
            .output()
            .unwrap_or_else(|e| panic!("{program}: {e}; Go must be on the PATH"));
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        assert!(out.status.success(), "{program} {args:?} {env:?}:\n{text}");
        text
    }
}

#[test]
fn go_is_content_with_the_files() {
    let module = Module::new();
    let mut build = vec!["build".to_string()];
    for (stem, api) in samples::all() {
        module.add_package(&api, stem, "amd64");
        build.push(format!("./{stem}"));
    }
    module.add(
        "main.go",
        "package main\n\nimport (\n\t\"example.com/m/shapes\"\n\t\"example.com/m/text\"\n)\n\nfunc main() {\n\tshapes.SetBig(shapes.BigHigh, shapes.SignedMinus)\n\ttext.Tick()\n}\n",
    );
    assert_eq!(module.run("gofmt", &["-l", "."], &[]), "");
    let linux = [("GOOS", "linux"), ("GOARCH", "amd64")];
    module.run("go", &["vet", "./..."], &linux);
    // Compiled, not linked: there is no image.
    let build: Vec<_> = build.iter().map(String::as_str).collect();
    module.run("go", &build, &linux);
    for (goos, goarch) in [("windows", "386"), ("linux", "386"), ("js", "wasm")] {
        let env = [("GOOS", goos), ("GOARCH", goarch)];
        module.run("go", &["vet", "./..."], &env);
    }
    // The go command leaves .syso files out for -msan; the native declarations must go with them.
    let list = ["list", "-f", "{{.GoFiles}} {{.SFiles}}"];
    let files = module.run("go", &[&list[..], &["./text"]].concat(), &linux);
    assert_eq!(files.trim(), "[doc.go text.go] [text_linux_amd64.s]");
    let files = module.run(
        "go",
        &[&list[..], &["-tags=msan", "./text"]].concat(),
        &linux,
    );
    assert_eq!(files.trim(), "[doc.go text_unsupported.go] []");
}

#[test]
fn a_call_on_another_platform_says_what_to_do() {
    let module = Module::new();
    module.add_package(&text(), "text", "arm64");
    module.add(
        "main.go",
        "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/m/text\"\n)\n\nfunc main() {\n\tdefer func() { fmt.Println(recover()) }()\n\ttext.Tick()\n}\n",
    );
    let env = [("GOOS", "linux"), ("GOARCH", "amd64")];
    let said = module.run("go", &["run", "."], &env);
    assert_eq!(
        said.trim(),
        "text: Tick is not available on linux/amd64: this package holds native code for linux/arm64 only; \
         build with GOOS=linux GOARCH=arm64, and without -msan"
    );
}

#[test]
fn a_struct_of_another_layout_does_not_compile() {
    let module = Module::new();
    module.add_package(&shapes(), "shapes", "amd64");
    let path = module.path().join("shapes/shapes.go");
    let text = fs::read_to_string(&path).expect("the file");
    let wrong = text.replacen("Count uint32", "Count uint16", 1);
    assert_ne!(text, wrong, "the sample has the field");
    fs::write(&path, wrong).expect("written");
    let out = Command::new("go")
        .args(["build", "./shapes"])
        .current_dir(module.path())
        .envs([("GOOS", "linux"), ("GOARCH", "amd64"), ("CGO_ENABLED", "0")])
        .output()
        .expect("go runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("Holes{}"), "{said}");
}

/// A small generator (Knuth's MMIX constants): the same every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Pieces that Markdown, Go's doc syntax or Go's scanner treat in some special way.
const PIECES: &[&str] = &[
    "Words",
    "a word.",
    "\n",
    "\n\n",
    "\n\n\n",
    "# Heading\n",
    "## Safety\n\n",
    "- item\n",
    "* item",
    "+ x\n",
    "1. one\n",
    "2) two\n",
    "  - nested\n",
    "    indented code\n",
    "```\ncode {\n}\n```\n",
    "```rust\n- not an item\n\n  x\n```\n",
    "```\n",
    "[`Foo`]",
    "[a](https://x.y/z)",
    "[x]: https://example.com\n",
    "[x]",
    "[0]: ",
    "`code`",
    "``two ` ticks``",
    "''",
    "``",
    "**bold**",
    "_it_",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "> quote\n",
    "---\n",
    "<b>html</b>",
    "<div>\nblock\n</div>\n",
    "+build linux",
    "go:build x",
    "\t",
    "    ",
    "\\# x",
    "\\- x",
    "\u{feff}",
    "\0",
    "\r\n",
    "\r",
    "*/",
    "/*",
    "//go:embed x",
    "Deprecated: no",
    "\u{2022} bullet\n",
    "}",
    "{\n",
    "\\\n",
    "über",
    "\u{202e}",
    "http://a.b",
    "![i](http://j.k)",
    "Title Case",
    "\n\n    - coded item\n",
    "&amp;",
    "10. ten\n",
    "\u{a0}",
    "\u{2028}",
];

#[test]
fn gofmt_leaves_any_doc_comment_and_any_struct_as_it_is() {
    let mut random = Random(1);
    let module = Module::new();
    for file in 0..20 {
        let functions = (0..60)
            .map(|i| {
                let doc: String = (0..1 + random.below(12))
                    .map(|_| random.pick(PIECES))
                    .collect();
                let params: Vec<(&str, Type)> = (0..8)
                    .map(|t| ("p", pointer(PointerKind::Ref, named(t))))
                    .collect();
                function(&format!("f{i}x"), &params, None).doc(&doc)
            })
            .collect();
        let types = (0..8)
            .map(|t| {
                let fields: Vec<Field> = (0..random.below(9))
                    .map(|i| {
                        let name = format!(
                            "{}{i}x",
                            random.pick(&["a", "longer_name", "größe", "x_y_z"])
                        );
                        let doc = match random.below(3) {
                            0 => random.pick(PIECES),
                            _ => "",
                        };
                        // Every other one leaves a hole.
                        let ty = match random.below(2) {
                            0 => int(Int::U32),
                            _ => int(Int::U64),
                        };
                        field(&name, ty, i as u64 * 8).doc(doc)
                    })
                    .collect();
                let size = fields.len() as u64 * 8;
                structure(
                    &format!("T{t}"),
                    size,
                    if size == 0 { 1 } else { 8 },
                    fields,
                )
            })
            .collect();
        let api = Sample {
            functions,
            types,
            ..Sample::default()
        };
        for text in files(&api, &Fake("amd64"), "sample")
            .into_iter()
            .filter(|f| f.name.ends_with(".go"))
        {
            module.add(&format!("p{file}/{}", text.name), &text.text);
        }
    }
    let diff = module.run("gofmt", &["-d", "."], &[]);
    assert!(
        diff.is_empty(),
        "{}",
        diff.lines().take(60).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn only_functions_that_keep_nothing_promise_it() {
    use PointerKind::{Const, Mut, Ref, RefMut};
    let types = || {
        vec![
            structure("Flat", 8, 8, vec![field("a", int(Int::U64), 0)]),
            structure("Raw", 8, 8, vec![field("p", void(Mut), 0)]),
            structure("Link", 8, 8, vec![field("next", pointer(Ref, named(2)), 0)]),
            opaque("Opaque"),
        ]
    };
    let flat = || pointer(Ref, named(0));
    for (params, result, want) in [
        (vec![Type::Str], None, true),
        (vec![slice(int(Int::U8))], Some(int(Int::Usize)), true),
        (vec![slice_mut(named(0)), flat()], Some(named(0)), true),
        (vec![pointer(RefMut, named(3)), Type::Str], None, true),
        (vec![named(2)], None, true),
        (vec![pointer(Ref, named(2))], None, true),
        // Nothing to promise.
        (vec![], None, false),
        (vec![int(Int::U8), named(0)], None, false),
        // Raw pointers may be kept, wherever they are.
        (vec![Type::Str, void(Const)], None, false),
        (vec![Type::Str, pointer(Mut, named(0))], None, false),
        (vec![Type::Str, named(1)], None, false),
        (vec![pointer(Ref, named(1))], None, false),
        (vec![slice(pointer(Const, named(0)))], None, false),
        // A result may borrow from an argument.
        (vec![Type::Str], Some(Type::Str), false),
        (vec![flat()], Some(pointer(Ref, named(0))), false),
        (vec![flat()], Some(pointer(Mut, named(3))), false),
        (vec![flat()], Some(named(2)), false),
        // So may what is written to.
        (vec![Type::Str, pointer(RefMut, named(2))], None, false),
        (vec![slice_mut(flat()), flat()], None, false),
    ] {
        let named_params: Vec<(&str, Type)> = params.iter().map(|t| ("p", t.clone())).collect();
        let api = api(vec![function("f", &named_params, result.clone())], types());
        let text = &files(&api, &Amd64, "sample")[0].text;
        // Behind a check for nil, or itself.
        let stubs = [
            "\n\n//go:noescape\nfunc rsysoCallF(",
            "\n//\n//go:noescape\nfunc F(",
        ];
        assert_eq!(
            stubs.iter().any(|stub| text.contains(stub)),
            want,
            "{params:?} -> {result:?}"
        );
    }
}
