//! The C compiler: needed when a binding is ported, never when it is built.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::directives;
use super::target::Target;
use crate::base::diag::{Error, Problem, Result};
use crate::base::files;

/// What every object of an image needs: code for any address, no canaries in Go's place, no tables for a debugger.
const ALWAYS: &[&str] = &[
    "-fPIC",
    "-fno-stack-protector",
    "-fno-lto",
    "-U_FORTIFY_SOURCE",
    "-ffunction-sections",
    "-fdata-sections",
    "-fexceptions",
    "-w",
];

/// A C compiler with the flags of one package.
pub(super) struct Compiler {
    words: Vec<String>,
    flags: Vec<String>,
    /// Where it runs: the folder of the package, as under cgo.
    folder: PathBuf,
    /// For what it makes.
    pub scratch: tempfile::TempDir,
}

/// What a run of it gave.
pub(super) struct Ran {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Compiler {
    /// What the environment names for the machine, or what is called so on most systems.
    pub fn find(folder: &Path, flags: &[String], target: &Target) -> Result<Compiler> {
        let words = found(target)?;
        let user = std::env::var("CGO_CFLAGS").unwrap_or_default();
        let mut all = vec!["-O2".to_owned()];
        all.extend(directives::split(&user).unwrap_or_default());
        all.extend(flags.iter().cloned());
        let scratch = tempfile::tempdir().map_err(|e| {
            Error::fault(Problem::new(format!(
                "cannot make a folder for the C compiler: {e}"
            )))
        })?;
        Ok(Compiler {
            words,
            flags: all,
            folder: folder.to_path_buf(),
            scratch,
        })
    }

    /// Itself, if it finds the headers of a C library: a compiler for another machine may lack them.
    pub fn with_headers(self) -> Result<Compiler> {
        let text = "#include <errno.h>\n#include <stdlib.h>\n#include <string.h>\n";
        let ran = self.run(text, &["-w", "-fsyntax-only"])?;
        if ran.success {
            return Ok(self);
        }
        let what = format!("{} finds no headers of C", self.words.join(" "));
        Err(Error::fault(
            Problem::new(what).note(complaint(&ran.stderr)),
        ))
    }

    /// Runs it on a text. `before` comes before the flags of the package, `after` behind them.
    pub fn run(&self, text: &str, after: &[&str]) -> Result<Ran> {
        let fault = |e: std::io::Error| {
            let name = self.words.join(" ");
            Error::fault(Problem::new(format!(
                "cannot run the C compiler {name}: {e}"
            )))
        };
        let (program, rest) = self
            .words
            .split_first()
            .ok_or_else(|| fault(std::io::ErrorKind::NotFound.into()))?;
        let mut command = Command::new(program);
        command
            .args(rest)
            .args(&self.flags)
            .args(["-I", "."])
            .arg("-I")
            .arg(self.scratch.path())
            .args(after)
            .args(["-x", "c", "-"])
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(fault)?;
        let mut input = child.stdin.take();
        let text = text.as_bytes().to_vec();
        // It may write before it has read everything.
        let writer = std::thread::spawn(move || input.as_mut().map(|i| i.write_all(&text)));
        let output = child.wait_with_output().map_err(fault)?;
        // A compiler that gives up does not read to the end; its own message says why.
        let _ = writer.join();
        Ok(Ran {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Puts a header where C code finds it.
    pub fn provide(&self, name: &str, text: &str) -> Result<()> {
        let path = self.scratch.path().join(name);
        let failed = |e: std::io::Error| {
            Error::fault(Problem::new(format!("cannot be written: {e}")).at(name))
        };
        files::overwrite(&path, text.as_bytes()).map_err(failed)
    }

    /// Compiles a text to an object with debug information, and gives its bytes.
    pub fn debug(&self, text: &str) -> Result<std::result::Result<Vec<u8>, String>> {
        let out = self.scratch.path().join("probe.o");
        let path = out.display().to_string();
        let ran = self.run(
            text,
            &[
                "-w",
                "-g",
                "-gdwarf-4",
                "-O0",
                "-fno-lto",
                "-c",
                "-o",
                &path,
            ],
        )?;
        if !ran.success {
            return Ok(Err(ran.stderr));
        }
        let bytes = files::read(&out);
        let bytes = bytes
            .map_err(|e| Error::fault(Problem::new(format!("cannot be read: {e}")).at(path)))?;
        Ok(Ok(bytes))
    }

    /// Compiles a text to an object of the image, and gives its path.
    pub fn object(&self, name: &str, text: &str) -> Result<std::result::Result<PathBuf, String>> {
        let out = self.scratch.path().join(format!("{name}.o"));
        let path = out.display().to_string();
        let scratch = format!("-ffile-prefix-map={}=.", self.scratch.path().display());
        let folder = format!("-ffile-prefix-map={}=.", self.folder.display());
        let mut flags = ALWAYS.to_vec();
        flags.extend(["-g0", &scratch, &folder, "-c", "-o", &path]);
        let ran = self.run(text, &flags)?;
        Ok(match ran.success {
            true => Ok(out),
            false => Err(ran.stderr),
        })
    }
}

/// The words of the command of a C compiler for a machine: `$CC_FOR_linux_GOARCH`, as where Go itself is built; `$CC`; gcc or clang; those for other
/// machines.
fn found(target: &Target) -> Result<Vec<String>> {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let of = |variable: &str| {
        std::env::var(variable)
            .ok()
            .filter(|v| !v.trim().is_empty())
    };
    let other = |cc: &str| words(&format!("{cc} --target={}", target.c_target()));
    let alone = of(&format!("CC_FOR_linux_{}", target.arch.goarch()));
    let mut candidates = match (&alone, of("CC")) {
        (Some(alone), _) => vec![words(alone)],
        (None, Some(cc)) => vec![words(&cc), other(&cc)],
        (None, None) => ["gcc", "cc", "clang"].map(words).to_vec(),
    };
    // A `$CC` that is none is told, and not replaced.
    let asked = candidates
        .first()
        .filter(|_| alone.is_some() || of("CC").is_some());
    let asked = asked.cloned().filter(|words| machine(words).is_none());
    if alone.is_none() && asked.is_none() {
        candidates.extend([words(&format!("{}-gcc", target.c_target())), other("clang")]);
    }
    let fits = |words: &&Vec<String>| {
        let machine = machine(words);
        machine.is_some_and(|m| m.starts_with(target.c_machine()))
    };
    if let Some(words) = candidates.iter().find(fits) {
        return Ok(words.clone());
    }
    let told = |words: &Vec<String>| match machine(words) {
        Some(machine) => format!("{} is for {machine}", words.join(" ")),
        None => format!("{} does not run", words.join(" ")),
    };
    let variable = format!("$CC_FOR_linux_{}", target.arch.goarch());
    let problem = Problem::new(format!("no C compiler for {} was found", target.name()));
    let problem = candidates.iter().map(told).fold(problem, Problem::note);
    Err(Error::fault(
        problem
            .note("porting asks it what the names of C are; building a ported package needs none")
            .help(format!(
                "install gcc or clang for {}, or name one in {variable}",
                target.c_machine()
            )),
    ))
}

/// The machine that a C compiler is for, if it is one.
fn machine(words: &[String]) -> Option<String> {
    let (program, rest) = words.split_first()?;
    let mut version = Command::new(program);
    version.args(rest).arg("-dumpmachine");
    let told = version.stderr(Stdio::null()).output().ok()?;
    let machine = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    told.status.success().then_some(machine)
}

/// The first lines of a compiler's complaint.
pub(super) fn complaint(stderr: &str) -> String {
    let errors = stderr.lines().filter(|l| l.contains("error:"));
    let some: Vec<&str> = errors.take(8).collect();
    match some.is_empty() {
        true => stderr.lines().take(8).collect::<Vec<_>>().join("\n"),
        false => some.join("\n"),
    }
}
