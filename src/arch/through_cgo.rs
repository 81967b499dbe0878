//! The targets for which Go can call a library through cgo, native code or not: how Rust and Go name them.

/// A target of the Rust compiler as Go names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The target of rustc.
    pub target: &'static str,
    /// GOOS.
    pub goos: &'static str,
    /// GOARCH.
    pub goarch: &'static str,
}

const fn platform(target: &'static str, goos: &'static str, goarch: &'static str) -> Platform {
    Platform {
        target,
        goos,
        goarch,
    }
}

/// All of them have 64 bits, and C's types are the same on them, `long` included. On windows that has 32 bits, so that an API of linux would be wrong
/// there.
pub const THROUGH_CGO: &[Platform] = &[
    platform("x86_64-unknown-linux-gnu", "linux", "amd64"),
    platform("aarch64-unknown-linux-gnu", "linux", "arm64"),
    platform("aarch64-apple-darwin", "darwin", "arm64"),
    platform("x86_64-apple-darwin", "darwin", "amd64"),
];
