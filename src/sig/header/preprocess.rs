//! What a preprocessor would do with the header, as far as headers for C and C++ at once need it: conditions, and macros that stand for
//! attributes or for nothing. Files in quotes are read where they are found, those of the system are not: their names are known.
//!
//! The text of a file keeps its lines: what goes is replaced with blanks, and macros in place. So lines of the result are lines of the file. An
//! included file is a text of its own, before the one that includes it.

mod condition;
mod include;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::decl::Missing;
use super::expand::expand;
use super::lexical::{Piece, blank, name, pieces};
use super::macros::{self, Macro};
use crate::base::diag::Problem;
use crate::base::options::Headers as Options;
use crate::model::Source;
use condition::Condition;
use include::Boundary;

/// The way out when the header asks for more than is done here.
pub(super) const RUN_PREPROCESSOR: &str = "run the C preprocessor first, which knows all macros (`cc -E -C foo.h -o foo.i`, with -D for those that the build defines), and give its output as the header";

/// Macros that are defined while a header is read: those of a C compiler for the platforms that are converted, and of <stdint.h> and <limits.h>.
const DEFINED: [(&str, &str); 39] = [
    ("__STDC__", "1"),
    ("__STDC_VERSION__", "201710L"),
    ("__STDC_HOSTED__", "1"),
    ("__linux__", "1"),
    ("__unix__", "1"),
    ("__LP64__", "1"),
    ("__ELF__", "1"),
    ("__GNUC__", "12"),
    ("__GNUC_MINOR__", "0"),
    ("__SIZEOF_POINTER__", "8"),
    ("__SIZEOF_LONG__", "8"),
    ("__SIZEOF_INT128__", "16"),
    ("__ORDER_LITTLE_ENDIAN__", "1234"),
    ("__ORDER_BIG_ENDIAN__", "4321"),
    ("__BYTE_ORDER__", "1234"),
    ("CHAR_BIT", "8"),
    ("SCHAR_MAX", "0x7f"),
    ("UCHAR_MAX", "0xff"),
    ("SHRT_MAX", "0x7fff"),
    ("USHRT_MAX", "0xffff"),
    ("INT_MAX", "0x7fffffff"),
    ("UINT_MAX", "0xffffffff"),
    ("LONG_MAX", "0x7fffffffffffffff"),
    ("ULONG_MAX", "0xffffffffffffffff"),
    ("LLONG_MAX", "0x7fffffffffffffff"),
    ("ULLONG_MAX", "0xffffffffffffffff"),
    ("INT8_MAX", "0x7f"),
    ("UINT8_MAX", "0xff"),
    ("INT16_MAX", "0x7fff"),
    ("UINT16_MAX", "0xffff"),
    ("INT32_MAX", "0x7fffffff"),
    ("UINT32_MAX", "0xffffffff"),
    ("INT64_MAX", "0x7fffffffffffffff"),
    ("UINT64_MAX", "0xffffffffffffffff"),
    ("INTPTR_MAX", "0x7fffffffffffffff"),
    ("UINTPTR_MAX", "0xffffffffffffffff"),
    ("PTRDIFF_MAX", "0x7fffffffffffffff"),
    ("SSIZE_MAX", "0x7fffffffffffffff"),
    ("SIZE_MAX", "0xffffffffffffffff"),
];

/// What such a macro stands for.
pub(super) fn defined(name: &str) -> Option<&'static str> {
    let found = DEFINED.iter().find(|(known, _)| *known == name);
    found.map(|(_, body)| *body)
}

/// Macros that are known to be undefined: other languages, other compilers, other systems.
const UNDEFINED: [&str; 34] = [
    "__cplusplus",
    "__OBJC__",
    "__clang__",
    "__INTEL_COMPILER",
    "_MSC_VER",
    "_WIN32",
    "_WIN64",
    "WIN32",
    "__WIN32__",
    "__WIN32",
    "WIN64",
    "__WIN64__",
    "__NT__",
    "_WIN32_WCE",
    "__WINDOWS__",
    "__CYGWIN__",
    "__MINGW32__",
    "__MINGW64__",
    "__APPLE__",
    "__MACH__",
    "__FreeBSD__",
    "__NetBSD__",
    "__OpenBSD__",
    "__DragonFly__",
    "__sun",
    "__HAIKU__",
    "__Fuchsia__",
    "__QNX__",
    "__ANDROID__",
    "__EMSCRIPTEN__",
    "__wasm__",
    "__has_include",
    "__has_attribute",
    "__has_feature",
];

/// A header without directives.
pub(super) struct Clean {
    /// As many lines as the file has.
    pub text: String,
    /// Macros in force at the end, by name.
    pub macros: BTreeMap<String, Macro>,
    /// Lines (from 0) from which on another file or line holds, after `# 12 "foo.h"`.
    marks: Vec<(usize, Source)>,
    /// Lines (from 0) from which on structs are packed, or are no longer.
    packs: Vec<(usize, bool)>,
    name: String,
}

impl Clean {
    /// Where a line (from 0) of the text was written.
    pub fn source(&self, line: usize) -> Source {
        let above = self.marks.partition_point(|m| m.0 <= line);
        let mark = above.checked_sub(1).and_then(|n| self.marks.get(n));
        let (from, file, first) = match mark {
            Some((from, source)) => (*from, &source.file, source.line),
            None => (0, &self.name, 1),
        };
        let line = u32::try_from(line - from).unwrap_or(u32::MAX);
        Source {
            file: file.clone(),
            line: first.saturating_add(line),
        }
    }

    /// Whether `#pragma pack` holds at a line (from 0).
    pub fn packed(&self, line: usize) -> bool {
        let above = self.packs.partition_point(|p| p.0 <= line);
        let last = above.checked_sub(1).and_then(|n| self.packs.get(n));
        last.is_some_and(|p| p.1)
    }

    /// The value of a macro that is a constant expression.
    pub fn value(&self, name: &str) -> Option<i128> {
        macros::value(&self.macros, name, 0)
    }
}

/// A header file, or one that it includes.
pub(super) struct File<'a> {
    /// For messages: `foo.h`.
    pub name: &'a str,
    /// Where it is, so that others beside it are found; None for a text that is no file.
    pub path: Option<&'a Path>,
    pub text: &'a str,
}

/// Reads a header and what it includes, which comes first. All that is wrong is told at once.
pub(super) fn clean(file: &File<'_>, options: &Options) -> Cleaned {
    let mut run = Run::new(options);
    run.file(file, 0);
    run.problems.truncate(super::PROBLEMS);
    let files = match run.problems.is_empty() {
        true => run.finished,
        false => Vec::new(),
    };
    Cleaned {
        files,
        missing: run.missing,
        problems: run.problems,
    }
}

/// What became of a header.
pub(super) struct Cleaned {
    /// Without directives, included files first. None where there are problems.
    pub files: Vec<Clean>,
    /// What was not found and might declare more.
    pub missing: Vec<Missing>,
    pub problems: Vec<Problem>,
}

/// What the files of one header share.
struct Run<'o> {
    options: &'o Options,
    /// Macros with their values; None for those that are known to be undefined.
    known: HashMap<String, Option<String>>,
    /// Macros in force, those of the compiler left out.
    macros: BTreeMap<String, Macro>,
    finished: Vec<Clean>,
    /// Files that want to be read once.
    once: HashSet<PathBuf>,
    /// Whether `#pragma pack` holds, the innermost last. Never empty.
    packs: Vec<bool>,
    /// How many files were included.
    included: usize,
    /// What was not found and might declare more.
    missing: Vec<Missing>,
    /// Names that nothing is known of, and whether the conditions that asked for them held.
    asked: HashMap<String, bool>,
    problems: Vec<Problem>,
}

impl<'o> Run<'o> {
    fn new(options: &'o Options) -> Self {
        let mut run = Run {
            options,
            known: DEFINED
                .iter()
                .map(|m| (m.0.to_owned(), Some(m.1.to_owned())))
                .chain(UNDEFINED.iter().map(|m| (m.to_string(), None)))
                .collect(),
            macros: BTreeMap::new(),
            finished: Vec::new(),
            once: HashSet::new(),
            packs: vec![false],
            included: 0,
            missing: Vec::new(),
            asked: HashMap::new(),
            problems: Vec::new(),
        };
        for name in &options.undefines {
            run.known.insert(name.clone(), None);
        }
        for define in &options.defines {
            // As a compiler has it: a name alone is 1 (GCC manual, "Preprocessor Options").
            let (name, body) = define.split_once('=').unwrap_or((define, "1"));
            let source = Source {
                file: format!("-D {define}"),
                line: 1,
            };
            run.define(name, body, None, source);
        }
        run
    }

    fn define(&mut self, name: &str, body: &str, params: Option<Vec<String>>, source: Source) {
        let value = params.is_none().then(|| body.to_owned());
        self.known.insert(name.to_owned(), value);
        let found = Macro {
            params,
            body: body.to_owned(),
            source,
        };
        self.macros.insert(name.to_owned(), found);
    }

    /// Reads one file; `depth` counts the files that it is included by.
    fn file(&mut self, file: &File<'_>, depth: u32) {
        let mut reader = Reader {
            out: Clean {
                text: String::new(),
                macros: BTreeMap::new(),
                marks: Vec::new(),
                packs: vec![(0, self.packs.last().copied().unwrap_or(false))],
                name: file.name.to_owned(),
            },
            run: self,
            path: file.path,
            depth,
            boundary: Boundary::default(),
            conditions: Vec::new(),
            foreign: false,
            own: HashSet::new(),
        };
        let pieces = pieces(file.text);
        // What stands between two directives, before its macros are replaced: by those that are in force there.
        let mut between = String::new();
        for (n, piece) in pieces.iter().enumerate() {
            if piece.directive {
                reader.finish(&between);
                between.clear();
                reader.directive(piece, pieces.get(n + 1..).unwrap_or_default());
            }
            match !piece.directive && reader.active() {
                true => between.push_str(piece.text),
                false => between.extend(blank(piece.text).map(char::from)),
            }
        }
        reader.finish(&between);
        let open: Vec<usize> = reader.conditions.iter().map(|c| c.line).collect();
        let mut out = reader.out;
        for line in open {
            let source = out.source(line);
            self.problems
                .push(problem("a condition without its `#endif`", &source));
        }
        out.macros = self.macros.clone();
        self.finished.push(out);
    }
}

fn problem(message: impl Into<String>, source: &Source) -> Problem {
    Problem::new(message).at(super::super::place_of(source))
}

/// Reads one file.
struct Reader<'r, 'o> {
    run: &'r mut Run<'o>,
    out: Clean,
    path: Option<&'r Path>,
    depth: u32,
    boundary: Boundary,
    conditions: Vec<Condition>,
    /// In a part that the preprocessor took from a system header.
    foreign: bool,
    /// Files that are no system headers.
    own: HashSet<String>,
}

impl Reader<'_, '_> {
    fn active(&self) -> bool {
        !self.foreign && self.conditions.last().is_none_or(|c| c.active)
    }

    /// Adds a part of the text, its macros replaced.
    fn finish(&mut self, between: &str) {
        let text = expand(between, &self.run.macros);
        self.boundary.pass(&text);
        self.out.text.push_str(&text);
    }

    fn problem(&mut self, message: impl Into<String>, line: usize) {
        let problem = problem(message, &self.out.source(line)).help(RUN_PREPROCESSOR);
        self.run.problems.push(problem);
    }

    fn directive(&mut self, piece: &Piece<'_>, rest_of_file: &[Piece<'_>]) {
        debug_assert!(!piece.in_comment);
        let (word, rest) = piece.words();
        let (rest, line) = (rest.as_str(), piece.line);
        match word.as_str() {
            "if" | "ifdef" | "ifndef" => self.open(&word, rest, line, rest_of_file),
            "elif" | "elifdef" | "elifndef" | "else" => self.branch(&word, rest, line),
            "endif" => self.close(line),
            "" if rest.starts_with(|c: char| c.is_ascii_digit()) => self.mark(rest, line),
            _ if !self.active() => {}
            "line" => self.mark(rest, line),
            "define" => self.define(rest, line),
            "undef" => {
                self.run.macros.remove(rest);
                self.run.known.insert(rest.to_owned(), None);
            }
            "error" => self.problem(format!("the header stops here: #error {rest}"), line),
            "pragma" if rest.starts_with("pack") => self.pack(rest, line),
            "pragma" if rest == "once" => self.run.once.extend(self.path.map(include::identity)),
            "include" | "include_next" | "import" => self.include(rest, line),
            _ => {}
        }
    }

    /// `#pragma pack(push, 1)` and its kin (GCC manual, "Structure-Layout Pragmas"): structs from here on lie differently.
    fn pack(&mut self, rest: &str, line: usize) {
        let arguments = rest.trim_start_matches("pack").trim();
        let inner = arguments
            .strip_prefix('(')
            .and_then(|r| r.strip_suffix(')'));
        let Some(inner) = inner else {
            return self.problem(format!("`#pragma {rest}` cannot be read"), line);
        };
        let packs = &mut self.run.packs;
        for word in inner.split(',').map(str::trim) {
            match (word, word.parse::<u32>()) {
                ("push", _) => packs.push(packs.last().copied().unwrap_or(false)),
                ("pop", _) if packs.len() > 1 => {
                    packs.pop();
                }
                ("", _) => packs.last_mut().into_iter().for_each(|p| *p = false),
                (_, Ok(_)) => packs.last_mut().into_iter().for_each(|p| *p = true),
                _ => return self.problem(format!("`#pragma {rest}` cannot be read"), line),
            }
        }
        let packed = packs.last().copied().unwrap_or(false);
        self.out.packs.push((line, packed));
    }

    /// `# 12 "foo.h" 3`: what follows is from there; 3 stands for a system header (GCC manual, "Preprocessor Output"). GCC puts such marks
    /// around the `_Bool` of <stdbool.h>'s `bool` too, amid a declaration, with the name of the file that uses the macro.
    fn mark(&mut self, text: &str, line: usize) {
        let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
        let Ok(number) = number.parse() else {
            return self.problem("a line number that is none", line);
        };
        let (file, flags) = match rest
            .trim()
            .strip_prefix('"')
            .and_then(|r| r.split_once('"'))
        {
            Some((file, flags)) => (file.to_owned(), flags),
            None => (self.out.source(line).file, ""),
        };
        let system = flags.split_whitespace().any(|flag| flag == "3");
        self.foreign = system && !self.own.contains(&file);
        if !system {
            self.own.insert(file.clone());
        }
        let source = Source { file, line: number };
        self.out.marks.push((line + 1, source));
    }

    fn define(&mut self, rest: &str, line: usize) {
        let (name, body) = name(rest);
        let inside = body.strip_prefix('(').and_then(|b| b.split_once(')'));
        let body = inside.map_or(body, |(_, body)| body).trim();
        let params = inside.map(|(params, _)| {
            let names = params.split(',').map(|p| p.trim().to_owned());
            names.filter(|p| !p.is_empty()).collect()
        });
        let source = self.out.source(line);
        self.run.define(name, body, params, source);
    }
}
