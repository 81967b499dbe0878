//! The command line from outside: exit statuses, what goes to which stream, and pipes that close.

use crate::common;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::process::{Ran, run};

fn rsyso(args: &[&str]) -> Ran {
    run(common::rsyso().args(args), Duration::from_secs(60))
}

#[test]
fn the_command_at_fault_is_status_1_and_silence_on_stdout() {
    let calls: &[&[&str]] = &[
        &[],
        &["convert"],
        &["nonsense"],
        &["convert", "libx.a", "--nonsense"],
        &["convert", "libx.a", "-q", "-v"],
        &["convert", "libx.a", "--stack-size", "much"],
        &["convert", "libx.a", "--stack-size", "2GiB"],
        &["convert", "libx.a", "--stem", "foo_test"],
        &["convert", "no/such/libx.a"],
        &["inspect", "no/such/libx.a"],
        &["verify", "no/such/prog"],
    ];
    for args in calls {
        let ran = rsyso(args);
        assert_eq!(ran.failure(), 1, "{args:?}");
        assert_eq!(ran.stdout, "", "{args:?}");
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [&["--help"][..], &["convert", "--help"], &["-V"]] {
        let ran = rsyso(args).success();
        assert!(ran.stdout.contains("rsyso"), "{args:?}");
        assert_eq!(ran.stderr, "", "{args:?}");
    }
}

/// The table of `-v`: in the order of the pipeline, and only when asked for.
#[test]
fn stages_are_told_to_those_who_ask() {
    let (library, out) = (common::archive("text"), common::scratch());
    let convert = |more: &[&str]| {
        let mut command = common::rsyso();
        command
            .arg("convert")
            .arg(&library)
            .arg("-o")
            .arg(out.path());
        run(command.args(more), Duration::from_secs(120)).success()
    };
    let told = convert(&["-v"]).stderr;
    let mut rest = told.as_str();
    let stages = [
        "peak memory",
        "read",
        "parse",
        "signatures",
        "resolve",
        "mark",
        "plan",
        "layout",
        "image",
        "verify",
        "write",
        "all",
    ];
    for name in stages {
        let at = rest.find(&format!(" {name}"));
        let at = at.unwrap_or_else(|| panic!("no stage {name} where it belongs in {told}"));
        rest = &rest[at + name.len()..];
    }
    assert!(rest.contains(" ms ") && rest.contains(" MB"), "{told}");
    assert!(!convert(&[]).stderr.contains("peak memory"));
}

#[test]
fn every_bad_file_is_told_and_json_tells_the_same() {
    let dir = common::scratch();
    let path = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = path("empty", b"");
    let script = path("script", b"#!/bin/sh\n");
    let archive = path("liba.a", b"!<arch>\n");
    let ran = rsyso(&["verify", "--json", &empty, &script, &archive]);
    assert_eq!(ran.failure(), 1);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    assert_eq!(json["error"]["kind"], "fault");
    let problems = json["error"]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 3);
    for (problem, file) in problems.iter().zip([&empty, &script, &archive]) {
        assert_eq!(problem["place"], **file);
        let message = problem["message"].as_str().unwrap();
        assert!(
            ran.stderr
                .contains(&format!("error: {message}\n  --> {file}\n"))
        );
    }
    assert!(
        ran.stderr
            .ends_with("error: could not verify empty script liba.a: 3 problems\n")
    );
}

/// `rsyso ... | head -0` must not end in a panic.
#[test]
fn a_closed_pipe_is_no_panic() {
    let closed = |args: &[&str]| {
        // The reader of the pipe is gone before the tool starts.
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let stdout = reader.stdin.take().unwrap();
        reader.wait().unwrap();
        let ran = common::rsyso().args(args).stdout(stdout).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        ran.status.code()
    };
    assert_eq!(closed(&["--help"]), Some(0));
    assert_eq!(closed(&["verify", "--json", "no/such/file"]), Some(1));
}

/// A report that cannot be written is an error, unlike one that nobody wants.
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ran = common::rsyso()
        .args(["verify", "--json", "no/such/file"])
        .stdout(full)
        .output()
        .unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(
        stderr.contains("error: cannot write to stdout: No space left"),
        "{stderr}"
    );
}

/// Where nobody listens on stderr either, the status still tells.
#[test]
fn a_closed_stderr_is_no_panic() {
    let mut file =
        tempfile::NamedTempFile::new_in(common::scratch().path().parent().unwrap()).unwrap();
    file.write_all(b"no program").unwrap();
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let stderr = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    let status = common::rsyso()
        .arg("verify")
        .arg(file.path())
        .stderr(stderr)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}
