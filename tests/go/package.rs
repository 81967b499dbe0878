//! What `cargo package` packs: does it install where there is nothing but Rust, and convert?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::process::run;
use crate::common::{archive, convert, root, rsyso, scratch};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// What crates.io takes (The Cargo Book, "Publishing on crates.io").
const LIMIT: u64 = 10 << 20;

/// Cargo without the network; `folder` is where it is started.
fn cargo(folder: &Path, command: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo
        .arg(command)
        .args(["--offline", "--quiet"])
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR");
    cargo
}

/// Packs a crate of this repository and unpacks the result into a folder where nothing else is.
fn unpacked(krate: &Path, to: &Path) -> PathBuf {
    let target = scratch();
    let mut package = cargo(krate, "package");
    package
        .args(["--no-verify", "--allow-dirty", "--target-dir"])
        .arg(target.path());
    run(&mut package, Duration::from_secs(300)).success();
    let mut made = std::fs::read_dir(target.path().join("package")).unwrap();
    let packed = made
        .find_map(|entry| {
            let path = entry.ok()?.path();
            (path.extension()? == "crate").then_some(path)
        })
        .expect("a .crate");
    let size = std::fs::metadata(&packed).unwrap().len();
    assert!(size <= LIMIT, "{size} bytes: the registry refuses it");
    let file = std::fs::File::open(&packed).unwrap();
    tar::Archive::new(GzDecoder::new(file)).unpack(to).unwrap();
    to.join(packed.file_stem().unwrap())
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_package_installs_without_the_network_and_converts() {
    // Outside of this repository, whose workspace would claim the package.
    let tmp = tempfile::tempdir().unwrap();
    let source = unpacked(root(), tmp.path());
    assert!(!source.join("rt").exists() && !source.join("tests").exists());
    // The runtime of each machine, whether or not there is a compiler for it here.
    for machine in ["x86_64", "aarch64"] {
        let folder = source.join("rt-source/src/arch").join(machine);
        assert!(folder.is_dir(), "{}", folder.display());
    }

    // The tool's own dependencies are compiled already, for these tests: the same folder for intermediate files saves minutes. What is
    // made of the package lies elsewhere, and its runtime is built anew.
    let prefix = tmp.path().join("prefix");
    let build_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut install = cargo(&source, "install");
    install
        .args(["--debug", "--locked", "--path", ".", "--root"])
        .arg(&prefix)
        .env("CARGO_BUILD_BUILD_DIR", build_dir)
        .env_remove("RSYSO_RT_DIR")
        // Quick to compile, and quick enough for a small library.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
        .env("CARGO_TARGET_DIR", tmp.path().join("target"));
    run(&mut install, Duration::from_secs(1800)).success();

    let installed = || {
        let mut command = Command::new(prefix.join("bin/rsyso"));
        command.env_remove("GOPACKAGE").current_dir(tmp.path());
        command
    };
    // The runtime is the same, though it was built in another folder. Only a tree has what `make arm64` fetches.
    let version = run(installed().arg("--version"), Duration::from_secs(60)).success();
    let here = run(rsyso().arg("--version"), Duration::from_secs(60)).success();
    assert!(
        version.stdout.contains(" (runtime amd64 "),
        "{}",
        version.stdout
    );
    let amd64 = |text: &str| text.trim_end().split([',', ')']).next().map(str::to_owned);
    assert_eq!(amd64(&version.stdout), amd64(&here.stdout));

    let library = archive("plusone");
    let made = tmp.path().join("made");
    let mut command = installed();
    command.arg("convert").arg(&library).arg("-o").arg(&made);
    run(&mut command, Duration::from_secs(120)).success();
    let expected = scratch();
    convert(&library, expected.path(), &[]);
    assert!(
        files(&made) == files(expected.path()),
        "the packages differ"
    );
}

#[test]
fn the_archives_are_those_of_the_lock() {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let source = root().join("rt-source");
    let lock = read(&root().join("rt/Cargo.lock"));
    let mut expected = BTreeSet::new();
    for entry in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let mut lines = entry.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
            value.map(|value| value.trim_end_matches('"').to_owned())
        };
        let (name, version) = (field("name").unwrap(), field("version").unwrap());
        let Some(checksum) = field("checksum") else {
            continue;
        };
        let stand_in = source.join(format!("absent/{name}.toml"));
        if stand_in.exists() {
            let line = format!("version = \"{version}\"");
            assert!(read(&stand_in).contains(&line), "{name}: run `make vendor`");
            continue;
        }
        let file = format!("{name}-{version}.crate");
        let bytes = std::fs::read(source.join("vendor").join(&file));
        let bytes = bytes.unwrap_or_else(|e| panic!("{file}: {e}; run `make vendor`"));
        let sum = Sha256::digest(bytes);
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, checksum, "{file} is not what the registry has");
        expected.insert(file);
    }
    let there = files(&source.join("vendor")).into_iter().map(|f| f.0);
    assert_eq!(there.collect::<BTreeSet<_>>(), expected);
}

/// The lines of docs/FFI.md that a user puts into `Cargo.toml`, with the package in the place of the registry's.
#[test]
fn rsyso_ffi_is_usable_from_its_package() {
    let tmp = tempfile::tempdir().unwrap();
    let ffi = unpacked(&root().join("ffi"), tmp.path());
    let docs = std::fs::read_to_string(root().join("docs/FFI.md")).unwrap();
    let lines = docs.split("```toml\n").nth(1).unwrap();
    let lines = lines.split("```").next().unwrap();
    assert!(lines.contains("rsyso-ffi = "), "{lines}");
    let krate = tmp.path().join("greet");
    std::fs::create_dir_all(krate.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"greet\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n\n{lines}\n\
         [patch.crates-io]\nrsyso-ffi = {{ path = {ffi:?} }}\n"
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).unwrap();
    let source = "#[no_mangle]\npub extern \"C\" fn greet() -> rsyso_ffi::OwnedString { \"hello\".into() }\n";
    std::fs::write(krate.join("src/lib.rs"), source).unwrap();
    let mut build = rsyso();
    build.args(["build", "--offline"]).arg(&krate);
    run(&mut build, Duration::from_secs(600)).success();
    let text = std::fs::read_to_string(krate.join("greet/greet.go")).unwrap();
    assert!(text.contains("func Greet() string"), "{text}");
}
