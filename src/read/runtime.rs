//! The runtime (`rt/`), built by `build.rs` and embedded: the archive that the linker adds to every image.

/// The runtime's archive for a GOARCH; None when there is none for it.
pub fn archive(goarch: &str) -> Option<&'static [u8]> {
    match goarch {
        "amd64" => Some(include_bytes!(concat!(
            env!("OUT_DIR"),
            "/rsyso_rt_amd64.a"
        ))),
        _ => None,
    }
}
