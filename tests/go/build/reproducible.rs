//! Same sources, same toolchain: same bytes, in every folder and for every user, whose own flags count all the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::common::process::{Ran, run};
use crate::common::rsyso;
use crate::common::scaffold::{put, script, shell};

const MANIFEST: &str = "[package]
name = \"hello\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
strsim = \"0.11\"
outside = { path = \"../outside\" }

[build-dependencies]
cc = \"1\"
";

/// Code that a build script writes may panic, too, and C has the name of its file.
const SCRIPT: &str = "fn main() {
    let var = |name| std::env::var(name).unwrap();
    let native = format!(\"{}/native/native.c\", var(\"CARGO_MANIFEST_DIR\"));
    cc::Build::new().file(native).compile(\"native\");
    let made = \"pub fn made(n: u32) -> u32 { if n == 7 { panic!(\\\"seven\\\") } n }\";
    std::fs::write(format!(\"{}/made.rs\", var(\"OUT_DIR\")), made).unwrap();
}
";

const LIBRARY: &str = "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));
#[cfg(not(special))]
compile_error!(\"the user's flags are lost\");
unsafe extern \"C\" { fn native_place() -> *const std::ffi::c_char; }

/// Tells much.
#[unsafe(no_mangle)]
pub extern \"C\" fn hello_tell(n: u32, point: &outside::Point) -> u32 {
    // SAFETY: it gives a C string.
    let place = unsafe { std::ffi::CStr::from_ptr(native_place()) };
    let far = strsim::levenshtein(place.to_str().unwrap_or_default(), \"here\");
    made(n) + far as u32 + outside::sum(point)
}
";

const NATIVE: &str = "#ifndef SPECIAL
#error the flags of the user are lost
#endif
const char *native_place(void) { return __FILE__; }
";

const CONFIG: &str =
    "[build]\nrustflags = [\"--cfg\", \"special\"]\n[env]\nCFLAGS = \"-DSPECIAL\"\n";

const OUTSIDE: &str = "/// A place on the screen.
#[repr(C)]
pub struct Point { pub x: u32, pub y: u32 }
#[inline(never)]
pub fn sum(p: &Point) -> u32 { p.x.checked_add(p.y).unwrap() }
";

/// The crate, and beside it one that it uses.
fn sources(dir: &Path) {
    put(
        dir,
        &[
            ("hello/Cargo.toml", MANIFEST),
            ("hello/build.rs", SCRIPT),
            ("hello/src/lib.rs", LIBRARY),
            ("hello/native/native.c", NATIVE),
            ("hello/.cargo/config.toml", CONFIG),
            ("hello/go.mod", "module example.com/m\n\ngo 1.21\n"),
            (
                "outside/Cargo.toml",
                "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            ("outside/src/lib.rs", OUTSIDE),
        ],
    );
}

fn package(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir.join("hello/hello")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

fn rebuilt(dir: &Path, from: &Path) -> Ran {
    let mut verify = rsyso();
    verify
        .args(["verify", "hello/hello/hello_linux_amd64.syso", "--rebuild"])
        .arg(from.join("hello"))
        .current_dir(dir);
    run(&mut verify, Duration::from_secs(900))
}

#[test]
fn the_folder_and_the_user_do_not_matter() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sources(one.path());
    shell(&one.path().join("hello"), "rsyso build --offline -o hello").success();
    let first = package(one.path());

    let text = String::from_utf8(first["hello.go"].clone()).unwrap();
    for doc in [
        "// Tell tells much.",
        "// Point is a place on the screen.",
        "type Point struct",
    ] {
        assert!(text.contains(doc), "{doc}\n{text}");
    }
    let image = &first["hello_linux_amd64.syso"];
    let holds = |what: &str| memchr::memmem::find(image, what.as_bytes()).is_some();
    for place in [
        "/cargo-home/registry/src/",
        "/cargo-target/",
        "/cargo-path/outside-0.1.0/src/lib.rs",
        "/cargo-workspace/native/native.c",
    ] {
        assert!(holds(place), "{place}");
    }
    assert!(!holds(one.path().to_str().unwrap()));

    // Another folder, another home of cargo, another target folder, and the user's flags from elsewhere.
    sources(other.path());
    let lock = "hello/Cargo.lock";
    std::fs::copy(one.path().join(lock), other.path().join(lock)).unwrap();
    let home = crate::common::cargo_home();
    let elsewhere = other.path().join("home");
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(home.join("registry"), elsewhere.join("registry")).unwrap();
    let mut build = script(
        &other.path().join("hello"),
        "rsyso build --offline -o hello",
    );
    build
        .env("CARGO_HOME", &elsewhere)
        .env("CARGO_TARGET_DIR", other.path().join("there"))
        .env("RUSTFLAGS", "--cfg special")
        .env("CFLAGS", "-DSPECIAL");
    run(&mut build, Duration::from_secs(900)).success();
    for (name, bytes) in package(other.path()) {
        assert!(bytes == first[&name], "{name} differs");
    }

    let proven = rebuilt(one.path(), other.path()).success();
    assert!(proven.stderr.contains("Rebuilt "), "{}", proven.stderr);
    let changed = OUTSIDE.replace("p.x.", "(p.x + 1).");
    put(other.path(), &[("outside/src/lib.rs", &changed)]);
    let refuted = rebuilt(one.path(), other.path());
    assert_eq!(refuted.failure(), 1);
    assert!(
        refuted.stderr.contains("these sources make another image"),
        "{}",
        refuted.stderr
    );
}

/// The package's files keep the name of a header alone, without its folder.
#[test]
fn a_header_of_the_command_line_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let header = "#include \"more.h\"\n/** Adds one. */\nnumber_t plain_inc(number_t n);\n";
    put(
        dir.path(),
        &[
            (
                "hello/Cargo.toml",
                "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            (
                "hello/src/lib.rs",
                "#[unsafe(no_mangle)]\npub extern \"C\" fn plain_inc(n: u32) -> u32 { n + 1 }\n",
            ),
            ("hello/c/plain.h", header),
            ("hello/c/more/more.h", "typedef unsigned number_t;\n"),
            ("hello/go.mod", "module example.com/m\n\ngo 1.21\n"),
        ],
    );
    let line = "rsyso build --offline -o hello --header c/plain.h -I c/more";
    shell(&dir.path().join("hello"), line).success();
    rebuilt(dir.path(), dir.path()).success();
    // Two of that name: neither is taken.
    put(dir.path(), &[("hello/old/plain.h", header)]);
    let ran = rebuilt(dir.path(), dir.path());
    assert!(!ran.status.success(), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2 of the name `plain.h`")
            && ran.stderr.contains("[package.metadata.rsyso]"),
        "{}",
        ran.stderr
    );
}
