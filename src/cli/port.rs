//! The command `port`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::base::diag::Result;
use crate::base::options::base_name;
use crate::base::report::{Progress, bytes};
use crate::port::{PortOptions, Ported, summary};

use super::Output;
use super::convert::{hint, quote};
use super::ui::Ui;

/// Makes a package without cgo of a cgo binding of a static library
#[derive(Args, Debug)]
pub struct Port {
    /// The folder of the package
    #[arg(value_name = "PKG_DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The static library, where `#cgo LDFLAGS` do not lead to it
    #[arg(long = "lib", value_name = "FILE.a")]
    libraries: Vec<PathBuf>,
    /// The folder for the ported files [default: beside the originals]
    #[arg(short, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Write nothing: fail if the ported files are not as they would be written
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Ports, and tells what came of it.
pub fn run(args: Port, ui: &Ui) -> Result<Ported> {
    let libraries = args.libraries.iter();
    let words = libraries.map(|lib| format!(" --lib {}", quote(&base_name(lib))));
    let options = PortOptions {
        command: format!("rsyso port{}", words.collect::<String>()),
        dir: args.dir,
        libraries: args.libraries,
        out_dir: args.out_dir,
        check: args.check,
    };
    let ported = crate::port::port(&options, ui)?;
    for field in &ported.left_out {
        ui.detail("Leaving", &format!("out {field}, which Go cannot have"));
    }
    let verb = if args.check { "Checked" } else { "Finished" };
    ui.status(
        verb,
        &format!(
            "package {} ({}, {}) in {}",
            ported.package,
            summary(&ported),
            bytes(ported.image_size),
            ported.out_dir.display()
        ),
    );
    if !args.check {
        hint(&ported.files, ui);
        for (line, files) in lines(&ported) {
            ui.note(&format!(
                "to use the ported files in builds with cgo, too (-tags rsyso), begin {files} with the line `{line}`"
            ));
        }
    }
    Ok(ported)
}

/// The constraints that originals lack, and which ones do.
fn lines(ported: &Ported) -> BTreeMap<&str, String> {
    let mut by_line: BTreeMap<&str, Vec<&PathBuf>> = BTreeMap::new();
    for (path, line) in &ported.unconstrained {
        by_line.entry(line).or_default().push(path);
    }
    let told = by_line.into_iter().filter_map(|(line, files)| {
        let (first, more) = files.split_first()?;
        let first = base_name(first);
        let files = match more.len() {
            0 => first,
            n => format!("{first} and {n} more files with `import \"C\"`"),
        };
        Some((line, files))
    });
    told.collect()
}
