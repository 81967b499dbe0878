//! The targets of a build: those that the seam knows.

use crate::arch::{self, Arch, Platform};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::read::runtime;

use super::cargo::Cargo;

/// What is built: native code, and archives for cgo.
pub(super) struct Targets {
    /// The backends.
    pub(super) native: Vec<&'static dyn Arch>,
    /// Where Go calls through cgo.
    pub(super) cgo: Vec<Platform>,
}

/// What is asked for; `own`: an archive for this machine, too. Signatures are read for a target that has a backend, so there is always one of those.
pub(super) fn choose(cargo: &Cargo, asked: &[String], own: bool) -> Result<Targets> {
    let through = |target: &String| {
        let makes = |a: &&dyn Arch| runtime::archive(a.goarch()).is_some();
        let mut natively = arch::ALL.iter().filter(|a| makes(a));
        let native = natively.any(|a| a.rust_target() == target);
        let all = arch::THROUGH_CGO.iter();
        let mut all = all.filter(|p| !native && p.target == target);
        all.next().copied()
    };
    let mut cgo: Vec<Platform> = asked.iter().filter_map(through).collect();
    let rest: Vec<String> = asked
        .iter()
        .filter(|t| through(t).is_none())
        .cloned()
        .collect();
    if own {
        cgo.push(own_platform(cargo)?);
    }
    cgo.sort_by_key(|p| p.target);
    cgo.dedup();
    let native = natively(cargo, &rest).map_err(|mut error| {
        let note = "signatures are read for a target that has native code";
        let noted = |p: Problem| if cgo.is_empty() { p } else { p.note(note) };
        error.problems = error.problems.into_iter().map(noted).collect();
        error
    })?;
    Ok(Targets { native, cgo })
}

/// The platform of this machine.
fn own_platform(cargo: &Cargo) -> Result<Platform> {
    let host = cargo.host()?;
    let found = arch::THROUGH_CGO.iter().find(|p| p.target == host);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = arch::THROUGH_CGO.iter().map(|p| p.target).collect();
        Error::unsupported(
            Problem::new(format!("rsyso makes no archives for cgo on `{host}`"))
                .help(format!("it does for {}", known.join(", "))),
        )
    })
}

/// The backends of the targets asked for; without any, of those that are installed.
fn natively(cargo: &Cargo, asked: &[String]) -> Result<Vec<&'static dyn Arch>> {
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
                Problem::new(format!("rsyso makes no packages for the target `{target}`")).help(
                    format!("it does for {}{}", known().join(", "), through_cgo()),
                ),
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

/// Every target that is known and installed, and for which this rsyso has a runtime.
fn installed(cargo: &Cargo) -> Result<Vec<&'static dyn Arch>> {
    let mut found = Vec::new();
    for arch in arch::ALL {
        if runtime::archive(arch.goarch()).is_some() && cargo.has_target(arch.rust_target())? {
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

pub(super) fn not_installed(target: &str) -> Problem {
    Problem::new(format!(
        "Rust's std for the target `{target}` is not installed"
    ))
    .help(format!("rustup target add {target}"))
}

/// The targets without native code.
fn through_cgo() -> String {
    let known = known();
    let all = arch::THROUGH_CGO.iter().map(|p| p.target);
    let all: Vec<&str> = all.filter(|t| !known.contains(t)).collect();
    format!("; through cgo for {}", all.join(", "))
}
