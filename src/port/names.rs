//! What each `C.name` is: a type, a constant, a function, a variable or an expression.
//!
//! The C compiler tells, as it tells cgo: a declaration is made of the name for each thing that it may be, and the lines with errors say what it is not
//! (cmd/cgo, `guessKinds`).

use std::collections::{BTreeMap, BTreeSet};

use super::compiler::{Compiler, complaint};
use crate::base::diag::{Error, Problem, Result};

/// What a name is, as far as lines with errors tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Type,
    Integer,
    Float,
    Text,
    /// A function, or a variable.
    Object,
    /// A macro that stands for an expression.
    Macro,
}

/// Names of cgo's own, with their C (cmd/cgo, `nameToC`).
const SHORT: &[(&str, &str)] = &[
    ("schar", "signed char"),
    ("uchar", "unsigned char"),
    ("ushort", "unsigned short"),
    ("uint", "unsigned int"),
    ("ulong", "unsigned long"),
    ("longlong", "long long"),
    ("ulonglong", "unsigned long long"),
    ("complexfloat", "float _Complex"),
    ("complexdouble", "double _Complex"),
];

/// What `C.name` is in C.
pub(super) fn in_c(name: &str) -> String {
    if let Some((_, c)) = SHORT.iter().find(|(short, _)| *short == name) {
        return (*c).to_owned();
    }
    for tag in ["struct", "union", "enum"] {
        if let Some(rest) = name.strip_prefix(tag).and_then(|r| r.strip_prefix('_')) {
            return format!("{tag} {rest}");
        }
    }
    match name.strip_prefix("sizeof_") {
        Some(of) => format!("sizeof({})", in_c(of)),
        None => name.to_owned(),
    }
}

/// Whether it names a type with a tag.
pub(super) fn is_tagged(c: &str) -> bool {
    ["struct ", "union ", "enum "]
        .iter()
        .any(|t| c.starts_with(t))
}

/// The questions, in the order of their bits: what is in the way of each kind.
const QUESTIONS: [&str; 5] = [
    "undeclared",
    "no-type",
    "no-integer",
    "no-number",
    "no-text",
];

/// Finds out what names are. Those that C does not know are left out.
pub(super) fn kinds(
    compiler: &Compiler,
    preamble: &str,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Kind>> {
    let macros = macros(compiler, preamble)?;
    let mut found = BTreeMap::new();
    let (tagged, open): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|n| is_tagged(&in_c(n)));
    found.extend(tagged.into_iter().map(|n| (n.clone(), Kind::Type)));
    if open.is_empty() {
        return Ok(found);
    }
    let wrong = wrong(compiler, preamble, &open)?;
    for (name, wrong) in open.into_iter().zip(wrong) {
        let kind = match wrong {
            [false, false, true, true, true] => Kind::Type,
            [false, true, false, _, true] => Kind::Integer,
            [false, true, true, false, true] => Kind::Float,
            [false, true, true, true, false] => Kind::Text,
            [false, true, true, true, true] if macros.contains(name.as_str()) => Kind::Macro,
            [false, true, true, true, true] => Kind::Object,
            _ => continue,
        };
        found.insert(name.clone(), kind);
    }
    // The text must be good by itself: else what is missing may be missing for another reason.
    if found.len() < names.len() {
        let alone = compiler.run(preamble, &["-w", "-fsyntax-only"])?;
        if !alone.success {
            return Err(preamble_error(&alone.stderr));
        }
    }
    Ok(found)
}

/// Which questions about which names end with an error.
fn wrong(
    compiler: &Compiler,
    preamble: &str,
    open: &[&String],
) -> Result<Vec<[bool; QUESTIONS.len()]>> {
    let mut text = preamble.to_owned();
    for (line, name) in open.iter().enumerate() {
        let (line, c) = (line + 1, in_c(name));
        let asks = [
            format!("void rsyso_f_{line}_1(void) {{ __typeof__({c}) *rsyso_1; }}"),
            format!("void rsyso_f_{line}_2(void) {{ {c} *rsyso_2; }}"),
            format!("void rsyso_f_{line}_3(void) {{ enum {{ rsyso_3 = ({c})*1 }}; }}"),
            format!("void rsyso_f_{line}_4(void) {{ static const double rsyso_4 = ({c}); }}"),
            format!("void rsyso_f_{line}_5(void) {{ static const char rsyso_5[] = ({c}); }}"),
        ];
        for (question, ask) in QUESTIONS.iter().zip(asks) {
            text.push_str(&format!("#line {line} \"rsyso-{question}\"\n{ask}\n"));
        }
    }
    text.push_str("#line 1 \"rsyso-end\"\nint rsyso_end = rsyso_no_such_name;\n");
    let flags = ["-w", "-fsyntax-only", "-fdiagnostics-color=never", "-O0"];
    let mut told = compiler
        .run(&text, &[&flags[..], &["-fmax-errors=0"]].concat())?
        .stderr;
    if !told.contains("rsyso-end:1:") {
        // clang calls it otherwise.
        told = compiler
            .run(&text, &[&flags[..], &["-ferror-limit=0"]].concat())?
            .stderr;
    }
    if !told.contains("rsyso-end:1:") {
        return Err(preamble_error(&told));
    }
    let mut wrong = vec![[false; QUESTIONS.len()]; open.len()];
    // An error in the text of a macro is told there, with a note about the line that uses it.
    let mut elsewhere = false;
    for line in told.lines() {
        let (error, note) = (line.contains(": error:"), line.contains(": note:"));
        if !(error || note && elsewhere) {
            continue;
        }
        let mut parts = line.splitn(3, ':');
        let question = parts.next().and_then(|file| file.strip_prefix("rsyso-"));
        let question = QUESTIONS.iter().position(|q| Some(*q) == question);
        let number = parts.next().and_then(|n| n.parse::<usize>().ok());
        let place = question
            .zip(number)
            .and_then(|(q, n)| wrong.get_mut(n.checked_sub(1)?)?.get_mut(q));
        match place {
            Some(place) => {
                *place = true;
                elsewhere = false;
            }
            None => elsewhere |= error,
        }
    }
    Ok(wrong)
}

/// The names of macros without parameters.
fn macros(compiler: &Compiler, preamble: &str) -> Result<BTreeSet<String>> {
    let ran = compiler.run(preamble, &["-w", "-E", "-dM"])?;
    if !ran.success {
        return Err(preamble_error(&ran.stderr));
    }
    let names = ran.stdout.lines().filter_map(|line| {
        let rest = line.strip_prefix("#define ")?;
        let name = rest.split_once(' ').map_or(rest, |(name, _)| name);
        (!name.contains('(')).then(|| name.to_owned())
    });
    Ok(names.collect())
}

/// The preamble does not compile.
pub(super) fn preamble_error(stderr: &str) -> Error {
    Error::fault(
        Problem::new("the C code in front of `import \"C\"` does not compile")
            .note(complaint(stderr))
            .help("headers are found with `#cgo CFLAGS: -I${SRCDIR}/...`"),
    )
}
