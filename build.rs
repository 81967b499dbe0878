//! Builds the runtime crate for every target that images are made for; `src/read/runtime.rs` embeds the archives.
//!
//! Its sources and its dependencies are data to this package (`rt-source/README.md` says how). They are unpacked into `OUT_DIR/rt` and
//! built there, without the network: in the git tree, in a package of the registry and in a vendored one alike. Cargo has an `OUT_DIR` for
//! each set of features and each profile. In the git tree the runtime is built in one folder for all of them (`.cargo/config.toml`).

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// GOARCH and the target of rustc. The first is always built, the others where a compiler has their standard library.
const TARGETS: &[(&str, &str)] = &[
    ("amd64", "x86_64-unknown-linux-gnu"),
    ("arm64", "aarch64-unknown-linux-gnu"),
];

/// Variables of the form `CARGO_*` that the build of the runtime keeps; all others describe the build of the tool, or how the user
/// configured cargo. The runtime depends on the compiler alone.
const KEPT: &[&str] = &["CARGO_TERM_", "CARGO_MAKEFLAGS"];

/// Where cargo finds the dependencies; relative to the folder above `.cargo`.
const CONFIG: &str = "\
[source.crates-io]
replace-with = \"vendored\"
[source.vendored]
directory = \"vendor\"
";

/// Where the runtime is built, if not in `OUT_DIR`. The result is the same: paths are not in it.
const SHARED: &str = "RSYSO_RT_DIR";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rt-source");
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("rt-source");
    let out = PathBuf::from(variable("OUT_DIR"));
    let rt = env::var_os(SHARED).map_or_else(|| out.join("rt"), PathBuf::from);
    // Held to the end: another build of the tool may use the same folder.
    let _lock = lock(&rt).unwrap_or_else(|e| fail(&format!("cannot lock {}: {e}", rt.display())));
    let packages = packages(&source);
    if let Err(error) = unpack(&source, &packages, &rt) {
        fail(&format!("cannot unpack {}: {error}", source.display()));
    }
    if let Err(error) = describe(&source, &packages, &rt, &out.join("rsyso_rt_crates.rs")) {
        fail(&format!("cannot tell what the runtime is made of: {error}"));
    }
    let compilers = TARGETS.iter().zip(0..).filter_map(|((goarch, target), n)| {
        let compiler = match n {
            0 => PathBuf::from(variable("RUSTC")),
            _ => compiler(goarch, target)?,
        };
        Some((goarch, target, compiler))
    });
    let made = compilers.map(|(goarch, target, compiler)| {
        let sha256 = build(&rt, &out, goarch, target, &compiler);
        let archive = out.join(format!("rsyso_rt_{goarch}.a"));
        format!("Runtime {{ goarch: {goarch:?}, archive: include_bytes!({archive:?}), sha256: {sha256:?} }},\n")
    });
    let list = format!("&[\n{}]", made.collect::<String>());
    let to = out.join("runtimes.rs");
    if let Err(error) = fs::write(&to, list) {
        fail(&format!("cannot write {}: {error}", to.display()));
    }
}

/// Makes the folder, and waits until it is nobody else's.
fn lock(rt: &Path) -> io::Result<fs::File> {
    fs::create_dir_all(rt)?;
    let file = fs::File::create(rt.join("lock"))?;
    file.lock()?;
    Ok(file)
}

/// A package of `Cargo.lock` that comes from a registry.
struct Package {
    name: String,
    version: String,
    /// SHA-256 of its archive; the runtime itself has none.
    checksum: Option<String>,
    /// Names of the packages that it uses.
    dependencies: Vec<String>,
}

impl Package {
    /// What stands in for it, if it is for other platforms alone.
    fn stand_in(&self, source: &Path) -> PathBuf {
        source.join("absent").join(format!("{}.toml", self.name))
    }
}

/// The runtime and the packages that it depends on, by its `Cargo.lock`.
fn packages(source: &Path) -> Vec<Package> {
    let path = source.join("Cargo.lock");
    let lock = fs::read_to_string(&path)
        .unwrap_or_else(|e| fail(&format!("cannot read {}: {e}", path.display())));
    let entries = lock.split("[[package]]").skip(1);
    let package = |entry: &str| {
        let field = |name: &str| {
            let mut lines = entry.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            value.map(|value| value.trim_matches('"').to_owned())
        };
        let list = entry.split_once("dependencies = [");
        let list = list.and_then(|(_, rest)| rest.split_once(']'));
        let dependencies = list.map_or("", |(list, _)| list).split('"');
        Some(Package {
            name: field("name")?,
            version: field("version")?,
            checksum: field("checksum"),
            dependencies: dependencies.skip(1).step_by(2).map(String::from).collect(),
        })
    };
    entries.filter_map(package).collect()
}

/// Makes a crate of the data: the runtime with its dependencies beside it, as `cargo vendor` lays them out.
fn unpack(source: &Path, packages: &[Package], rt: &Path) -> io::Result<()> {
    fs::create_dir_all(rt.join(".cargo"))?;
    put(&rt.join(".cargo/config.toml"), CONFIG.as_bytes())?;
    put(
        &rt.join("Cargo.toml"),
        &fs::read(source.join("manifest.toml"))?,
    )?;
    put(
        &rt.join("Cargo.lock"),
        &fs::read(source.join("Cargo.lock"))?,
    )?;
    for folder in ["src", "benches"] {
        mirror(&source.join(folder), &rt.join(folder))?;
    }
    for package in packages {
        vendor(source, package, &rt.join("vendor"))?;
    }
    Ok(())
}

/// Makes `to` the same as `from`.
fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let (path, original) = entry.map(|e| (e.path(), from.join(e.file_name())))?;
        match path.is_dir() {
            _ if original.is_dir() == path.is_dir() && original.exists() => {}
            true => fs::remove_dir_all(path)?,
            false => fs::remove_file(path)?,
        }
    }
    for entry in fs::read_dir(from)? {
        let (path, copy) = entry.map(|e| (e.path(), to.join(e.file_name())))?;
        match path.is_dir() {
            true => mirror(&path, &copy)?,
            false => put(&copy, &fs::read(path)?)?,
        }
    }
    Ok(())
}

/// Writes a file unless it is there: by its time cargo knows what it has compiled.
fn put(to: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::read(to) {
        Ok(there) if there == bytes => Ok(()),
        _ => fs::write(to, bytes),
    }
}

/// Puts one dependency into the folder `vendor`: from its archive, or what stands in for it where it is for other platforms alone.
fn vendor(source: &Path, package: &Package, vendor: &Path) -> io::Result<()> {
    let Package {
        name,
        version,
        checksum: Some(checksum),
        ..
    } = package
    else {
        return Ok(());
    };
    let full = format!("{name}-{version}");
    let to = vendor.join(&full);
    // Cargo compares `package` with Cargo.lock, and the sums of the files that are listed (The Cargo Book, "Directory sources").
    let sums = format!("{{\"files\":{{}},\"package\":\"{checksum}\"}}");
    let seal = to.join(".cargo-checksum.json");
    if fs::read_to_string(&seal).is_ok_and(|there| there == sums) {
        return Ok(());
    }
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    fs::create_dir_all(&to)?;
    let archive = source.join("vendor").join(format!("{full}.crate"));
    let stand_in = package.stand_in(source);
    if archive.exists() {
        tar::Archive::new(GzDecoder::new(fs::File::open(archive)?)).unpack(vendor)?;
    } else if stand_in.exists() {
        fs::create_dir_all(to.join("src"))?;
        fs::write(to.join("src/lib.rs"), "")?;
        fs::copy(stand_in, to.join("Cargo.toml"))?;
    } else {
        return Err(io::Error::other(format!(
            "Cargo.lock names {full}, which is not there; `make vendor` puts it there"
        )));
    }
    // Last: what was cut short is done again.
    fs::write(seal, sums)
}

/// Writes down the crates of the runtime with their licences, as an array for `src/crates/runtime.rs`; the runtime itself first.
fn describe(source: &Path, packages: &[Package], rt: &Path, to: &Path) -> io::Result<()> {
    let mut inside: Vec<&Package> = packages
        .iter()
        .filter(|package| !package.stand_in(source).exists())
        .collect();
    inside.sort_by_key(|package| package.checksum.is_some());
    let mut text = String::from("&[\n");
    for package in inside {
        let Package { name, version, .. } = package;
        let (manifest, licences) = match package.checksum {
            Some(_) => {
                let folder = rt.join("vendor").join(format!("{name}-{version}"));
                (folder.join("Cargo.toml"), folder)
            }
            // The runtime's are those of the tool.
            None => (rt.join("Cargo.toml"), PathBuf::from(".")),
        };
        let manifest = fs::read_to_string(manifest)?;
        let license = manifest
            .lines()
            .find_map(|line| line.strip_prefix("license = "))
            .ok_or_else(|| io::Error::other(format!("{name} states no licence")))?;
        let mut texts = Vec::new();
        for entry in fs::read_dir(licences)? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let kinds = [
                "LICENSE",
                "LICENCE",
                "COPYING",
                "COPYRIGHT",
                "NOTICE",
                "UNLICENSE",
            ];
            if kinds.iter().any(|kind| file.starts_with(kind)) && entry.path().is_file() {
                texts.push((file, fs::read_to_string(entry.path())?));
            }
        }
        texts.sort();
        let dependencies = &package.dependencies;
        text.push_str(&format!(
            "Vendored {{ name: {name:?}, version: {version:?}, license: {license}, dependencies: &{dependencies:?}, texts: &{texts:?} }},\n"
        ));
    }
    text.push(']');
    fs::write(to, text)
}

/// The compiler for a target: the one that builds the tool if it has that target's library, else one that `make` has put into the tree.
fn compiler(goarch: &str, target: &str) -> Option<PathBuf> {
    let own = PathBuf::from(variable("RUSTC"));
    let asked = Command::new(&own)
        .args(["--print", "target-libdir", "--target", target])
        .output();
    let libraries = asked.ok().filter(|output| output.status.success());
    let has = |output: std::process::Output| {
        let folder = String::from_utf8_lossy(&output.stdout).into_owned();
        Path::new(folder.trim()).exists()
    };
    if libraries.is_some_and(has) {
        return Some(own);
    }
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let folder = root.join(".tools").join(goarch);
    let there = folder.join("bin/rustc");
    let complete = folder.join("complete");
    if !there.exists() || !complete.exists() {
        return None;
    }
    println!("cargo::rerun-if-changed={}", complete.display());
    Some(there)
}

/// Builds the runtime for one target, into `OUT_DIR/rsyso_rt_GOARCH.a`; gives the sum of it.
fn build(rt: &Path, out: &Path, goarch: &str, target: &str, compiler: &Path) -> String {
    let target_dir = rt.join("target");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .args(["build", "--release", "--locked", "--offline"])
        .args(["--target", target, "--target-dir"])
        .arg(&target_dir)
        .current_dir(rt);
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let disturbs = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept))
            || name.starts_with("RUSTC_")
            || [
                "RUSTFLAGS",
                "RUSTC",
                "RUSTDOC",
                "TARGET",
                "HOST",
                "PROFILE",
                "OPT_LEVEL",
                "DEBUG",
            ]
            .contains(&name);
        if disturbs {
            cargo.env_remove(name);
        }
    }
    // Setting compiler and flags here also shuts out those of configuration files.
    cargo.env("RUSTC", compiler);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remapped(rt));
    // An empty home: nothing of the user's configuration counts, and no crate comes from elsewhere than `vendor`. Build scripts need
    // the linker all the same.
    cargo.env("CARGO_HOME", rt.join("home"));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        let host = variable("HOST").replace('-', "_").to_uppercase();
        cargo.env(format!("CARGO_TARGET_{host}_LINKER"), linker);
    }
    match cargo.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => fail(&format!(
            "the runtime crate does not build for {target} (is the target installed? `rustup target add {target}`):\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => fail(&format!("cannot run cargo for the runtime crate: {error}")),
    }
    let archive = target_dir.join(target).join("release/librsyso_rt.a");
    let to = out.join(format!("rsyso_rt_{goarch}.a"));
    let copied = fs::read(&archive).and_then(|bytes| fs::write(to, &bytes).map(|()| bytes));
    let bytes = copied.unwrap_or_else(|e| fail(&format!("cannot copy {}: {e}", archive.display())));
    let sum = Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The flag that keeps paths of the machine that builds the tool out of the images that it makes.
fn remapped(rt: &Path) -> String {
    format!("--remap-path-prefix={}=rsyso-rt", rt.display())
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo did not set {name}")))
}

fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
    exit(1)
}
