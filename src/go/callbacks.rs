//! The Go side of functions that take Go functions.
//!
//! Such a call returns to Go whenever the library calls one of them, with its arguments in the library's memory, and is resumed with the
//! result (`rt/src/callback.rs`). So the Go function runs as ordinary Go code on the goroutine's own stack. The frame of the call lies in the
//! heap, since that stack may move.

use crate::arch::{Arch, Stub, rt_symbols};
use crate::model::goabi::Frame;
use crate::model::{Api, Declared, Function, Type};

use super::border::{self, Rule};
use super::handle_types::SETTLE;
use super::scope::Scope;
use super::types::{self, Row};
use super::{depart, names};

/// What a stub returns: the Go function that is called, or nil.
pub(super) const CALLBACK: &str = "rsysoCallback";
/// Answers the calls of Go functions until the library returns.
const ANSWER: &str = "rsysoAnswer";
/// The stub that goes on in the library.
const RESUME: &str = "rsysoResume";
/// Ends the program for a Go function that did not return to a library that cannot be unwound.
const ABORT: &str = "rsysoAbort";
/// As [`RESUME`], for functions that may block: the stub, and what stands before it.
const BLOCKED_RESUME: &str = "rsysoResumeAway";
/// See [`BLOCKED_RESUME`].
const BLOCKING_RESUME: &str = "rsysoResumeBlocking";

/// Whether a function of the package takes Go functions; `blocking`: one that may block.
fn any_that(api: &Api, declared: &Declared, blocking: bool) -> bool {
    let takes = |f: &Function| declared.blocks(f) == blocking && f.callbacks().next().is_some();
    api.functions().iter().any(takes)
}

/// Whether a function of the package takes Go functions.
pub(super) fn any(api: &Api) -> bool {
    let mut functions = api.functions().iter();
    functions.any(|f| f.callbacks().next().is_some())
}

/// What a package with such functions imports for a library that aborts.
pub(super) const ABORT_IMPORT: &str = "\"runtime/debug\"";

/// What all such functions share; `settles`: handles that were closed while they were used are to be dropped; `aborts`: the library was built with
/// `panic = "abort"`.
pub(super) fn native(
    api: &Api,
    declared: &Declared,
    settles: bool,
    aborts: bool,
) -> Option<String> {
    let (plain, blocking) = (
        any_that(api, declared, false),
        any_that(api, declared, true),
    );
    if !plain && !blocking {
        return None;
    }
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
    let mut text = format!(
        "// {CALLBACK} is a call of a Go function that the library waits for. It is in the library's memory.
type {CALLBACK} struct {{
\twhich  int            // which of the Go functions that the call was given
\tframe  unsafe.Pointer // its arguments, and room for its result
\tunwind bool           // set when it did not return
}}

// {ANSWER} calls the Go functions that a call into the library asks for, until that returns.
func {ANSWER}(c *{CALLBACK}, resume func(*{CALLBACK}) *{CALLBACK}, call func(*{CALLBACK})) {{
\tdefer func() {{
{ended}
\t}}()
\tfor c != nil {{
\t\tcall(c)
\t\tlast := c
\t\tc = nil // the library may panic
\t\tc = resume(last)
\t}}
}}"
    );
    if aborts {
        text += &format!(
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
        );
    }
    if plain {
        text += &format!(
            "\n\n// {RESUME} goes on in the library after a Go function has returned.\nfunc {RESUME}(c *{CALLBACK}) *{CALLBACK}"
        );
    }
    if blocking {
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
    Some(text)
}

/// The stubs that go on in the library.
pub(super) fn stubs(
    api: &Api,
    declared: &Declared,
    arch: &dyn Arch,
    wrapper: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let frame = Frame {
        callbacks: true,
        ..Frame::default()
    };
    [(RESUME, false), (BLOCKED_RESUME, true)]
        .into_iter()
        .filter(|(_, blocking)| any_that(api, declared, *blocking))
        .map(|(name, blocking)| {
            arch.stub(&Stub {
                go_name: name,
                signature: &format!("func {name}(c *{CALLBACK}) *{CALLBACK}"),
                wrapper: &wrapper(rt_symbols::RESUME),
                frame: &frame,
                // Whose call comes back is known.
                package: depart::landing(blocking),
                landing: depart::landing(blocking),
            })
        })
        .collect()
}

/// The call, by the expression `stub`, and the answers to the library; `who` is what the function is called in messages.
pub(super) fn answers(
    scope: &Scope,
    index: usize,
    who: &str,
    f: &Function,
    params: &[String],
    stub: &str,
) -> Vec<String> {
    // Not a name of the parameters.
    let c = names::unused("c", params);
    let resume = match scope.declared.blocks(f) {
        true => BLOCKING_RESUME,
        false => RESUME,
    };
    let mut lines = vec![format!(
        "\t{ANSWER}({stub}, {resume}, func({c} *{CALLBACK}) {{"
    )];
    let all = f.params.iter().zip(params).enumerate();
    let callbacks: Vec<_> = all
        .filter(|(_, (p, _))| matches!(p.ty, Type::Callback { .. }))
        .collect();
    let answer = |param: usize, ty: &Type, go: &str, indent: &str| {
        let rule = scope.border.result(index, param);
        call(scope, who, (ty, rule), go, &c, params, indent)
    };
    match callbacks.as_slice() {
        [(i, (param, go))] => lines.extend(answer(*i, &param.ty, go, "\t\t")),
        many => {
            lines.push(format!("\t\tswitch {c}.which {{"));
            for (which, (i, (param, go))) in many.iter().enumerate() {
                lines.push(format!("\t\tcase {which}:"));
                lines.extend(answer(*i, &param.ty, go, "\t\t\t"));
            }
            lines.push("\t\t}".into());
        }
    }
    lines.push("\t})".into());
    lines
}

/// Calls one Go function with what lies in its frame, whose offsets are those of Go's ABI0.
fn call(
    scope: &Scope,
    who: &str,
    (callback, rule): (&Type, Option<&Rule>),
    go: &str,
    c: &str,
    taken: &[String],
    indent: &str,
) -> Vec<String> {
    let Type::Callback {
        params,
        result,
        user,
        ..
    } = callback
    else {
        return Vec::new();
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut args = Vec::new();
    let locals = names::unused("args", taken);
    for (i, ty) in params.iter().enumerate() {
        if *user == Some(i) {
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
    let call = format!("{go}({})", args.join(", "));
    if args.is_empty() && result.is_none() {
        return vec![format!("{indent}{call}")];
    }
    let rows = fields.into_iter().map(|(name, ty)| Row::new(name, ty));
    let rows: Vec<Row> = rows.collect();
    let mut lines = vec![format!("{indent}{locals} := (*struct {{")];
    lines.extend(types::aligned(&rows).iter().map(|l| format!("{indent}{l}")));
    lines.push(format!("{indent}}})({c}.frame)"));
    match result {
        Some(ty) => {
            let given = format!("{locals}.result");
            lines.push(format!("{indent}{given} = {call}"));
            if let Some(rule) = rule {
                let (about, from) = ((rule, ty.as_ref()), (go, given.as_str()));
                lines.extend(border::result(scope, about, who, from, taken, indent));
            }
        }
        None => lines.push(format!("{indent}{call}")),
    }
    lines
}
