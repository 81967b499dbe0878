//! The headers that published crates ship are read without a word, with the files that they include.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use rsyso::base::options::Headers as Options;
use rsyso::sig::header::Headers;

use crate::common::process::run;

/// Crates of the registry with the header that they ship, and a function of it. What a header includes is in `include`, if it is not beside it.
const HEADERS: [(&str, &str, &str, &str); 7] = [
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
    // Macros make most of their declarations.
    (
        "wasmi_c_api_impl",
        "2.0.0",
        "include/wasmi.h",
        "wasm_functype_vec_new_uninitialized",
    ),
    (
        "wasmtime-c-api-impl",
        "50.0.1",
        "include/wasmtime.h",
        "wasm_module_as_ref",
    ),
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
        let sources = sources(name, version);
        options.files = vec![sources.join(header)];
        options.include_dirs = vec![sources.join("include")];
        // CMake writes that into a header of its own, which is not shipped.
        let features = "WASI WASI_HTTP GC THREADS COMPILER CACHE PARALLEL_COMPILATION COMPONENT_MODEL \
             COMPONENT_MODEL_ASYNC ASYNC POOLING_ALLOCATOR PROFILING COREDUMP WAT";
        let define = |feature| format!("WASMTIME_FEATURE_{feature}");
        options.defines = features.split_whitespace().map(define).collect();
        let headers = Headers::open(&options).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            format!("{headers:?}").contains(&format!("{function:?}")),
            "{name}: {function}"
        );
    }
}
