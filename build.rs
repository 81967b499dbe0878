//! Builds the runtime crate (`rt/`) for every target that images are made for; `src/read/runtime.rs` embeds the archives.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// GOARCH and the target of rustc.
const TARGETS: &[(&str, &str)] = &[("amd64", "x86_64-unknown-linux-gnu")];

/// Variables of the form `CARGO_*` that say where cargo finds crates; all others describe the build of the tool, and would disturb.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
    "CARGO_MAKEFLAGS",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rt/src");
    println!("cargo::rerun-if-changed=rt/Cargo.toml");
    println!("cargo::rerun-if-changed=rt/Cargo.lock");
    let out = PathBuf::from(variable("OUT_DIR"));
    let rt = Path::new(&variable("CARGO_MANIFEST_DIR")).join("rt");
    if !rt.join("Cargo.toml").is_file() {
        fail(&format!(
            "the runtime crate is missing: no {}",
            rt.join("Cargo.toml").display()
        ));
    }
    for (goarch, target) in TARGETS {
        build(&rt, &out, goarch, target);
    }
}

/// Builds the runtime for one target, into `OUT_DIR/rsyso_rt_GOARCH.a`.
fn build(rt: &Path, out: &Path, goarch: &str, target: &str) {
    let target_dir = out.join("rt");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .args(["build", "--release", "--locked", "--target", target])
        .arg("--target-dir")
        .arg(&target_dir)
        // Not in the workspace of the tool, nor under its configuration.
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
    // The compiler that builds the tool builds the runtime. Setting the flags here also shuts out those of configuration files.
    cargo.env("RUSTC", variable("RUSTC"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(rt).join("\u{1f}"));
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
    if let Err(error) = std::fs::copy(&archive, &to) {
        fail(&format!("cannot copy {}: {error}", archive.display()));
    }
}

/// No path of the machine that builds the tool goes into the images that it makes.
fn flags(rt: &Path) -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=rsyso-rt", rt.display())];
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|h| format!("{h}/.cargo")));
    if let Ok(home) = home {
        flags.push(format!("--remap-path-prefix={home}=cargo"));
    }
    flags
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
