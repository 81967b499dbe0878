//! The command `build`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::base::diag::Result;
use crate::base::options::ConvertOptions;
use crate::base::report::{Progress, bytes, count};
use crate::build::{BuildOptions, Built, Says, Settings};
use clap::{Args, Parser};

use super::convert::{Go, hint, quote};
use super::ui::Ui;
use super::{Cli, Command, Output, fault, settings};

/// Compiles a crate and writes a Go package for it
#[derive(Args, Debug)]
// What the crate says of itself comes first: see `settings`.
#[command(args_override_self = true)]
pub struct Build {
    /// The crate's folder, or one below it
    #[arg(value_name = "CRATE_DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The folder of the Go package [default: the crate's, if it holds a go.mod or a Go package; else NAME in it; under `go generate` the current one]
    #[arg(short, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Targets of rustc [default: those that rsyso knows and that are installed]
    #[arg(long = "target", value_name = "TRIPLE", help_heading = "Cargo")]
    targets: Vec<String>,
    /// The profile to build with; debug information is turned on
    #[arg(
        long,
        value_name = "NAME",
        default_value = "release",
        help_heading = "Cargo"
    )]
    profile: String,
    /// The member of a workspace to build
    #[arg(
        short = 'p',
        long = "lib-package",
        value_name = "CRATE",
        help_heading = "Cargo"
    )]
    member: Option<String>,
    /// Features to turn on, separated by commas
    #[arg(
        short = 'F',
        long,
        value_name = "FEATURES",
        value_delimiter = ',',
        help_heading = "Cargo"
    )]
    features: Vec<String>,
    /// Turn all features on
    #[arg(long, help_heading = "Cargo")]
    all_features: bool,
    /// Leave the default features off
    #[arg(long, help_heading = "Cargo")]
    no_default_features: bool,
    /// Cargo.lock must stand as it is
    #[arg(long, help_heading = "Cargo")]
    locked: bool,
    /// Do not use the network
    #[arg(long, help_heading = "Cargo")]
    offline: bool,
    /// Make the package for cgo on this machine, too (docs/CGO.md)
    #[arg(long)]
    cgo: bool,
    /// Write NOTICE_NAME.txt: the licence texts of the crates inside
    #[arg(long)]
    notice: bool,
    #[command(flatten)]
    go: Go,
    #[command(flatten)]
    pub output: Output,
}

/// Builds, and tells what came of it. `line` are the words of the command line.
pub fn run(args: Build, line: &[OsString], ui: &Ui) -> Result<Built> {
    let built = crate::build::build(&completed(args, line, ui)?, ui)?;
    let functions = built
        .targets
        .first()
        .map_or(0, |t| t.converted.functions.len());
    let sizes = built.targets.iter().map(|t| {
        let size = bytes(t.converted.image_size);
        format!("{size} for linux/{}", t.goarch)
    });
    ui.status(
        "Finished",
        &format!(
            "package {} ({}, {}) in {}",
            built.package,
            count(functions, "function"),
            sizes.collect::<Vec<_>>().join(", "),
            built.out_dir.display()
        ),
    );
    if built
        .targets
        .iter()
        .all(|t| t.converted.import_path.is_none())
    {
        ui.note(&format!(
            "there is no go.mod in {} nor above it; `go mod init` makes one",
            built.out_dir.display()
        ));
    }
    let files = built.targets.iter().flat_map(|t| t.converted.files.clone());
    hint(&files.collect::<Vec<_>>(), ui);
    Ok(built)
}

/// Completes "could not ...".
pub fn action(args: &Build) -> String {
    match args.dir.as_os_str() == "." {
        true => "build this crate".into(),
        false => format!("build {}", args.dir.display()),
    }
}

/// The options of the command line, and those that the crate says itself.
pub fn completed(args: Build, line: &[OsString], ui: &Ui) -> Result<BuildOptions> {
    let command = command_line(&args);
    let place = BuildOptions {
        member: args.member.clone(),
        locked: args.locked,
        offline: args.offline,
        ..BuildOptions::new(&args.dir)
    };
    let args = complete(args, &crate::build::settings(&place)?, line)?;
    let mut options = options(args, ui)?;
    // Whoever gives the command again has the crate's own flags by themselves.
    options.convert.command = command;
    Ok(options)
}

/// The arguments of `build` with the crate's own flags before those of the command line, `line`. Of a flag that stands once, the last counts.
pub(super) fn complete(args: Build, settings: &Settings, line: &[OsString]) -> Result<Build> {
    let words = settings::words(settings)?;
    if words.is_empty() {
        return Ok(args);
    }
    // `rsyso build`, the crate's, and the rest.
    let (command, rest) = line.split_at(line.len().min(2));
    let all = command.iter().chain(&words).chain(rest);
    match Cli::try_parse_from(all).map(|cli| cli.command) {
        Ok(Command::Build(args)) => Ok(*args),
        Ok(_) => Err(fault("this is not the command `build`")),
        Err(e) => Err(settings::refused(settings, &e)),
    }
}

pub fn options(args: Build, ui: &dyn Progress) -> Result<BuildOptions> {
    let command = command_line(&args);
    let convert = ConvertOptions {
        command,
        ..ConvertOptions::new(Vec::new())
    };
    Ok(BuildOptions {
        dir: args.dir,
        out_dir: args.out_dir,
        targets: args.targets,
        profile: args.profile,
        member: args.member,
        features: args.features,
        no_default_features: args.no_default_features,
        all_features: args.all_features,
        locked: args.locked,
        offline: args.offline,
        says: match (args.output.quiet, args.output.verbose) {
            (true, _) => Says::Little,
            (false, 0 | 1) => Says::Normal,
            (false, _) => Says::Much,
        },
        target_dir: None,
        notice: args.notice,
        cgo: args.cgo,
        convert: args.go.into_options(convert, ui)?,
    })
}

/// The command for the comment in generated files: without folders, and without targets, which share the file.
fn command_line(args: &Build) -> String {
    let mut words = vec!["rsyso".to_string(), "build".to_string()];
    if args.profile != "release" {
        words.extend(["--profile".into(), quote(&args.profile)]);
    }
    if let Some(member) = &args.member {
        words.extend(["-p".into(), quote(member)]);
    }
    if !args.features.is_empty() {
        words.extend(["--features".into(), quote(&args.features.join(","))]);
    }
    let flags = [
        ("--all-features", args.all_features),
        ("--no-default-features", args.no_default_features),
        ("--notice", args.notice),
    ];
    words.extend(flags.iter().filter(|f| f.1).map(|f| f.0.to_string()));
    words.extend(args.go.words());
    words.join(" ")
}
