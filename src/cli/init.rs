//! The command `init`.

use std::path::{Path, PathBuf};

use crate::base::diag::Result;
use crate::base::report::Progress;
use crate::init::{InitOptions, Initialised};
use clap::Args;

use super::convert::quote;
use super::ui::Ui;

/// Writes a first crate with its Go module, a Makefile and an example for CI
#[derive(Args, Debug)]
pub struct Init {
    /// The folder to fill
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The crate's name [default: the folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The path of the Go module [default: example.com/NAME]
    #[arg(long, value_name = "PATH")]
    module: Option<String>,
    /// Show nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Print what was written, or the error, as a JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

/// Writes the crate, and tells what to do next.
pub fn run(args: Init, ui: &Ui) -> Result<Initialised> {
    let made = crate::init::init(&InitOptions {
        dir: args.dir,
        name: args.name,
        module: args.module,
    })?;
    let what = format!(
        "crate `{}` and Go module {} in {}",
        made.krate,
        made.module,
        made.out_dir.display()
    );
    ui.status("Created", &what);
    let enter = match made.out_dir == Path::new(".") {
        true => String::new(),
        false => format!("    cd {}\n", quote(&made.out_dir.display().to_string())),
    };
    ui.text(&format!(
        "\nNext:\n{enter}    rsyso build\n    go test ./...\n    go run ./cmd/{} a few words\n",
        made.krate
    ));
    Ok(made)
}
