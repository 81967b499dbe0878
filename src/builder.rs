//! The library's front door: a conversion, option by option.

use std::path::PathBuf;

use crate::base::diag::Result;
use crate::base::identifiers::Style;
use crate::base::options::{ConvertOptions, base_name};
use crate::base::report::{Converted, Progress, Silent};
use crate::pipeline;

/// A conversion of a library into a Go package, as `rsyso convert` does it.
///
/// Each method is the flag of its name; what is not said is as on the command line. Nothing is read or written before [`run`](Convert::run).
///
/// ```no_run
/// # fn main() -> Result<(), rsyso::Error> {
/// let made = rsyso::Convert::new("target/release/libfoo.a")
///     .out_dir("go/foo")
///     .export("foo_*")
///     .blocking("foo_wait")
///     .run()?;
/// for file in &made.files {
///     println!("wrote {}", file.display());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Convert {
    options: ConvertOptions,
}

impl Convert {
    /// A conversion of a static library (`.a`), an `.rlib` or an object.
    pub fn new(input: impl Into<PathBuf>) -> Self {
        Convert {
            options: ConvertOptions::new(vec![input.into()]),
        }
    }

    /// One more input; all are linked as one library.
    pub fn input(mut self, input: impl Into<PathBuf>) -> Self {
        let input = input.into();
        self.options.command += &format!(" {}", base_name(&input));
        self.options.inputs.push(input);
        self
    }

    /// The folder of the Go package; the current one by default.
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.out_dir = dir.into();
        self
    }

    /// The name of the Go package; by default that of `$GOPACKAGE`, of the Go files in the folder, or of the library.
    pub fn package(mut self, name: impl Into<String>) -> Self {
        self.options.package = Some(name.into());
        self
    }

    /// What the names of the written files begin with; the library's name by default.
    pub fn stem(mut self, name: impl Into<String>) -> Self {
        self.options.stem = Some(name.into());
        self
    }

    /// The import path of the Go package; found from the nearest `go.mod` by default.
    pub fn import_path(mut self, path: impl Into<String>) -> Self {
        self.options.import_path = Some(path.into());
        self
    }

    /// Functions to export, by a glob over their symbols, or to leave out, after a `!`. May be repeated; the last that matches counts.
    pub fn export(mut self, glob: impl Into<String>) -> Self {
        self.options.exports.push(glob.into());
        self
    }

    /// A prefix of symbols that Go names leave out.
    pub fn trim_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.options.trim_prefix = Some(prefix.into());
        self
    }

    /// How names are spelled: as Go has them, or as C has them but for a first letter in upper case, and then no function is a method.
    pub fn names(mut self, style: Style) -> Self {
        self.options.names = style;
        self
    }

    /// A C header: signatures where there is no debug information, and a check of those that there are. May be repeated. An error without the
    /// feature `header`.
    pub fn header(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.headers.files.push(file.into());
        self
    }

    /// A folder of files that the headers include, where these are not beside them, as a compiler's `-I`.
    pub fn include_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.headers.include_dirs.push(dir.into());
        self
    }

    /// A macro that the headers find defined, as a compiler's `-D`: `NAME`, or `NAME=VALUE`.
    pub fn define(mut self, define: impl Into<String>) -> Self {
        self.options.headers.defines.push(define.into());
        self
    }

    /// A macro that the headers find undefined, as a compiler's `-U`.
    pub fn undefine(mut self, name: impl Into<String>) -> Self {
        self.options.headers.undefines.push(name.into());
        self
    }

    /// Whether a pointer and its length become one slice; they do by default.
    pub fn pairs(mut self, pairs: bool) -> Self {
        self.options.no_pairs = !pairs;
        self
    }

    /// Whether reports of panics can have a backtrace; they cannot by default.
    pub fn backtrace(mut self, backtrace: bool) -> Self {
        self.options.backtrace = backtrace;
        self
    }

    /// Functions that take the handle given by `*mut` for good. A glob, as for [`export`](Convert::export).
    pub fn consumes(mut self, glob: impl Into<String>) -> Self {
        self.options.consumes.push(glob.into());
        self
    }

    /// Functions whose `*const c_char` parameters are strings in Go, copied for the call. A glob, as for [`export`](Convert::export).
    pub fn cstr(mut self, glob: impl Into<String>) -> Self {
        self.options.cstr.push(glob.into());
        self
    }

    /// Functions that keep the function pointers they are given and call them later. A glob, as for [`export`](Convert::export).
    pub fn keeps(mut self, glob: impl Into<String>) -> Self {
        self.options.keeps.push(glob.into());
        self
    }

    /// Functions that take user data in front of the function pointer that it is for, by a glob over their symbols, or those that do not, after a `!`. May be
    /// repeated; the last that matches counts.
    pub fn user_data(mut self, glob: impl Into<String>) -> Self {
        self.options.user_data.push(glob.into());
        self
    }

    /// How many Go functions of one type the library can have at a time, where it takes no user data for them.
    pub fn pool(mut self, functions: u32) -> Self {
        self.options.pool = functions;
        self
    }

    /// Undefined functions that Go provides. A glob, as for [`export`](Convert::export).
    pub fn import(mut self, glob: impl Into<String>) -> Self {
        self.options.imports.push(glob.into());
        self
    }

    /// Functions whose arguments are not checked before a call. A glob, as for [`export`](Convert::export).
    pub fn trust(mut self, glob: impl Into<String>) -> Self {
        self.options.trust.push(glob.into());
        self
    }

    /// Functions that can block. A glob, as for [`export`](Convert::export).
    pub fn blocking(mut self, glob: impl Into<String>) -> Self {
        self.options.blocking.push(glob.into());
        self
    }

    /// Functions whose calls always keep their thread: they never become system calls of Go's while they run (`--bare`).
    pub fn bare(mut self, glob: impl Into<String>) -> Self {
        self.options.bare.push(glob.into());
        self
    }

    /// Bytes of the stack of a call: a power of two from 256 KiB to 1 GiB; 8 MiB by default.
    pub fn stack_size(mut self, bytes: u64) -> Self {
        self.options.stack_size = bytes;
        self
    }

    /// The command that the first line of generated files names, from `rsyso` on. By default it is `rsyso convert` and the inputs' file names.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.options.command = command.into();
        self
    }

    /// Converts. All files are written, or none.
    pub fn run(self) -> Result<Converted> {
        self.run_with(&Silent)
    }

    /// Converts, and tells of it on the way: warnings are heard here alone.
    pub fn run_with(self, progress: &dyn Progress) -> Result<Converted> {
        pipeline::convert(&self.options, progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::options::Headers;

    #[test]
    fn each_method_is_a_flag() {
        let all = Convert::new("a/liba.a")
            .input("b.o")
            .out_dir("go")
            .package("p")
            .stem("s")
            .import_path("example.com/p")
            .export("a_*")
            .export("!a_x")
            .trim_prefix("a_")
            .names(Style::C)
            .header("a.h")
            .include_dir("inc")
            .define("A=1")
            .undefine("B")
            .pairs(false)
            .backtrace(true)
            .consumes("c")
            .cstr("text")
            .keeps("k")
            .user_data("u")
            .pool(8)
            .import("i")
            .trust("t")
            .blocking("b")
            .bare("bare")
            .stack_size(1 << 20);
        let want = ConvertOptions {
            out_dir: "go".into(),
            package: Some("p".into()),
            stem: Some("s".into()),
            import_path: Some("example.com/p".into()),
            exports: vec!["a_*".into(), "!a_x".into()],
            trim_prefix: Some("a_".into()),
            names: Style::C,
            headers: Headers {
                files: vec!["a.h".into()],
                include_dirs: vec!["inc".into()],
                defines: vec!["A=1".into()],
                undefines: vec!["B".into()],
            },
            no_pairs: true,
            backtrace: true,
            consumes: vec!["c".into()],
            cstr: vec!["text".into()],
            keeps: vec!["k".into()],
            user_data: vec!["u".into()],
            pool: 8,
            imports: vec!["i".into()],
            trust: vec!["t".into()],
            blocking: vec!["b".into()],
            bare: vec!["bare".into()],
            stack_size: 1 << 20,
            ..ConvertOptions::new(vec!["a/liba.a".into(), "b.o".into()])
        };
        assert_eq!(all.options, want);
        assert_eq!(all.command("rsyso x").options.command, "rsyso x");
    }
}
