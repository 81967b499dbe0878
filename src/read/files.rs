//! Files and archive members, as byte ranges with names.

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files::{self, Mapped};
use crate::base::report::Progress;
use ::object::read::archive::ArchiveFile;
use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Everything that was read, in the order of the command line.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<Source>,
    members: Vec<Member>,
    inputs: Vec<Input>,
}

/// Where bytes are.
#[derive(Debug)]
enum Source {
    /// In a file.
    File(Mapped),
    /// In this program.
    Memory(Cow<'static, [u8]>),
}

impl Source {
    fn bytes(&self) -> &[u8] {
        match self {
            Source::File(mapped) => mapped,
            Source::Memory(bytes) => bytes,
        }
    }
}

/// One file of the command line.
#[derive(Debug)]
struct Input {
    name: String,
    file: usize,
    members: usize,
}

/// One object file: a file of its own, or a member of an archive.
#[derive(Clone, Debug)]
pub struct Member {
    /// For messages: `libfoo.a(member.o)` or `foo.o`.
    pub name: String,
    /// The member's own name.
    pub member: String,
    /// Whether it is pulled in only when needed, as archive members are.
    pub lazy: bool,
    file: usize,
    range: Range<usize>,
}

/// The machine of the first object of a library, as ELF has it. None where that is not known: who reads it says what is wrong.
pub fn machine(path: &Path) -> Option<u16> {
    let data = files::map(path).ok()?;
    let archive = ArchiveFile::parse(&*data).ok()?;
    let mut objects = archive.members().filter_map(|member| {
        let (offset, size) = member.ok()?.file_range();
        let bytes = data.get(offset as usize..offset.checked_add(size)? as usize)?;
        // e_ident, e_type, e_machine (ELF, "ELF Header").
        let machine = bytes
            .get(18..20)
            .filter(|_| bytes.starts_with(b"\x7fELF"))?;
        Some(u16::from_le_bytes(machine.try_into().ok()?))
    });
    objects.next()
}

impl Member {
    /// Where its bytes begin in its file.
    pub fn start(&self) -> usize {
        self.range.start
    }
}

impl Files {
    /// Reads the files, and those that thin archives point to.
    pub fn open(paths: &[PathBuf]) -> Result<Files> {
        let mut files = Files::default();
        for path in paths {
            files.add(path)?;
        }
        Ok(files)
    }

    /// One file that is in memory already; `name` is for messages. Thin archives are refused.
    pub fn from_bytes(name: &str, data: impl Into<Cow<'static, [u8]>>) -> Result<Files> {
        let mut files = Files::default();
        files.add_source(name.to_owned(), None, Source::Memory(data.into()))?;
        Ok(files)
    }

    /// That nobody has written to a file since it was opened: files are read in place, as far as they are needed.
    pub fn unchanged(&self) -> Result<()> {
        let mapped = self.files.iter().filter_map(|source| match source {
            Source::File(mapped) => Some(mapped),
            Source::Memory(_) => None,
        });
        let changed = mapped.filter(|mapped| !mapped.is_unchanged());
        let problems = changed.map(|mapped| {
            Problem::new("the file was changed while it was read")
                .at(mapped.path().display().to_string())
                .help("run rsyso again when nothing writes to the file any more")
        });
        Error::check(Kind::Fault, problems.collect(), ())
    }

    /// Gives back the memory of what was looked at so far: much was looked at that is not needed again.
    pub fn release(&self) {
        for source in &self.files {
            if let Source::File(mapped) = source {
                mapped.release();
            }
        }
    }

    /// The members, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of a member.
    pub fn bytes(&self, member: &Member) -> &[u8] {
        &self.files[member.file].bytes()[member.range.clone()]
    }

    /// Name, size in bytes and number of members of every file of the command line.
    fn summary(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        self.inputs
            .iter()
            .map(|i| (i.name.as_str(), self.files[i.file].bytes().len(), i.members))
    }

    /// Tells what was read.
    pub fn report(&self, progress: &dyn Progress) {
        for (name, bytes, members) in self.summary() {
            let what = format!("{name} ({:.1} MB, {members} members)", bytes as f64 / 1e6);
            progress.status("Reading", &what);
        }
    }

    fn add(&mut self, path: &Path) -> Result<()> {
        let data = map(path)?;
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |n| n.to_string_lossy().into_owned(),
        );
        self.add_source(name, path.parent(), Source::File(data))
    }

    fn add_source(&mut self, name: String, dir: Option<&Path>, data: Source) -> Result<()> {
        let before = self.members.len();
        let file = self.files.len();
        match data.bytes() {
            d if d.starts_with(b"!<arch>\n") || d.starts_with(b"!<thin>\n") => {
                self.files.push(data);
                self.add_archive(&name, dir, file)?;
            }
            d => {
                check_object(d).map_err(|p| Error::fault(p.at(name.clone())))?;
                let range = 0..d.len();
                self.files.push(data);
                self.members.push(Member {
                    name: name.clone(),
                    member: name.clone(),
                    lazy: false,
                    file,
                    range,
                });
            }
        }
        let members = self.members.len() - before;
        self.inputs.push(Input {
            name,
            file,
            members,
        });
        Ok(())
    }

    fn add_archive(&mut self, name: &str, dir: Option<&Path>, file: usize) -> Result<()> {
        let broken = |what: String| {
            Error::fault(
                Problem::new(format!("not a readable archive: {what}"))
                    .at(name.to_owned())
                    .help("build the library again; the file may be truncated"),
            )
        };
        let archive =
            ArchiveFile::parse(self.files[file].bytes()).map_err(|e| broken(e.to_string()))?;
        let mut found = Vec::new();
        for member in archive.members() {
            let member = member.map_err(|e| broken(e.to_string()))?;
            let own = String::from_utf8_lossy(member.name()).into_owned();
            let place = if member.is_thin() {
                None
            } else {
                let (offset, size) = member.file_range();
                let end = offset
                    .checked_add(size)
                    .filter(|e| *e <= self.files[file].bytes().len() as u64);
                let end = end.ok_or_else(|| broken(format!("member {own} is cut off")))?;
                Some(offset as usize..end as usize)
            };
            found.push((own, place));
        }
        for (own, place) in found {
            if not_code(&own) {
                continue;
            }
            let full = format!("{name}({own})");
            let (file, range) = match place {
                Some(range) => (file, range),
                None => {
                    let dir =
                        dir.ok_or_else(|| broken("a thin archive has no members inside".into()))?;
                    let data = map(&dir.join(&own))?;
                    let range = 0..data.len();
                    self.files.push(Source::File(data));
                    (self.files.len() - 1, range)
                }
            };
            check_object(&self.files[file].bytes()[range.clone()])
                .map_err(|p| Error::fault(p.at(full.clone())))?;
            let member = own.rsplit('/').next().unwrap_or(&own).to_owned();
            self.members.push(Member {
                name: full,
                member,
                lazy: true,
                file,
                range,
            });
        }
        Ok(())
    }
}

/// Members of rlibs that hold no code: the crate's metadata, and split debug information.
fn not_code(member: &str) -> bool {
    member.ends_with(".rmeta") || member.ends_with(".dwo") || member.ends_with("rust.metadata.bin")
}

fn map(path: &Path) -> Result<Mapped> {
    files::map(path).map_err(|e| {
        let help = if path.is_dir() {
            "name the library file, e.g. target/release/libfoo.a"
        } else {
            "check the path; `cargo build --release` writes staticlibs to target/release/"
        };
        Error::fault(Problem::new(format!("cannot read {}: {e}", path.display())).help(help))
    })
}

/// What a file is that is no ELF object, by its first bytes.
const OTHERS: &[(&[u8], &str)] = &[
    (b"BC\xC0\xDE", "LLVM bitcode, not machine code"),
    (b"\xDE\xC0\x17\x0B", "LLVM bitcode, not machine code"),
    (b"\xFE\xED\xFA\xCE", "a Mach-O file (macOS)"),
    (b"\xFE\xED\xFA\xCF", "a Mach-O file (macOS)"),
    (b"\xCE\xFA\xED\xFE", "a Mach-O file (macOS)"),
    (b"\xCF\xFA\xED\xFE", "a Mach-O file (macOS)"),
    (b"\xCA\xFE\xBA\xBE", "a universal Mach-O file (macOS)"),
    (b"\0asm", "a WebAssembly module"),
    (b"MZ", "a Windows program or library"),
    (&[0x64, 0x86], "a COFF object (Windows)"),
];

/// That `data` starts like an ELF file; says what it is otherwise.
fn check_object(data: &[u8]) -> std::result::Result<(), Problem> {
    if data.starts_with(b"\x7fELF") {
        return Ok(());
    }
    if data.is_empty() {
        return Err(Problem::new("the file is empty").help("build the library again"));
    }
    let other = OTHERS.iter().find(|(magic, _)| data.starts_with(magic));
    Err(match other {
        Some((_, what)) if what.starts_with("LLVM") => Problem::new(format!("this is {what}")).help(
            "build without linker-plugin-lto: unset `-C linker-plugin-lto` and `-C embed-bitcode=only`",
        ),
        Some((_, what)) => Problem::new(format!("this is {what}, not a Linux ELF object"))
            .help("build the library for a Linux target"),
        None => Problem::new("this is neither an ELF object nor an archive of them")
            .help("rsyso reads .a, .rlib and .o files that rustc or a C compiler made for Linux"),
    })
}
