//! For what a binding is ported: the operating system and the machines.

use crate::arch::{self, Arch};
use crate::base::diag::{Error, Problem, Result};

/// What the constraints of all ported files hold behind the machines.
const OF_ALL: &str = "(!cgo || rsyso)";

/// The platform, as Go's build constraints name it.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub arch: &'static dyn Arch,
}

impl Target {
    /// The machine that `$GOARCH` says, alone; without it that which the tool runs on, and behind it all others that there are backends for.
    pub fn all() -> Result<Vec<Target>> {
        let asked = std::env::var("GOARCH").unwrap_or_default();
        let own = std::env::consts::ARCH;
        let is = |a: &&&'static dyn Arch| match asked.as_str() {
            "" => a.rust_target().starts_with(own),
            asked => a.goarch() == asked,
        };
        let first = arch::ALL.iter().find(is).ok_or_else(|| {
            let machine = if asked.is_empty() { own } else { &asked };
            Error::unsupported(
                Problem::new(format!("rsyso makes no packages for {machine}"))
                    .help(format!("it does for {}", arch::platforms())),
            )
        })?;
        let others = arch::ALL.iter().filter(|a| asked.is_empty() && !is(a));
        let all = [first].into_iter().chain(others);
        Ok(all.map(|arch| Target { arch: *arch }).collect())
    }

    /// As it is told: `linux/amd64`.
    pub fn name(&self) -> String {
        format!("linux/{}", self.arch.goarch())
    }

    /// The machine, as C compilers call it: `x86_64`.
    pub fn c_machine(&self) -> &'static str {
        let target = self.arch.rust_target();
        target.split('-').next().unwrap_or_default()
    }

    /// What C compilers call the platform: `x86_64-linux-gnu`.
    pub fn c_target(&self) -> String {
        format!("{}-linux-gnu", self.c_machine())
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
}

/// The constraint of what is ported for these machines.
pub(super) fn constraint(machines: &[Target]) -> String {
    let mut names: Vec<&str> = machines.iter().map(|t| t.arch.goarch()).collect();
    names.sort_unstable();
    let names = match names.as_slice() {
        [one] => (*one).to_owned(),
        all => format!("({})", all.join(" || ")),
    };
    format!("linux && {names} && {OF_ALL}")
}
