//! For what a binding is ported: the operating system and the machine.

use crate::arch::{self, Arch};
use crate::base::diag::{Error, Problem, Result};

/// What the constraints of all ported files end with.
pub(super) const OF_ALL: &str = "(!cgo || rsyso)";

/// The platform, as Go's build constraints name it.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub arch: &'static dyn Arch,
}

impl Target {
    /// What `$GOARCH` says, or the machine that the tool runs on.
    pub fn find() -> Result<Target> {
        let asked = std::env::var("GOARCH").unwrap_or_default();
        let own = std::env::consts::ARCH;
        let found = arch::ALL.iter().find(|a| match asked.as_str() {
            "" => a.rust_target().starts_with(own),
            asked => a.goarch() == asked,
        });
        let arch = found.copied().ok_or_else(|| {
            let machine = if asked.is_empty() { own } else { &asked };
            Error::unsupported(
                Problem::new(format!("rsyso makes no packages for {machine}"))
                    .help(format!("it does for {}", arch::platforms())),
            )
        })?;
        Ok(Target { arch })
    }

    /// Whether a tag is set. None for those that users choose.
    pub fn knows(&self, tag: &str, cgo: bool) -> Option<bool> {
        match tag {
            "linux" | "unix" | "gc" => Some(true),
            "cgo" => Some(cgo),
            "rsyso" | "gccgo" | "ignore" => Some(false),
            _ if tag == self.arch.goarch() => Some(true),
            _ if crate::go::is_platform(tag) => Some(false),
            // Which release of Go will build it is not known; it is a new one.
            _ if tag
                .strip_prefix("go1.")
                .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) =>
            {
                Some(true)
            }
            _ => None,
        }
    }

    /// The constraint of what is ported.
    pub fn constraint(&self) -> String {
        format!("linux && {} && {OF_ALL}", self.arch.goarch())
    }
}
