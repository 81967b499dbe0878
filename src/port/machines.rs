//! The machines that a binding is ported for: those that there is a library, a C compiler and a runtime for.

use std::path::PathBuf;

use super::PortOptions;
use super::compiler::Compiler;
use super::libraries;
use super::package::{self, Package};
use super::target::Target;
use crate::base::diag::{Error, Problem, Result};
use crate::base::report::Progress;
use crate::read::runtime;

/// What there is for one of them.
pub(super) struct Machine {
    pub target: Target,
    /// The files that take part on it.
    pub package: Package,
    pub archives: Vec<PathBuf>,
    pub compiler: Compiler,
    /// What is in the way so far.
    pub problems: Vec<Problem>,
}

/// Why a machine is left out.
enum Without {
    /// The binding is not for it, or has no library for it.
    Binding(String),
    /// It could be ported for it.
    Means(Problem),
}

/// Finds the machines. The first one must be there; it is told why others are left out.
pub(super) fn find(o: &PortOptions, progress: &dyn Progress) -> Result<Vec<Machine>> {
    let targets = Target::all()?;
    let mut found = Vec::new();
    for target in targets {
        if found.is_empty() {
            found.push(first(o, target)?);
            continue;
        }
        match another(o, target) {
            Ok(machine) => found.push(machine),
            Err(Without::Binding(why)) => {
                progress.detail("Leaving", &format!("out {}: {why}", target.name()));
            }
            Err(Without::Means(why)) => progress.warn(&Problem {
                message: format!("not ported for {}: {}", target.name(), why.message),
                ..why
            }),
        }
    }
    Ok(found)
}

fn first(o: &PortOptions, target: Target) -> Result<Machine> {
    let mut package = package::read(&o.dir, &target)?;
    let libraries = libraries::find(&package.folder, &package.flags.link, &o.libraries, &target);
    let mut problems = std::mem::take(&mut package.problems);
    problems.extend(libraries.problems);
    Ok(Machine {
        compiler: Compiler::find(&package.folder, &package.flags.compile, &target)?,
        target,
        package,
        archives: libraries.archives,
        problems,
    })
}

fn another(o: &PortOptions, target: Target) -> std::result::Result<Machine, Without> {
    let told = |e: Error| {
        let first = e.problems.into_iter().next();
        first.unwrap_or_else(|| Problem::new("it is not known why"))
    };
    let package = package::read(&o.dir, &target);
    let mut package = package.map_err(|e| Without::Binding(told(e).message))?;
    let libraries = libraries::find(&package.folder, &package.flags.link, &o.libraries, &target);
    if let Some(missing) = libraries.problems.into_iter().next() {
        return Err(Without::Binding(missing.message));
    }
    if let Some(problem) = package.problems.pop() {
        return Err(Without::Means(problem));
    }
    if runtime::archive(target.arch.goarch()).is_none() {
        return Err(Without::Means(
            Problem::new("this rsyso was built without its runtime").help(format!(
                "`rustup target add {}`, and install rsyso again",
                target.arch.rust_target()
            )),
        ));
    }
    let compiler = Compiler::find(&package.folder, &package.flags.compile, &target)
        .and_then(|compiler| compiler.with_headers())
        .map_err(|e| Without::Means(told(e)))?;
    Ok(Machine {
        compiler,
        target,
        package,
        archives: libraries.archives,
        problems: Vec::new(),
    })
}
