//! Archives of an old rustc, in all the ways that it makes them: what objects say of themselves was not always the same.

use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{root, rsyso, scratch};

const MINUTES: Duration = Duration::from_secs(600);

#[test]
#[ignore = "takes a rustc of 2022 from Debian: `make old-rust`"]
fn archives_of_an_old_rustc() {
    let rustc = root().join(".tools/old-rust/bin/rustc");
    let source = root().join("tests/go/old");
    for flags in [
        &["-O"][..],
        &[],
        &["-O", "-Clto=fat"],
        &["-O", "-Clto=thin", "-Ccodegen-units=4"],
        &[
            "-O",
            "-Cforce-frame-pointers=yes",
            "-Csymbol-mangling-version=v0",
        ],
    ] {
        let dir = scratch();
        let library = dir.path().join("libold.a");
        let mut rustc = Command::new(&rustc);
        rustc.args([
            "--edition=2021",
            "--crate-name=old",
            "--crate-type=staticlib",
            "-g",
        ]);
        rustc.args(flags).arg("-o").arg(&library);
        run(rustc.arg(source.join("lib.rs")), MINUTES).success();
        let package = dir.path().join("go");
        let mut convert = rsyso();
        convert.args(["convert", "-q", "-o"]).arg(&package);
        run(convert.arg(&library), MINUTES).success();
        std::fs::write(package.join("go.mod"), "module rsyso.test/old\n\ngo 1.21\n").unwrap();
        std::fs::copy(source.join("old_test.go"), package.join("old_test.go")).unwrap();
        let text = std::fs::read_to_string(package.join("old.go")).unwrap();
        assert!(text.contains("rustc 1.63.0"), "{flags:?}");
        let mut test = go::command(Release::Newest, &package, false);
        go::succeed(&mut test, &["test", "-count=1", "."]);
    }
}
