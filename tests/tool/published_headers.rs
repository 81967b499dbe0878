//! The headers that published crates ship are read without a word, with the files that they include.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use rsyso::base::options::Headers as Options;
use rsyso::sig::header::Headers;

use crate::common::process::run;

/// Crates of the registry with the header that they ship, and a function of it.
const HEADERS: [(&str, &str, &str, &str); 5] = [
    ("rure", "0.2.5", "include/rure.h", "rure_compile_must"),
    ("quiche", "0.30.0", "include/quiche.h", "quiche_conn_send"),
    (
        "rustls-ffi",
        "0.15.7",
        "src/rustls.h",
        "rustls_connection_read",
    ),
    (
        "encoding_c",
        "0.9.8",
        "include/encoding_rs.h",
        "encoding_for_label",
    ),
    ("firewood-ffi", "0.3.1", "firewood.h", "fwd_batch"),
];

/// The sources of a crate as cargo unpacks them. `cargo info` fetches a crate without what it depends on.
fn sources(name: &str, version: &str) -> PathBuf {
    let mut info = std::process::Command::new("cargo");
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

#[test]
fn are_read_without_a_word() {
    for (name, version, header, function) in HEADERS {
        let mut options = Options::default();
        options.files = vec![sources(name, version).join(header)];
        let headers = Headers::open(&options).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            format!("{headers:?}").contains(&format!("{function:?}")),
            "{name}: {function}"
        );
    }
}
