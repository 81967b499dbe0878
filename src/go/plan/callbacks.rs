//! The Go side of functions that take Go functions.
//!
//! Such a call returns to Go whenever the library calls one of them, with its arguments in the library's memory, and is resumed with the
//! result (`rt/src/leave/callback.rs`). So the Go function runs as ordinary Go code on the goroutine's own stack. The frame of the call lies in the
//! heap, since that stack may move.

use crate::base::identifiers as names;
use crate::contract::{Shown, symbols};
use crate::go::package::Stub;
use crate::model::Type;
use crate::model::goabi::Frame;

use super::border::{self, Looks};
use super::border_rules::Rule;
use super::depart;
use super::export::{CallSite, Export};
use super::handle_types::SETTLE;
use super::manner::Manner;
use super::runtime_structs::{self, Field};
use super::scope::Scope;
use super::types::{self, Row};

/// What a stub returns: the Go function that is called, or nil.
pub(super) const CALLBACK: &str = Shown::GO.name;
/// Answers the calls of Go functions until the library returns.
const ANSWER: &str = "rsysoAnswer";
/// Calls a Go function that the library keeps.
pub(super) const KEPT_CALL: &str = "rsysoCallKept";
/// The stub that goes on in the library.
const RESUME: &str = "rsysoResume";
/// Ends the program for a Go function that did not return to a library that cannot be unwound.
pub(super) const ABORT: &str = "rsysoAbort";
/// As [`RESUME`], for functions whose calls never become system calls of Go's.
const BARE_RESUME: &str = "rsysoResumeBare";
/// As [`RESUME`], for functions that may block: the stub, and what stands before it.
const BLOCKED_RESUME: &str = "rsysoResumeAway";
/// See [`BLOCKED_RESUME`].
pub(super) const BLOCKING_RESUME: &str = "rsysoResumeBlocking";

/// What goes on in the library for an export, and the stub of that.
fn resumes(manner: Manner) -> (&'static str, &'static str) {
    match manner {
        Manner::Polite => (RESUME, RESUME),
        Manner::Bare => (BARE_RESUME, BARE_RESUME),
        Manner::Blocking => (BLOCKING_RESUME, BLOCKED_RESUME),
    }
}

/// In which manners the library is gone on with: those of the exports that take Go functions, and, if it keeps some, that of its own threads.
fn manners(exports: &[Export<'_>], keeps: bool) -> impl Iterator<Item = Manner> {
    let all = [Manner::Polite, Manner::Bare, Manner::Blocking];
    all.into_iter().filter(move |manner| {
        let mut takes = exports.iter().filter(|e| e.frame.callbacks);
        takes.any(|e| e.manner() == *manner) || (keeps && *manner == Manner::Blocking)
    })
}

/// What a package with such functions imports for a library that aborts.
pub(super) const ABORT_IMPORT: &str = "\"runtime/debug\"";

/// What all such functions share; `keeps`: the library keeps others; `settles`: handles that were closed while they were used are to be dropped; `aborts`: the library was built with
/// `panic = "abort"`.
pub(super) fn native(
    exports: &[Export<'_>],
    keeps: bool,
    settles: bool,
    aborts: bool,
) -> Option<String> {
    manners(exports, keeps).next()?;
    let settle = match settles {
        true => format!("\n\t\t\t{SETTLE}(nil)"),
        false => String::new(),
    };
    let ended = match aborts {
        false => format!(
            "\t\t// A Go function panicked, or ended its goroutine: before that goes on, the library's own functions end.
\t\tif last := c; last != nil {{
\t\t\tc = nil
\t\t\tlast.unwind = true
\t\t\t{ANSWER}(resume(last), resume, call){settle}
\t\t}}"
        ),
        true => format!(
            "\t\t// A Go function panicked, or ended its goroutine: the library's own functions cannot end.
\t\tif c != nil {{
\t\t\t{ABORT}(recover())
\t\t}}"
        ),
    };
    let fields = runtime_structs::fields(Shown::GO, |field| match field {
        "which" => Field::Told("which of the Go functions that the call was given"),
        "frame" => Field::Told("its arguments, and room for its result"),
        "user" if keeps => Field::Told("which function that the library keeps, or 0"),
        "user" => Field::Blank("the library keeps no functions"),
        _ => Field::Told("set when it did not return"),
    });
    let mut text = format!(
        "// {CALLBACK} is a call of a Go function that the library waits for. It is in the library's memory.
type {CALLBACK} struct {{
{fields}
}}"
    );
    if exports.iter().any(|e| e.frame.callbacks) {
        text += &answer(keeps, &ended);
    }
    if aborts {
        text += &abort();
    }
    text += &resumed(exports, keeps);
    Some(text)
}

/// What answers the calls of Go functions; `ended` goes on where one did not return.
fn answer(keeps: bool, ended: &str) -> String {
    let call = match keeps {
        true => format!(
            "\t\tif c.user != 0 {{\n\t\t\t{KEPT_CALL}(c)\n\t\t}} else {{\n\t\t\tcall(c)\n\t\t}}"
        ),
        false => "\t\tcall(c)".to_owned(),
    };
    format!(
        "\n\n// {ANSWER} calls the Go functions that a call into the library asks for, until that returns.
func {ANSWER}(c *{CALLBACK}, resume func(*{CALLBACK}) *{CALLBACK}, call func(*{CALLBACK})) {{
\tdefer func() {{
{ended}
\t}}()
\tfor c != nil {{
{call}
\t\tlast := c
\t\tc = nil // the library may panic
\t\tc = resume(last)
\t}}
}}"
    )
}

/// What goes on in the library.
fn resumed(exports: &[Export<'_>], keeps: bool) -> String {
    let mut text = String::new();
    for manner in manners(exports, keeps) {
        let (resume, _) = resumes(manner);
        if manner != Manner::Blocking {
            text += &format!(
                "\n\n// {resume} goes on in the library after a Go function has returned.\nfunc {resume}(c *{CALLBACK}) *{CALLBACK}"
            );
            continue;
        }
        let (enter, exit) = (depart::ENTER, depart::EXIT);
        text += &format!(
            "\n\n// {BLOCKING_RESUME} goes on in the library after a Go function has returned, and tells the scheduler.
//
//go:nosplit
func {BLOCKING_RESUME}(c *{CALLBACK}) *{CALLBACK} {{
\t{enter}()
\tc = {BLOCKED_RESUME}(c)
\t{exit}()
\treturn c
}}

func {BLOCKED_RESUME}(c *{CALLBACK}) *{CALLBACK}"
        );
    }
    text
}

/// What ends the program for a Go function that did not return.
fn abort() -> String {
    format!(
            "\n\n// {ABORT} ends the program with what a Go function panicked with. The library was built with panic = \"abort\": its functions that
// called it cannot be unwound, so nothing could run what is left of them.
func {ABORT}(value any) {{
\tif value == nil {{
\t\tvalue = \"a Go function that the Rust library called ended its goroutine\"
\t}}
\tdebug.SetTraceback(\"crash\") // SIGABRT at the end, as for a panic of the library's own
\tgo panic(value)
\tselect {{}}
}}"
        )
}

/// The stubs that go on in the library.
pub(super) fn stubs(exports: &[Export<'_>], keeps: bool) -> Vec<Stub> {
    let frame = Frame {
        callbacks: true,
        ..Frame::default()
    };
    let stub = |manner| {
        let (_, name) = resumes(manner);
        Stub {
            name: name.to_owned(),
            signature: format!("func {name}(c *{CALLBACK}) *{CALLBACK}"),
            wraps: symbols::RESUME.to_owned(),
            frame: frame.clone(),
            package: depart::LANDING,
            landing: depart::landing(manner),
            in_macro: false,
        }
    };
    manners(exports, keeps).map(stub).collect()
}

/// The call, by the expression `stub`, and the answers to the library.
pub(super) fn answers(export: &Export<'_>, site: &CallSite<'_>, stub: &str) -> Vec<String> {
    let (resume, _) = resumes(export.manner());
    if export.f.callbacks().next().is_none() {
        // Those that the library keeps are its own.
        return vec![match export.cgo {
            true => format!("\t{stub}, nil)"),
            false => format!("\t{ANSWER}({stub}, {resume}, nil)"),
        }];
    }
    // Not a name of the parameters.
    let c = names::unused("c", site.taken);
    let mut lines = vec![match export.cgo {
        true => format!("\t{stub}, func({c} *{CALLBACK}) {{"),
        false => format!("\t{ANSWER}({stub}, {resume}, func({c} *{CALLBACK}) {{"),
    }];
    let all = export.f.params.iter().zip(site.taken).enumerate();
    let callbacks = all.filter(|(_, (p, _))| matches!(p.ty, Type::Callback { .. }));
    let callbacks: Vec<Answer<'_>> = callbacks
        .map(|(param, (p, go))| Answer {
            looks: Looks {
                scope: export.scope,
                who: site.who,
                taken: site.taken,
            },
            callback: &p.ty,
            rule: export.scope.border.result(export.index, param),
            go,
            frame: format!("{c}.frame"),
        })
        .collect();
    match callbacks.as_slice() {
        [one] => lines.extend(one.call("\t\t")),
        many => {
            lines.push(format!("\t\tswitch {c}.which {{"));
            for (which, answer) in many.iter().enumerate() {
                lines.push(format!("\t\tcase {which}:"));
                lines.extend(answer.call("\t\t\t"));
            }
            lines.push("\t\t}".into());
        }
    }
    lines.push("\t})".into());
    lines
}

/// The call of one Go function for the library.
pub(super) struct Answer<'a> {
    pub looks: Looks<'a>,
    /// Its type.
    pub callback: &'a Type,
    /// What its result must be.
    pub rule: Option<&'a Rule>,
    /// The Go function.
    pub go: &'a str,
    /// An expression for its frame.
    pub frame: String,
}

impl Answer<'_> {
    /// The call with what lies in its frame, whose offsets are those of Go's ABI0.
    pub fn call(&self, indent: &str) -> Vec<String> {
        let Type::Callback {
            params,
            result,
            user,
            ..
        } = self.callback
        else {
            return Vec::new();
        };
        let Looks { scope, taken, .. } = self.looks;
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut args = Vec::new();
        let locals = names::unused("args", taken);
        for (i, ty) in params.iter().enumerate() {
            if user.is_some_and(|data| data.place == i) {
                fields.push(("_".into(), "uintptr".into()));
                continue;
            }
            fields.push((format!("p{i}"), types::go_type(scope, ty)));
            args.push(format!("{locals}.p{i}"));
        }
        if let Some(ty) = result {
            // Results begin at a word.
            fields.push(("_".into(), "[0]uint64".into()));
            fields.push(("result".into(), types::go_type(scope, ty)));
        }
        let call = format!("{}({})", self.go, args.join(", "));
        if args.is_empty() && result.is_none() {
            return vec![format!("{indent}{call}")];
        }
        let rows = fields.into_iter().map(|(name, ty)| Row::new(name, ty));
        let rows: Vec<Row> = rows.collect();
        let mut lines = vec![format!("{indent}{locals} := (*struct {{")];
        lines.extend(types::aligned(&rows).iter().map(|l| format!("{indent}{l}")));
        lines.push(format!("{indent}}})({})", self.frame));
        let Some(ty) = result else {
            lines.push(format!("{indent}{call}"));
            return lines;
        };
        let given = format!("{locals}.result");
        lines.push(format!("{indent}{given} = {call}"));
        if let Some(rule) = self.rule {
            let result = border::GoResult {
                go: self.go,
                place: &given,
                ty,
            };
            lines.extend(border::result(&self.looks, rule, &result, indent));
        }
        lines
    }
}

/// A function that calls a Go function which the library keeps, as the last argument of another.
pub(super) struct Called {
    /// Which of the kept ones it is.
    pub id: usize,
    /// What its parameter is called.
    frame: String,
    lines: Vec<String>,
}

impl Called {
    /// The one that calls the Go function `f`, of this type.
    pub fn new(scope: &Scope, id: usize, ty: &Type, who: &str, f: &str) -> Called {
        let frame = names::unused("frame", &[f.to_owned()]);
        let taken = [f.to_owned(), frame.clone()];
        let answer = Answer {
            looks: Looks {
                scope,
                who,
                taken: &taken,
            },
            callback: ty,
            rule: scope.border.kept(id),
            go: f,
            frame: frame.clone(),
        };
        let lines = answer.call("\t\t");
        Called { id, frame, lines }
    }

    /// A statement with it, of which `before` are the first words and `behind` the last.
    pub fn passed(&self, before: &str, behind: &str) -> Vec<String> {
        let mut all = vec![format!("{before}, func({} unsafe.Pointer) {{", self.frame)];
        all.extend_from_slice(&self.lines);
        all.push(format!("\t}}{behind}"));
        all
    }
}
