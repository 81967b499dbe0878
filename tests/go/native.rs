//! One library in a C program, on the system's C library, and in a Go program, on the runtime: std answers alike.

use crate::common;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{archive, convert, root, scratch};

const LIMIT: Duration = Duration::from_secs(120);

/// A C program that prints the report of the fixture `io`: a `&str` is a pointer and a length, and so is a `&mut [u8]`.
const HOST: &str = r#"
#include <stddef.h>
#include <stdio.h>
#include <string.h>
ptrdiff_t io_report(const char *dir, size_t dir_len, char *out, size_t out_len);
static char out[1 << 18];
int main(int argc, char **argv) {
    ptrdiff_t n = argc == 2 ? io_report(argv[1], strlen(argv[1]), out, sizeof out) : -1;
    return n < 0 || fwrite(out, 1, n, stdout) != (size_t)n;
}
"#;

fn in_a_c_program(dir: &Path) -> String {
    go::need_c_compiler();
    let source = dir.join("host.c");
    std::fs::write(&source, HOST).unwrap();
    let host = dir.join("host");
    let mut gcc = Command::new("gcc");
    gcc.args(["-Wall", "-Werror", "-o"])
        .arg(&host)
        .arg(&source)
        .arg(archive("io"))
        .args(["-lpthread", "-ldl", "-lm", "-lgcc_s"]);
    run(&mut gcc, LIMIT).success();
    let work = scratch();
    run(Command::new(&host).arg(work.path()), LIMIT)
        .success()
        .stdout
}

fn in_a_go_program(dir: &Path) -> String {
    let module = dir.join("go");
    common::workspace::copy_sources(&root().join("fixtures/io/go"), &module);
    convert(&archive("io"), &module, &["-q"]);
    let program = dir.join("io.test");
    let mut build = go::command(Release::Newest, &module, false);
    build.args(["test", "-c", "-o"]).arg(&program);
    go::succeed(&mut build, &[]);
    let work = scratch();
    let mut command = Command::new(&program);
    command
        .env("RSYSO_IO_ROLE", "report")
        .env("RSYSO_IO_DIR", work.path());
    run(&mut command, LIMIT).success().stdout
}

#[test]
fn std_answers_alike() {
    let dir = scratch();
    let native = in_a_c_program(dir.path());
    let ours = in_a_go_program(dir.path());
    let differences: Vec<_> = native
        .lines()
        .zip(ours.lines())
        .filter(|(native, ours)| native != ours)
        .map(|(native, ours)| format!("native: {native}\nin Go:  {ours}\n"))
        .collect();
    assert!(
        differences.is_empty(),
        "std answers differently:\n{}",
        differences.concat()
    );
    assert_eq!(native.lines().count(), ours.lines().count());
    // Every part ran to its end.
    for part in 0..6 {
        assert!(
            native.contains(&format!("part {part}: ()")),
            "part {part} did not end well: {native}"
        );
    }
}
