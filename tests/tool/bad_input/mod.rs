//! Bad input of every kind: one clear error, the exit status of the contract, never a panic, and no file left behind or changed.

mod commands;
mod files;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::inputs::{c_object, rust_library, write_archive};
use crate::common::process::run;
use crate::common::{archive, convert, rsyso, scratch};

/// The input or the command is at fault.
const FAULT: i32 = 1;
/// The input needs something unsupported.
const UNSUPPORTED: i32 = 2;

/// How many errors there are.
#[derive(Clone, Copy)]
enum Errors {
    One,
    /// Two at least, and a line that sums them up.
    List,
}

/// Every file below a directory, with its bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
            found.insert(path, Vec::new());
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// Converts into a directory that holds a package already; the tool must refuse with `status`, say every one of `parts`, and
/// leave the directory as it is.
#[track_caller]
fn refused_in(
    out: &Path,
    inputs: &[&Path],
    options: &[&str],
    (expected, status): (Errors, i32),
    parts: &[&str],
) {
    let before = contents(out);
    let mut command = rsyso();
    command
        .arg("convert")
        .args(inputs)
        .arg("-o")
        .arg(out)
        .args(options);
    let ran = run(&mut command, Duration::from_secs(60));
    assert_eq!(ran.failure(), status, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    for part in parts {
        assert!(ran.stderr.contains(part), "no {part:?} in\n{}", ran.stderr);
    }
    let lines = ran.stderr.lines().filter(|l| l.starts_with("error"));
    let lines: Vec<_> = lines.collect();
    match (expected, lines.as_slice()) {
        (Errors::One, [_]) => {}
        (Errors::List, [list @ .., last]) if list.len() > 1 => {
            let all = format!(": {} problems", list.len());
            assert!(last.ends_with(&all), "{}", ran.stderr);
        }
        _ => panic!("{} errors:\n{}", lines.len(), ran.stderr),
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(contents(out) == before, "the output directory has changed");
}

/// As [`refused_in`], in an empty directory.
#[track_caller]
fn refused(inputs: &[&Path], options: &[&str], status: i32, parts: &[&str]) {
    let out = scratch();
    refused_in(out.path(), inputs, options, (Errors::One, status), parts);
}

/// As [`refused`], for several faults at once: all of them are listed.
#[track_caller]
fn all_refused(inputs: &[&Path], status: i32, parts: &[&str]) {
    let out = scratch();
    refused_in(out.path(), inputs, &[], (Errors::List, status), parts);
}

/// As [`refused`], for bytes in a file of that name.
#[track_caller]
fn bytes_refused(name: &str, bytes: &[u8], status: i32, parts: &[&str]) {
    let dir = scratch();
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    refused(&[&file], &[], status, parts);
}

const ADD: &str =
    "#[unsafe(no_mangle)] pub extern \"C\" fn add(a: i32, b: i32) -> i32 { a.wrapping_add(b) }";

/// C code that could jump over the guard of a stack converts, with a word about it.
#[test]
fn frames_without_probes() {
    let source = "int deep(int n) { volatile char a[2 << 20]; a[n] = 1; return a[n]; }";
    for (flag, warned) in [
        ("-fno-stack-clash-protection", true),
        ("-fstack-clash-protection", false),
    ] {
        let dir = scratch();
        let object = c_object(dir.path(), "deep", source, &["-fPIC", flag]);
        let mut convert = rsyso();
        convert
            .arg("convert")
            .arg(&object)
            .arg("-o")
            .arg(dir.path());
        let header = dir.path().join("deep.h");
        std::fs::write(&header, "int deep(int n);\n").unwrap();
        convert.arg("--header").arg(&header);
        convert.args(["--export", "deep", "--package", "deep"]);
        let ran = run(&mut convert, Duration::from_secs(60)).success();
        let told = ran.stderr.contains("deep of deep.o takes 2047 KiB");
        assert_eq!(told, warned, "{}", ran.stderr);
    }
}

#[test]
fn two_libraries_with_one_symbol() {
    let dir = scratch();
    let first = rust_library(dir.path(), "first", ADD, &[]);
    let second = rust_library(dir.path(), "second", ADD, &[]);
    let parts = ["add is defined twice", "libfirst.a(", "libsecond.a("];
    refused(&[&first, &second], &[], FAULT, &parts);
}

#[test]
fn two_functions_with_one_go_name() {
    let dir = scratch();
    let source = "#[unsafe(no_mangle)] pub extern \"C\" fn foo_bar() {}\n\
                  #[allow(non_snake_case)] #[unsafe(no_mangle)] pub extern \"C\" fn fooBar() -> i32 { 7 }";
    let library = rust_library(dir.path(), "clash", source, &[]);
    refused(&[&library], &[], FAULT, &["FooBar", "foo_bar", "fooBar"]);
}

#[test]
fn a_clash_of_names_is_told_before_anything_is_linked() {
    let dir = scratch();
    let library = rust_library(
        dir.path(),
        "clash",
        r#"
        unsafe extern "C" { fn nobody_has_it(); }
        #[unsafe(no_mangle)] pub extern "C" fn user_id() { unsafe { nobody_has_it() } }
        #[unsafe(no_mangle)] pub extern "C" fn user_ID() {}
        "#,
        &["-Anon_snake_case"],
    );
    // The link would fail, too, with exit status 2.
    refused(&[&library], &[], FAULT, &["user_id", "user_ID", "UserID"]);
}

/// A function that only has the name since the prefix is left out keeps it: published libraries have it so.
#[test]
fn a_function_with_the_name_of_one_for_strings_of_c() {
    let dir = scratch();
    let source = "#[unsafe(no_mangle)] pub extern \"C\" fn strs_free(_: *mut core::ffi::c_char) {}";
    let library = rust_library(dir.path(), "strs", source, &[]);
    let mut command = rsyso();
    command
        .arg("convert")
        .arg(&library)
        .arg("-o")
        .arg(dir.path());
    let ran = run(&mut command, Duration::from_secs(60)).success();
    let told = "that is `Free` elsewhere is `CFree` here: `strs_free` is `Free`";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let go = std::fs::read_to_string(dir.path().join("strs.go")).unwrap();
    for line in [
        "\nfunc Free(arg0 *int8)",
        "\nfunc CFree(p unsafe.Pointer) {",
    ] {
        assert!(go.contains(line), "{line}\n{go}");
    }
    let options = ["--trim-prefix", "strs_"];
    let parts = ["`strs_free`", "a function for strings of C", "`Free`"];
    refused(&[&library], &options, FAULT, &parts);
}

/// Whoever called it would run data.
#[test]
fn a_static_that_a_header_takes_for_a_function() {
    let dir = scratch();
    let source = "#[unsafe(no_mangle)] pub static LIMIT: u32 = 7;";
    let library = rust_library(dir.path(), "limits", source, &[]);
    let header = dir.path().join("limits.h");
    std::fs::write(&header, "unsigned LIMIT(void);\n").unwrap();
    let options = ["--header", header.to_str().unwrap()];
    let part = "`LIMIT` is a function in the header and a static in the library";
    refused(
        &[&library],
        &options,
        UNSUPPORTED,
        &[part, "--export '!LIMIT'"],
    );
    std::fs::write(&header, "extern const unsigned LIMIT;\n").unwrap();
    convert(&library, dir.path(), &options);
}

#[test]
fn a_library_that_switches_stacks() {
    let dir = scratch();
    // The name and the form of the crate psm.
    let source = r#"
        core::arch::global_asm!(".globl rust_psm_on_stack", "rust_psm_on_stack:", "ret");
        unsafe extern "C" { fn rust_psm_on_stack(data: usize, result: usize, call: usize, stack: *mut u8); }
        #[unsafe(no_mangle)] pub extern "C" fn deep(stack: *mut u8) { unsafe { rust_psm_on_stack(0, 0, 0, stack) } }
        #[unsafe(no_mangle)] pub extern "C" fn flat() -> u32 { 1 }
    "#;
    let library = rust_library(dir.path(), "switches", source, &[]);
    let parts = [
        "switches stacks by itself: it calls rust_psm_on_stack (the crate psm",
        "(.text.deep+0x",
        "reached from an export: deep -> rust_psm_on_stack",
        "--export '!NAME'",
    ];
    refused(&[&library], &[], UNSUPPORTED, &parts);
    // The way out that it names.
    convert(&library, dir.path(), &["--export", "!deep"]);
}

const TABLE: &str = "static TABLE: [u32; 64] = { let mut t = [0; 64]; let mut i = 0; \
                     while i < 64 { t[i] = (i * i) as u32 ^ 5; i += 1; } t };\n\
                     #[unsafe(no_mangle)] pub extern \"C\" fn lookup(i: usize) -> u32 { TABLE[i & 63] }";

#[test]
fn code_for_a_fixed_address() {
    let dir = scratch();
    let library = rust_library(dir.path(), "fixed", TABLE, &["-Crelocation-model=static"]);
    let parts = ["libfixed.a(", "R_X86_64_32S", "lookup", "relocation-model"];
    refused(&[&library], &[], UNSUPPORTED, &parts);
    // The same source converts when it is built as usual.
    let usual = rust_library(dir.path(), "usual", TABLE, &[]);
    convert(&usual, scratch().path(), &[]);
}

#[test]
fn what_only_a_loader_or_an_old_start_file_does() {
    let dir = scratch();
    let caller = "unsafe extern \"C\" { fn next() -> i32; }\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn count() -> i32 { unsafe { next() } }";
    let library = rust_library(dir.path(), "caller", caller, &[]);
    for (name, source, parts) in [
        (
            "indirect",
            "static int one(void) { return 1; }\n\
             static int (*choose(void))(void) { return one; }\n\
             int next(void) __attribute__((ifunc(\"choose\")));",
            ["next", "indirect function", "target_clones"],
        ),
        (
            "ctors",
            "static int n; static void set(void) { n = 1; }\n\
             __attribute__((section(\".ctors\"), used)) static void (*const before)(void) = set;\n\
             int next(void) { return n; }",
            ["ctors.o:(.ctors", "not run", ".init_array"],
        ),
        (
            "preinit",
            "static int n; static void set(void) { n = 1; }\n\
             __attribute__((section(\".preinit_array\"), used)) static void (*const before)(void) = set;\n\
             int next(void) { return n; }",
            ["preinit.o:(.preinit_array", "not run", ".init_array"],
        ),
    ] {
        let object = c_object(dir.path(), name, source, &["-fPIC"]);
        refused(&[&library, &object], &[], UNSUPPORTED, &parts);
    }
}

#[test]
fn thread_locals_of_an_executable() {
    let dir = scratch();
    let caller = "unsafe extern \"C\" { fn next() -> i32; }\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn count() -> i32 { unsafe { next() } }";
    let library = rust_library(dir.path(), "caller", caller, &[]);
    let counter = "_Thread_local int n = 3; int next(void) { return n; }";
    // By a descriptor, of which a loader makes what it likes.
    let object = c_object(
        dir.path(),
        "descriptor",
        counter,
        &["-fPIC", "-mtls-dialect=gnu2"],
    );
    let parts = ["descriptor.o", "TLSDESC", "next", "-mtls-dialect=gnu"];
    all_refused(&[&library, &object], UNSUPPORTED, &parts);
    for model in ["local-exec", "initial-exec", "global-dynamic"] {
        let flags = ["-fPIC", &format!("-ftls-model={model}")];
        let object = c_object(dir.path(), model, counter, &flags);
        let mut command = rsyso();
        let out = scratch();
        command
            .arg("convert")
            .args([&library, &object])
            .arg("-o")
            .arg(out.path());
        run(&mut command, Duration::from_secs(60)).success();
    }
}

#[test]
fn what_lies_beside_the_thread_pointer() {
    let dir = scratch();
    let caller = "unsafe extern \"C\" { fn next() -> i32; }\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn count() -> i32 { unsafe { next() } }";
    let library = rust_library(dir.path(), "caller", caller, &[]);
    for (name, line, why) in [
        (
            "self",
            "mov %%fs:16, %0",
            "fs:0x10, which belongs to a C library",
        ),
        ("any", "mov %%fs:(%0), %0", "no thread-local's offset"),
        ("base", "rdfsbase %0", "kind of instruction"),
    ] {
        let source = format!(
            "int next(void) {{ long n = 0; __asm__ volatile(\"{line}\" : \"+r\"(n)); return (int)n; }}"
        );
        let object = c_object(dir.path(), name, &source, &["-fPIC", "-O1", "-mfsgsbase"]);
        let place = format!("{name}.o:(.text");
        refused(
            &[&library, &object],
            &[],
            UNSUPPORTED,
            &[&place, "in next", "thread pointer", why],
        );
    }
}

#[test]
fn no_debug_information() {
    let dir = scratch();
    for level in ["0", "1", "line-tables-only"] {
        let flag = format!("-Cdebuginfo={level}");
        let library = rust_library(dir.path(), "bare", ADD, &[&flag]);
        refused(
            &[&library],
            &[],
            UNSUPPORTED,
            &["`add`", "debug = \"full\""],
        );
    }
}

#[test]
fn a_c_function_that_nobody_has() {
    let dir = scratch();
    let source = "unsafe extern \"C\" { fn nobody_has_this(n: i32) -> i32; fn nor_this(); }\n\
        #[inline(never)] fn between(n: i32) -> i32 { unsafe { nor_this(); nobody_has_this(n) } }\n\
        #[unsafe(no_mangle)] pub extern \"C\" fn entrance(n: i32) -> i32 { between(n) + 1 }";
    let library = rust_library(dir.path(), "needy", source, &[]);
    let parts = ["nobody_has_this", "nor_this", "needy::between", "entrance"];
    all_refused(&[&library], UNSUPPORTED, &parts);
    // A function that nobody reaches may want what it likes.
    let unused = format!("{ADD}\npub mod dead {{ {source} }}");
    let library = rust_library(dir.path(), "unneedy", &unused, &[]);
    convert(&library, scratch().path(), &["--export", "add"]);
}

/// Several functions of one section: the one that needs it is told, not the first.
#[test]
fn the_function_that_needs_it_is_told() {
    let dir = scratch();
    let source = "int nobody_has_this(int); int innocent(int n) { return n + 1; }\n\
                  __attribute__((noinline)) int guilty(int n) { return nobody_has_this(n) + 1; }\n\
                  int between(int n) { return guilty(n) * innocent(n); }";
    let object = c_object(
        dir.path(),
        "several",
        source,
        &["-fPIC", "-fno-function-sections"],
    );
    let header = dir.path().join("several.h");
    std::fs::write(&header, "int between(int n);").unwrap();
    let options = ["--export", "between", "--header", header.to_str().unwrap()];
    let parts = ["needed by guilty", "several.o:(.text", "nobody_has_this"];
    refused(&[&object], &options, UNSUPPORTED, &parts);
    // Likewise of a function that can wait.
    let source = source.replace("nobody_has_this", "sleep");
    let object = c_object(
        dir.path(),
        "several",
        &source,
        &["-fPIC", "-fno-function-sections"],
    );
    let mut command = rsyso();
    let out = scratch();
    command.arg("convert").arg(&object).args(options);
    command.args(["--bare", "between", "-o"]).arg(out.path());
    let told = run(&mut command, Duration::from_secs(60)).success().stderr;
    assert!(told.contains("guilty -> sleep"), "{told}");
}

#[test]
fn everything_unsupported_is_listed() {
    let dir = scratch();
    let source = "#![allow(improper_ctypes_definitions)]\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn wide(large_number: u128) -> u8 { large_number as u8 }\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn maybe(an_option: Option<u32>) -> u32 { an_option.unwrap_or(7) }";
    let library = rust_library(dir.path(), "unusual", source, &[]);
    let parts = [
        "`wide`",
        "large_number",
        "u128",
        "unusual.rs:3",
        "`maybe`",
        "an_option",
        "unusual.rs:4",
    ];
    all_refused(&[&library], UNSUPPORTED, &parts);
}
