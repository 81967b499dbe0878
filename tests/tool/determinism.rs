//! Same input, same options: same bytes, whatever the machine does meanwhile and wherever the files lie.

use crate::common;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::common::process::run;
use crate::common::{archive, converted, fixtures, rsyso, scratch};

/// Converts with a number of threads and gives the files that were written.
fn package(input: &Path, options: &[String], threads: &str) -> BTreeMap<String, Vec<u8>> {
    let out = scratch();
    let mut command = rsyso();
    command
        .arg("convert")
        .arg(input)
        .arg("-o")
        .arg(out.path())
        .args(options)
        .env("RAYON_NUM_THREADS", threads);
    run(&mut command, Duration::from_secs(120)).success();
    std::fs::read_dir(out.path())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn same_input_same_bytes() {
    for fixture in fixtures() {
        let input = archive(&fixture);
        let options = converted::options(&fixture);
        let first = package(&input, &options, "1");
        let names: Vec<_> = first.keys().map(String::as_str).collect();
        let mut expected = vec![
            format!("{fixture}.go"),
            format!("{fixture}_linux_amd64.s"),
            format!("{fixture}_linux_amd64.syso"),
            format!("{fixture}_unsupported.go"),
        ];
        // Packages with handles have a pair of files for the race detector, before the last.
        if first.contains_key(&format!("{fixture}_race.go")) {
            let pair = ["norace", "race"].map(|tag| format!("{fixture}_{tag}.go"));
            expected.splice(3..3, pair);
        }
        assert_eq!(names, expected);
        assert!(
            package(&input, &options, "4") == first,
            "{fixture}: threads matter"
        );

        let elsewhere = scratch();
        let copy = elsewhere.path().join(input.file_name().unwrap());
        std::fs::copy(&input, &copy).unwrap();
        assert!(
            package(&copy, &options, "2") == first,
            "{fixture}: the path matters"
        );
    }
}

/// No path of the machine that built the package is in the Go files.
#[test]
fn no_paths_in_the_text() {
    let home = common::root().to_str().unwrap().to_owned();
    for fixture in fixtures() {
        for file in std::fs::read_dir(converted::package(&fixture)).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.ends_with(".syso") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains(&home), "{name} names {home}");
            }
        }
    }
}
