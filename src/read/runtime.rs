//! The runtime (`rt/`), built by `build.rs` and embedded: the archive that the linker adds to every image.

/// The runtime for one architecture.
struct Runtime {
    goarch: &'static str,
    archive: &'static [u8],
    /// SHA-256 of the archive, in hexadecimal.
    sha256: &'static str,
}

/// Those that `build.rs` made, in the order of its `TARGETS`.
const RUNTIMES: &[Runtime] = &[Runtime {
    goarch: "amd64",
    archive: include_bytes!(concat!(env!("OUT_DIR"), "/rsyso_rt_amd64.a")),
    sha256: env!("RSYSO_RT_SHA256_AMD64"),
}];

fn of(goarch: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|r| r.goarch == goarch)
}

/// The runtime's archive for a GOARCH; None when there is none for it.
pub fn archive(goarch: &str) -> Option<&'static [u8]> {
    of(goarch).map(|r| r.archive)
}

/// What tells the runtime for a GOARCH from those of other versions, and of other compilers: SHA-256 of its archive, in hexadecimal.
pub fn sha256(goarch: &str) -> Option<&'static str> {
    of(goarch).map(|r| r.sha256)
}

/// The version of rsyso with the runtimes inside: `0.1.0 (runtime amd64 1f40c7ed29ab)`.
pub fn version() -> String {
    let runtimes = RUNTIMES.iter();
    let runtimes: Vec<_> = runtimes
        .map(|r| format!("{} {:.12}", r.goarch, r.sha256))
        .collect();
    format!(
        "{} (runtime {})",
        env!("CARGO_PKG_VERSION"),
        runtimes.join(", ")
    )
}
