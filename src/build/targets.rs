//! The targets of a build: those that the seam knows.

use crate::arch::{self, Arch};
use crate::base::diag::{Error, Kind, Problem, Result};

use super::cargo::Cargo;

/// The backends of the targets asked for; without any, of those that are installed.
pub(super) fn choose(cargo: &Cargo, asked: &[String]) -> Result<Vec<&'static dyn Arch>> {
    if asked.is_empty() {
        return installed(cargo);
    }
    let mut chosen: Vec<&'static dyn Arch> = Vec::new();
    let mut problems = Vec::new();
    let mut kind = Kind::Fault;
    for target in asked {
        let Some(arch) = arch::ALL.iter().find(|a| a.rust_target() == target) else {
            kind = Kind::Unsupported;
            problems.push(
                Problem::new(format!("rsyso makes no packages for the target `{target}`"))
                    .help(format!("it does for {}", known().join(", "))),
            );
            continue;
        };
        if chosen.iter().any(|a| a.rust_target() == target) {
            continue;
        }
        if !cargo.has_target(target)? {
            problems.push(not_installed(target));
        }
        chosen.push(*arch);
    }
    Error::check(kind, problems, chosen)
}

/// Every target that is known and installed.
fn installed(cargo: &Cargo) -> Result<Vec<&'static dyn Arch>> {
    let mut found = Vec::new();
    for arch in arch::ALL {
        if cargo.has_target(arch.rust_target())? {
            found.push(*arch);
        }
    }
    match known().first() {
        Some(first) if found.is_empty() => Err(Error::fault(not_installed(first))),
        _ => Ok(found),
    }
}

fn known() -> Vec<&'static str> {
    arch::ALL.iter().map(|a| a.rust_target()).collect()
}

fn not_installed(target: &str) -> Problem {
    Problem::new(format!(
        "Rust's std for the target `{target}` is not installed"
    ))
    .help(format!("rustup target add {target}"))
}
