//! `rsyso verify` on what it must accept and on what it must not.

use crate::common;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::go::{self, Mode, Release};
use crate::common::process::{Ran, run};
use crate::common::workspace::{verify, workspace};
use crate::common::{rsyso, scratch};
use rsyso::internals::provenance;

fn syso(fixture: &str) -> PathBuf {
    workspace()
        .fixture(fixture)
        .join(format!("{fixture}_linux_amd64.syso"))
}

/// A linked program that holds three images.
fn program(dir: &Path, mode: Mode) -> PathBuf {
    let program = dir.join("program");
    let mut build = go::command(Release::Newest, &workspace().programs(), mode.cgo());
    build.args(["build", "-o"]).arg(&program).args(mode.flags());
    go::succeed(&mut build, &["./exe"]);
    program
}

fn verified(file: &Path) -> Ran {
    run(rsyso().arg("verify").arg(file), Duration::from_secs(60))
}

/// Flips a bit at `at` and gives what verify says.
fn flipped(file: &Path, bytes: &[u8], at: usize) -> Ran {
    let mut damaged = bytes.to_vec();
    damaged[at] ^= 0x10;
    std::fs::write(file, damaged).unwrap();
    verified(file)
}

#[test]
fn objects_pass() {
    for fixture in workspace().fixtures() {
        verify(&syso(fixture));
    }
}

#[test]
fn damaged_objects_fail() {
    let dir = scratch();
    let bytes = std::fs::read(syso("plusone")).unwrap();
    let images = provenance::find(&bytes);
    let [(start, Ok(header))] = images.as_slice() else {
        panic!("{} images in one object", images.len());
    };
    let file = dir.path().join("damaged.syso");
    let fixed = header.fixed_size as usize;
    for at in [20, 100, fixed / 2, fixed - 1] {
        let ran = flipped(&file, &bytes, start + at);
        assert_eq!(ran.failure(), 1, "byte {at} of the image");
        assert!(ran.stderr.contains("damaged.syso"), "{}", ran.stderr);
    }
    std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
    assert_eq!(verified(&file).failure(), 1);
}

#[test]
fn programs_pass_unless_an_image_is_harmed() {
    for mode in [Mode::Static, Mode::Pie, Mode::External] {
        let dir = scratch();
        let program = program(dir.path(), mode);
        verify(&program);
        let bytes = std::fs::read(&program).unwrap();
        let images = provenance::find(&bytes);
        assert_eq!(images.len(), 4, "plusone, data, polite and text");
        let file = dir.path().join("damaged");
        for (start, header) in &images {
            let header = header.as_ref().unwrap();
            let fixed = header.fixed_size as usize;
            let whole = header.image_size as usize;
            for at in [fixed / 3, fixed - 1, fixed, whole - 1] {
                let ran = flipped(&file, &bytes, start + at);
                assert_eq!(ran.failure(), 1, "byte {at} of {}", header.package);
                assert!(
                    ran.stderr.contains(&header.package),
                    "{} is not named in {}",
                    header.package,
                    ran.stderr
                );
            }
        }
    }
}

#[test]
fn json_tells_the_images() {
    let dir = scratch();
    let program = program(dir.path(), Mode::Static);
    let mut command = rsyso();
    command.args(["verify", "--json"]).arg(&program);
    let ran = run(&mut command, Duration::from_secs(60)).success();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = report.to_string();
    for package in ["rsyso.test/plusone", "rsyso.test/data", "rsyso.test/text"] {
        assert!(text.contains(package), "no {package} in {text}");
    }
}

/// A program in which there is nothing to prove, and files that are no programs.
#[test]
fn others_fail() {
    let dir = scratch();
    let rsyso = Path::new(env!("CARGO_BIN_EXE_rsyso"));
    let text = dir.path().join("text");
    std::fs::write(&text, "no program").unwrap();
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let missing = dir.path().join("missing");
    let object = common::inputs::c_object(dir.path(), "plain", "int f(void) { return 1; }", &[]);
    for file in [rsyso, &text, &empty, &missing, &object] {
        let ran = verified(file);
        assert_eq!(ran.failure(), 1, "{}", file.display());
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}
