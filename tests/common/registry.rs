//! Crates of the registry, as they are published.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::process::run;

/// The sources of a crate as cargo unpacks them. `cargo info` fetches a crate without what it depends on.
pub fn sources(name: &str, version: &str) -> PathBuf {
    let mut info = Command::new("cargo");
    info.args([
        "info",
        "--registry",
        "crates-io",
        &format!("{name}@{version}"),
    ]);
    run(&mut info, Duration::from_secs(300)).success();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.expect("cargo has a home").join("registry/src");
    let registries = registries.read_dir().expect("crates are unpacked there");
    let mut folders = registries.map(|r| {
        r.expect("readable")
            .path()
            .join(format!("{name}-{version}"))
    });
    folders
        .find(|f| f.is_dir())
        .unwrap_or_else(|| panic!("{name} {version} was not fetched"))
}
