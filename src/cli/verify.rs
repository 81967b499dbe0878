//! The command `verify`.

use std::path::{Path, PathBuf};

use rsyso::base::diag::{Error, Kind, Problem, Result};
use rsyso::base::report::{Progress, bytes, count};
use rsyso::verify::{ProgramReport, SysoReport};
use serde::Serialize;

use super::ui::Ui;

/// What `verify` found, by kind of file.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    objects: Vec<SysoReport>,
    programs: Vec<ProgramReport>,
}

/// Holds every file against its rules, and programs against the objects named with them.
pub fn run(files: &[PathBuf], ui: &Ui) -> Result<Verified> {
    let mut found = Verified::default();
    let mut bad: Option<Error> = None;
    for file in files {
        if let Err(error) = verify_file(file, &mut found, ui) {
            merge(&mut bad, error);
        }
    }
    for program in &found.programs {
        for syso in &found.objects {
            if program.image_of(syso).is_none() {
                merge(&mut bad, not_in(program, syso));
            }
        }
    }
    match bad {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// A program that was built from another version of the package, or without it.
fn not_in(program: &ProgramReport, syso: &SysoReport) -> Error {
    let mut problem = Problem::new(format!("the image of {} is not in this program", syso.file))
        .at(&program.file)
        .help("build the program again, with the package that holds this file");
    for image in &program.images {
        problem = problem.note(format!(
            "it holds an image of package `{}`, made by rsyso {}",
            image.package, image.rsyso
        ));
    }
    Error::fault(problem)
}

/// A fault outweighs what is unsupported: it is the user's to mend first.
pub fn merge(all: &mut Option<Error>, error: Error) {
    match all {
        None => *all = Some(error),
        Some(all) => {
            if error.kind == Kind::Fault {
                all.kind = Kind::Fault;
            }
            all.problems.extend(error.problems);
        }
    }
}

fn verify_file(file: &Path, found: &mut Verified, ui: &Ui) -> Result<()> {
    let name = file.display().to_string();
    let data = std::fs::read(file)
        .map_err(|e| Error::fault(Problem::new(format!("cannot read the file: {e}")).at(&name)))?;
    if rsyso::verify::is_object(&data) {
        let report = rsyso::verify::syso(&name, &data)?;
        let wrappers = count(report.wrappers.len(), "wrapper");
        verified(ui, &name, &report.package, report.image_size, &wrappers);
        found.objects.push(report);
    } else {
        let report = rsyso::verify::program(&name, &data)?;
        for i in &report.images {
            verified(
                ui,
                &name,
                &i.package,
                i.image_size,
                &format!("at {:#x}", i.address),
            );
        }
        found.programs.push(report);
    }
    Ok(())
}

fn verified(ui: &Ui, file: &str, package: &str, size: u64, what: &str) {
    ui.status(
        "Verified",
        &format!(
            "{file}: image of package {package} ({}, {what})",
            bytes(size)
        ),
    );
}
