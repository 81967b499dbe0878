//! Reading: files and archives to relocatable objects in flat tables.

mod elf;
mod files;
mod object;
pub mod runtime;
mod version;

pub use files::{Files, Member, machine};
pub use object::{Bind, Def, Group, Object, Reloc, Section, Symbol, SymbolKind, Visibility};
pub use version::plain;

use crate::arch;
use crate::base::diag::{Error, Kind, Problem, Result};
use rayon::prelude::*;

/// Parses every member, in order. All faults are reported together.
pub fn objects(files: &Files) -> Result<Vec<Object<'_>>> {
    let parsed: Vec<_> = files
        .members()
        .par_iter()
        .map(|m| elf::parse(m.name.clone(), files.bytes(m), m.lazy).map(|o| o.member(m)))
        .collect();
    let mut objects = Vec::with_capacity(parsed.len());
    let mut problems = Vec::new();
    for result in parsed {
        match result {
            Ok(o) => objects.push(o),
            Err(p) => problems.push(p),
        }
    }
    Error::check(Kind::Fault, problems, ())?;
    one_machine(&objects)?;
    Ok(objects)
}

/// One architecture per run: every object must be for the machine of the first.
fn one_machine(objects: &[Object<'_>]) -> Result<()> {
    let Some(first) = objects.first() else {
        return Err(Error::fault(Problem::new(
            "the input holds no object files",
        )));
    };
    let Some(other) = objects.iter().find(|o| o.machine != first.machine) else {
        return Ok(());
    };
    let name = |o: &Object<'_>| arch::machine_name(o.machine);
    Err(Error::fault(
        Problem::new(format!(
            "the input mixes architectures: {} and {}",
            name(first),
            name(other)
        ))
        .at(other.name.clone())
        .note(format!("{} is for {}", first.name, name(first)))
        .help("convert the libraries of one architecture at a time, into the same directory"),
    ))
}
