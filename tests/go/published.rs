//! A crate with a C API, as the registry has it: nothing in it was made for Go.

use std::path::Path;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::registry::sources;
use crate::common::{rsyso, scratch};

const TEST: &str = r#"package rure

import (
	"testing"
	"unsafe"
)

func TestMatches(t *testing.T) {
	pattern := CString(`(?P<letters>\pL+)-(\d+)`)
	re := CompileMust(pattern)
	CFree(unsafe.Pointer(pattern))
	defer Free(re)
	text := []byte("-- grün-42")
	if !IsMatch(re, text, 0) || IsMatch(re, text[:5], 0) {
		t.Error("no match, or one too many")
	}
	var found RureMatch
	if !Find(re, text, 0, &found) || string(text[found.Start:found.End]) != "grün-42" {
		t.Errorf("found %+v", found)
	}
	captures := CapturesNew(re)
	defer CapturesFree(captures)
	name := CString("letters")
	which := CaptureNameIndex(re, name)
	CFree(unsafe.Pointer(name))
	if !FindCaptures(re, text, 0, captures) || !CapturesAt(captures, uint(which), &found) {
		t.Fatal("no captures")
	}
	if got := string(text[found.Start:found.End]); got != "grün" {
		t.Errorf("captured %q", got)
	}
	if FlagCasei != 1 {
		t.Errorf("the flag is %d", FlagCasei)
	}
}
"#;

/// Copies a tree.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(&from, &to).unwrap()),
        }
    }
}

#[test]
fn rure() {
    let dir = scratch();
    let krate = dir.path().join("rure");
    copy(&sources("rure", "0.2.5"), &krate);
    // Not a part of the workspace that the scratch folder lies in.
    let manifest = krate.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text + "\n[workspace]\n").unwrap();
    let package = dir.path().join("go");
    let mut build = rsyso();
    build.args(["build", "-q", "--header", "include/rure.h", "-o"]);
    let build = build.arg(&package).arg(".").current_dir(&krate);
    let ran = run(build, Duration::from_secs(900)).success();
    // Those of rustc aside: what the collector does not free, and a name. Of the calls that wait, none.
    let known = ["only Close frees", "is `CFree` here"];
    let ours = ran.stderr.lines().filter(|line| {
        let waits = line.contains("can wait") || line.contains("can sleep");
        waits || line.contains("collector waits")
    });
    assert_eq!(ours.collect::<Vec<_>>(), [""; 0], "{}", ran.stderr);
    for part in known {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let file = |name: &str, text: &str| std::fs::write(package.join(name), text).unwrap();
    file("go.mod", "module rsyso.test/rure\n\ngo 1.21\n");
    file("rure_test.go", TEST);
    for release in [Release::Oldest, Release::Newest] {
        let test = ["test", "-count=1", "./..."];
        go::succeed(&mut go::command(release, &package, false), &test);
    }
}
