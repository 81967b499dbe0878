//! Flags in, options out.

use super::convert::{parse_size, quote};
use super::verify::merge;
use super::*;
use crate::base::identifiers::Style;
use crate::base::options::ConvertOptions;
use crate::base::report::Progress;
use std::sync::Mutex;

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Progress for Warnings {
    fn status(&self, _: &str, _: &str) {}
    fn detail(&self, _: &str, _: &str) {}
    fn warn(&self, problem: &Problem) {
        self.0.lock().unwrap().push(problem.message.clone());
    }
}

fn options(args: &[&str]) -> (Result<ConvertOptions>, Vec<String>) {
    let all = ["rsyso", "convert"].iter().chain(args);
    let Command::Convert(args) = Cli::try_parse_from(all).expect("good flags").command else {
        panic!("not convert");
    };
    let warnings = Warnings::default();
    let options = convert::options(*args, &warnings);
    (options, warnings.0.into_inner().unwrap())
}

#[test]
fn clap_finds_no_fault_with_the_flags() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn flags_become_options() {
    let (got, warnings) = options(&[
        "/home/me/target/release/libfoo.a",
        "b.o",
        "-o",
        "go/foo",
        "--package",
        "foo",
        "--stem",
        "f",
        "--import-path",
        "example.com/foo",
        "--export",
        "foo_*",
        "--export",
        "x",
        "--trim-prefix",
        "foo_",
        "--names",
        "c",
        "--stack-size",
        "1MiB",
        "-vv",
        "--json",
    ]);
    let got = got.unwrap();
    assert!(warnings.is_empty());
    assert_eq!(got.out_dir, PathBuf::from("go/foo"));
    assert_eq!(got.package.as_deref(), Some("foo"));
    assert_eq!(got.stack_size, 1 << 20);
    assert_eq!(got.exports, ["foo_*", "x"]);
    assert_eq!(got.names, Style::C);
    assert_eq!(
        got.command,
        "rsyso convert --package foo --stem f --import-path example.com/foo --trim-prefix foo_ \
         --names c --export 'foo_*' --export x --stack-size 1048576 libfoo.a b.o"
    );
}

#[test]
fn build_takes_cargos_flags_and_converts() {
    let build = |args: &str| {
        let all = ["rsyso", "build"]
            .into_iter()
            .chain(args.split_whitespace());
        let Command::Build(args) = Cli::try_parse_from(all).expect("good flags").command else {
            panic!("not build");
        };
        build::options(*args, &Warnings::default()).unwrap()
    };
    let plain = crate::build::BuildOptions::new(".");
    assert_eq!(build(""), plain);
    let got = build(
        "dir -o go --target a --target b --profile small -p member -F one,two --features three --locked \
         --offline --all-features --no-default-features --export foo_* --header inc/foo.h -vv --json",
    );
    assert_eq!(got.targets, ["a", "b"]);
    assert_eq!(got.features, ["one", "two", "three"]);
    assert_eq!(got.out_dir.as_deref(), Some("go".as_ref()));
    assert_eq!(got.says, crate::build::Says::Much);
    assert!(got.locked && got.offline && got.all_features && got.no_default_features);
    assert_eq!(got.convert.headers.files, [PathBuf::from("inc/foo.h")]);
    assert_eq!(
        got.convert.command,
        "rsyso build --profile small -p member --features one,two,three --all-features --no-default-features \
         --export 'foo_*' --header foo.h"
    );
}

#[test]
fn plain_convert() {
    let (got, _) = options(&["./libfoo.a"]);
    assert_eq!(
        got.unwrap(),
        ConvertOptions {
            inputs: vec!["./libfoo.a".into()],
            ..ConvertOptions::new(vec!["libfoo.a".into()])
        }
    );
}

#[test]
fn headers_and_blocking_functions_are_named() {
    let (got, _) = options(&["libfoo.a", "--blocking", "!x", "--header", "foo.h"]);
    let got = got.unwrap();
    assert_eq!(got.blocking, ["!x"]);
    assert_eq!(
        got.command,
        "rsyso convert --header foo.h --blocking '!x' libfoo.a"
    );
    got.check().unwrap();
}

#[test]
fn functions_that_take_for_good_are_named() {
    let (got, _) = options(&["libfoo.a", "--consumes", "*_build"]);
    let got = got.unwrap();
    assert_eq!(got.consumes, ["*_build"]);
    assert_eq!(got.command, "rsyso convert --consumes '*_build' libfoo.a");
}

#[test]
fn functions_that_go_provides_are_named() {
    let (got, _) = options(&["libfoo.a", "--import", "host_*"]);
    let got = got.unwrap();
    assert_eq!(got.imports, ["host_*"]);
    assert_eq!(got.command, "rsyso convert --import 'host_*' libfoo.a");
}

#[test]
fn functions_that_keep_functions_are_named() {
    let (got, _) = options(&["libfoo.a", "--keeps", "on_*", "--keeps", "!on_exit"]);
    let got = got.unwrap();
    assert_eq!(got.keeps, ["on_*", "!on_exit"]);
    let command = "rsyso convert --keeps 'on_*' --keeps '!on_exit' libfoo.a";
    assert_eq!(got.command, command);
}

#[test]
fn functions_whose_arguments_are_trusted_are_named() {
    let (got, _) = options(&["libfoo.a", "--trust", "*", "--trust", "!parse_*"]);
    let got = got.unwrap();
    assert_eq!(got.trust, ["*", "!parse_*"]);
    let command = "rsyso convert --trust '*' --trust '!parse_*' libfoo.a";
    assert_eq!(got.command, command);
}

#[test]
fn stack_sizes() {
    let good = [
        ("8MiB", 8 << 20),
        ("8M", 8 << 20),
        ("8388608", 8 << 20),
        ("256k", 256 << 10),
        ("1 GiB", 1 << 30),
    ];
    for (text, size) in good {
        assert_eq!(parse_size(text), Ok(size), "{text}");
        assert_eq!(
            options(&["a.a", "--stack-size", text])
                .0
                .unwrap()
                .stack_size,
            size
        );
    }
    for text in [
        "",
        "MiB",
        "8MB",
        "8X",
        "-1",
        "1.5M",
        "99999999999999999999",
        "99999999999999G",
    ] {
        assert!(parse_size(text).is_err(), "{text}");
    }
    let (got, warnings) = options(&["a.a", "--stack-size", "3MiB"]);
    assert_eq!(got.unwrap().stack_size, 4 << 20);
    assert_eq!(warnings.len(), 1);
    for text in ["255KiB", "1025MiB", "0"] {
        let error = options(&["a.a", "--stack-size", text]).0.unwrap_err();
        assert_eq!(error.kind, Kind::Fault, "{text}");
    }
}

#[test]
fn words_are_quoted_for_a_comment() {
    assert_eq!(quote("lib-foo_1.a"), "lib-foo_1.a");
    assert_eq!(quote("a b"), "'a b'");
    assert_eq!(quote("it's"), r"'it'\''s'");
    assert_eq!(quote("a\nb"), "'a?b'");
    assert_eq!(quote(""), "''");
}

#[test]
fn faults_outweigh_what_is_unsupported() {
    let mut all = None;
    merge(&mut all, Error::unsupported(Problem::new("a")));
    assert_eq!(all.as_ref().map(|e| e.kind), Some(Kind::Unsupported));
    merge(&mut all, fault("b"));
    let all = all.unwrap();
    assert_eq!((all.kind, all.problems.len()), (Kind::Fault, 2));
}
