//! Options that fit neither the library nor the folder.

use super::*;

#[test]
fn exports_that_are_not_there() {
    let plusone = archive("plusone");
    refused(&[&plusone], &["--export", "minusone"], FAULT, &["minusone"]);
    refused(
        &[&plusone],
        &["--export", "!minusone"],
        FAULT,
        &["!minusone"],
    );
    refused(&[&plusone], &["--export", "![a"], FAULT, &["![a"]);
    refused(
        &[&plusone],
        &["--export", "!*"],
        FAULT,
        &["--export leaves no function"],
    );
    let dir = scratch();
    let silent = rust_library(dir.path(), "silent", "pub fn mangled() {}", &[]);
    refused(&[&silent], &[], FAULT, &["libsilent.a", "no_mangle"]);
}

#[test]
fn blocking_globs_that_match_nothing() {
    let library = archive("plusone");
    for glob in ["minus*", "!minus*", "!"] {
        let told = format!("--blocking {glob}");
        let parts = [&told, "exported are: plusone"];
        refused(&[&library], &["--blocking", glob], FAULT, &parts);
    }
    let parts = ["--blocking plus["];
    refused(&[&library], &["--blocking", "plus["], FAULT, &parts);
}

#[test]
fn trust_globs_that_match_nothing() {
    let library = archive("plusone");
    for glob in ["minus*", "!minus*", "plus["] {
        let told = format!("--trust {glob}:");
        refused(&[&library], &["--trust", glob], FAULT, &[&told]);
    }
}

#[test]
fn keeps_globs_that_match_nothing() {
    let library = archive("callbacks");
    for glob in ["add_one", "!nothing*", "a["] {
        let told = format!("--keeps {glob}:");
        refused(&[&library], &["--keeps", glob], FAULT, &[&told]);
    }
    for pool in ["0", "100000"] {
        let told = format!("a pool of {pool} Go functions is not one of 1 to 65536");
        refused(&[&library], &["--pool", pool], FAULT, &[&told]);
    }
}

#[test]
fn imports_that_cannot_be() {
    let library = archive("imports");
    // Defined by the library, by the runtime, by nobody.
    for glob in ["dropped", "!malloc", "nothing*", "a["] {
        let told = format!("--import {glob}:");
        refused(&[&library], &["--import", glob], FAULT, &[&told]);
    }
    let told = "`host_config` cannot be imported: neither a header nor a source file at hand declares it as a function";
    let import = ["--import", "host_config"];
    refused(&[&library], &import, UNSUPPORTED, &[told, "with --header"]);
    // A pattern takes what is declared.
    let told = [
        "undefined symbol: host_config",
        "needed by configured",
        "let Go provide it with --import host_config",
    ];
    refused(&[&library], &["--import", "*"], UNSUPPORTED, &told);
}

#[test]
fn consumes_globs_that_take_nothing() {
    let library = archive("plusone");
    // It takes a number.
    for glob in ["plusone", "minus*", "plus["] {
        let told = format!("--consumes {glob}:");
        refused(&[&library], &["--consumes", glob], FAULT, &[&told]);
    }
}

#[test]
fn an_output_directory_that_cannot_be_written() {
    let plusone = archive("plusone");
    let dir = scratch();
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    for out in [&*file, &file.join("below"), Path::new("/proc/self/nowhere")] {
        let mut command = rsyso();
        command.arg("convert").arg(&plusone).arg("-o").arg(out);
        let ran = run(&mut command, Duration::from_secs(60));
        assert_eq!(ran.failure(), FAULT, "{}", ran.stderr);
        assert!(ran.stderr.contains(out.to_str().unwrap()), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");
}

#[test]
fn files_of_others_are_not_overwritten() {
    let plusone = archive("plusone");
    for name in [
        "plusone.go",
        "plusone_linux_amd64.s",
        "plusone_linux_amd64.syso",
        "plusone_unsupported.go",
    ] {
        let out = scratch();
        std::fs::write(out.path().join(name), "package plusone // by hand\n").unwrap();
        refused_in(out.path(), &[&plusone], &[], (Errors::One, FAULT), &[name]);
    }
}

/// A failure leaves an earlier package as it is.
#[test]
fn an_earlier_package_survives() {
    let out = scratch();
    let plusone = archive("plusone");
    convert(&plusone, out.path(), &[]);
    let options = ["--stem", "plusone", "--export", "nothing"];
    refused_in(
        out.path(),
        &[&plusone],
        &options,
        (Errors::One, FAULT),
        &["nothing"],
    );
    // And it is replaced without complaint when all is well.
    convert(&plusone, out.path(), &[]);
}

#[test]
fn bad_commands() {
    let plusone = archive("plusone");
    for options in [
        &["--no-such-option"][..],
        &["--package", "not a name"],
        &["--package", "func"],
        &["--stack-size", "nine"],
        &["--stack-size", "1K"],
        &["--stem", "../outside"],
        &["--export", "[unclosed"],
    ] {
        // An unknown option, a bad name, a bad pattern: quoted; a number out of range: as it was understood.
        let quoted = options.last().unwrap().replace("1K", "1024 bytes");
        refused(&[&plusone], options, FAULT, &[&quoted]);
    }
    refused(&[], &[], FAULT, &["INPUT"]);
}
