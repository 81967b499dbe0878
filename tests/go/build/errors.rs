//! What cannot be built: the errors say what to do, and nothing is left behind.

use super::*;

/// Cargo's own words come through; ours say what to do; nothing is left behind.
#[test]
fn errors_say_what_to_do() {
    let plain = ("src/lib.rs", LIBRARY);
    let nothing = ("src/lib.rs", "pub fn nothing() {}\n");
    let broken = ("src/lib.rs", "fn broken( {}\n");
    let manifest = format!("{MANIFEST}[lib]\nproc-macro = true\n");
    let proc_macro = ("Cargo.toml", manifest.as_str());
    let nonsense = ("Cargo.toml", "nonsense\n");
    let unknown = "error: cargo could not build `hello` for ";
    for (file, options, words) in [
        (
            nothing,
            "",
            [
                "error: the library exports no functions",
                "pub extern \"C\" fn ",
            ],
        ),
        (
            nothing,
            "",
            ["          #[unsafe(no_mangle)]\n", "  = help: "],
        ),
        (
            broken,
            "",
            ["error: this file contains an unclosed delimiter", unknown],
        ),
        (
            proc_macro,
            "",
            ["error: `hello` is a proc-macro crate", "  = help: "],
        ),
        (
            nonsense,
            "",
            ["error: cargo does not take this crate", "Cargo.toml"],
        ),
        (plain, "no/such", ["error: no such folder", "  --> no/such"]),
        (
            plain,
            "Cargo.toml",
            ["error: is not a folder", "  = help: "],
        ),
        (plain, "--profile none", ["profile `none`", unknown]),
        (plain, "--features none", ["feature", unknown]),
        (plain, "--locked", ["--locked", unknown]),
        (
            plain,
            "--stem hello_test",
            ["the stem `hello_test`", "`--stem NAME`"],
        ),
        (plain, "--package a-b", ["`a-b` cannot be", "--package"]),
    ] {
        let tmp = krate(&[file]);
        let ran = build(tmp.path(), options);
        assert_eq!(ran.failure(), 1, "{words:?}");
        assert_eq!(ran.stdout, "");
        for word in words {
            assert!(ran.stderr.contains(word), "{word}\n{}", ran.stderr);
        }
        assert!(!tmp.path().join("hello").exists(), "{words:?}");
    }
}

#[test]
fn a_crate_that_is_none_and_targets_that_are_not_there() {
    let tmp = tempfile::tempdir().unwrap();
    let ran = build(tmp.path(), "");
    assert_eq!(ran.failure(), 1);
    assert!(ran.stderr.contains("error: not a crate"), "{}", ran.stderr);
    assert!(ran.stderr.contains("rsyso init"), "{}", ran.stderr);

    let tmp = krate(&[]);
    let ran = build(tmp.path(), "--target wasm32-unknown-unknown");
    assert_eq!(ran.failure(), 2);
    assert!(
        ran.stderr.contains("`wasm32-unknown-unknown`"),
        "{}",
        ran.stderr
    );

    // A compiler without any std.
    put(
        tmp.path(),
        &[("rustc", "#!/bin/sh\necho /no/such/folder\n")],
    );
    let bare = "chmod +x rustc; RUSTC=$PWD/rustc rsyso build";
    let ran = shell(tmp.path(), bare);
    assert_eq!(ran.failure(), 1);
    assert!(
        ran.stderr.contains("  = help: rustup target add "),
        "{}",
        ran.stderr
    );

    let mut lonely = script(tmp.path(), "exec \"$RSYSO\" build");
    lonely
        .env("RSYSO", env!("CARGO_BIN_EXE_rsyso"))
        .env("PATH", tmp.path());
    lonely = absolute_shell(lonely);
    let ran = run(&mut lonely, Duration::from_secs(60));
    assert_eq!(ran.failure(), 1);
    assert!(
        ran.stderr.contains("error: there is no `cargo` on PATH"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("install Rust"), "{}", ran.stderr);
}

/// `sh` itself is found by the PATH of the command that is spawned, which here leads nowhere.
fn absolute_shell(command: std::process::Command) -> std::process::Command {
    let mut other = std::process::Command::new("/bin/sh");
    other
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

#[test]
fn a_build_that_fails_leaves_the_package_as_it_was() {
    let tmp = krate(&[("go.mod", "module example.com/hello\n\ngo 1.21\n")]);
    build(tmp.path(), "-q").success();
    let hashes = "sha256sum hello*.go hello*.s hello*.syso";
    let before = shell(tmp.path(), hashes).success().stdout;
    let unsupported = "#[unsafe(no_mangle)] #[allow(improper_ctypes_definitions)] pub extern \"C\" fn hello_big(n: (u128, u8)) -> u8 { n.1 }\n";
    for (text, status) in [("fn broken( {}\n", 1), (unsupported, 2)] {
        put(tmp.path(), &[("src/lib.rs", &format!("{LIBRARY}{text}"))]);
        assert_eq!(build(tmp.path(), "").failure(), status);
        assert_eq!(shell(tmp.path(), hashes).success().stdout, before);
    }
}
