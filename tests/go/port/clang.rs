//! clang as the C compiler: its own names of types, its own debug information, its own messages. `make bindings` fetches it where it is missing.

use std::path::Path;
use std::time::Duration;

use super::{all, fixture, port, rure_binding, same_names};
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{rsyso, scratch};

/// Ports with clang.
#[track_caller]
fn ported(dir: &Path) {
    let mut command = rsyso();
    command.args(["port", "-q"]).env("CC", "clang");
    run(command.current_dir(dir), Duration::from_secs(300)).success();
}

#[test]
#[ignore = "needs clang; `make bindings` runs it"]
fn names_mean_what_they_mean_under_cgo() {
    let dir = fixture("mapping");
    ported(dir.path());
    let [with, without] = [true, false].map(|cgo| {
        let report = dir.path().join(format!("report-{cgo}"));
        let mut test = go::command(Release::Newest, dir.path(), cgo);
        test.env("CC", "clang").env("REPORT", &report);
        go::succeed(&mut test, &["test", "-count=1", "."]);
        std::fs::read_to_string(report).unwrap()
    });
    same_names(&with, &without);
}

/// What Go sees is the same whichever compiler was asked.
#[test]
#[ignore = "needs clang; `make bindings` runs it"]
fn go_code_does_not_depend_on_the_compiler() {
    for binding in ["callbacks", "rure"] {
        let [gcc, clang] = [false, true].map(|with_clang| {
            let dir = match binding {
                "rure" => {
                    let dir = scratch();
                    rure_binding(dir.path());
                    dir
                }
                fixture_name => fixture(fixture_name),
            };
            match with_clang {
                true => ported(dir.path()),
                false => drop(port(dir.path(), &["-q"]).success()),
            }
            let mut test = go::command(Release::Newest, dir.path(), false);
            go::succeed(&mut test, &["test", "-count=1", "."]);
            let files = all(dir.path()).into_iter();
            let go = files.filter(|(path, _)| path.extension().is_some_and(|e| e == "go"));
            let named = go.map(|(path, text)| (path.file_name().unwrap().to_owned(), text));
            named.collect::<Vec<_>>()
        });
        for (gcc, clang) in gcc.iter().zip(&clang) {
            assert_eq!(gcc.0, clang.0);
            // What the image was made of differs: its hash is told in a line of its own.
            let lines = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            let (a, b) = (lines(&gcc.1), lines(&clang.1));
            let differ = a.lines().zip(b.lines()).filter(|(a, b)| a != b);
            let differ: Vec<_> = differ.filter(|(a, _)| !a.contains("SHA-256")).collect();
            assert!(differ.is_empty(), "{:?}: {differ:?}", gcc.0);
        }
        assert_eq!(gcc.len(), clang.len());
    }
}
