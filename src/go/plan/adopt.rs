//! The Go side of threads of the library's own that call Go functions: goroutines that run on for them (`rt/src/leave/adopt.rs`).

use crate::model::Api;

use super::callbacks::{ABORT, BLOCKING_RESUME, CALLBACK, KEPT_CALL};
use super::race::RELEASES;

/// The stub that says that the library keeps functions from now on.
pub(super) const BEGIN: &str = "rsysoKeptBegin";
/// The stub that waits for the next thread.
pub(super) const NEXT: &str = "rsysoKeptNext";
/// Has [`BEGUN`] called once.
pub(super) const BEGINS: &str = "rsysoKeptBegins";
/// What is done with the first function that the library may call.
pub(super) const BEGUN: &str = "rsysoKeptBegun";
/// The goroutine that waits for threads.
pub(super) const SERVE: &str = "rsysoServe";
/// A goroutine that runs on for one.
const ADOPT: &str = "rsysoAdopt";
/// Calls one Go function.
const ADOPTED: &str = "rsysoAdopted";

/// The statement that has threads served from the first function on that the library may call. Through cgo, Go serves them by itself.
pub(super) fn begin(cgo: bool) -> Option<String> {
    (!cgo).then(|| format!("\t{BEGINS}.Do({BEGUN})"))
}

/// What stands behind it; `aborts` as for [`super::callbacks::native`].
pub(super) fn native(api: &Api, package: &str, aborts: bool) -> Option<String> {
    api.keeps().then(|| {
        let ended = match aborts {
            false => unwinds(package),
            true => format!("\t\t{ABORT}(recover())"),
        };
        format!(
            "var {BEGINS} sync.Once

// {BEGUN} tells the library that it may keep functions.
func {BEGUN}() {{
\tif {BEGIN}() != 0 {{
\t\tgo {SERVE}()
\t}}
}}

// {BEGIN} says whether there are threads of the library's own already.
func {BEGIN}() uintptr

// {NEXT} waits for a thread of the library's own that calls a Go function. It returns nil when there are no threads any more.
func {NEXT}() *{CALLBACK}

// {SERVE} gives threads of the library's own that call Go functions a goroutine each, while there are threads.
func {SERVE}() {{
\tfor c := {NEXT}(); c != nil; c = {NEXT}() {{
\t\tgo {ADOPT}(c)
\t}}
}}

// {ADOPT} calls the Go functions that a thread of the library's own asks for, and runs on for it in between.
func {ADOPT}(c *{CALLBACK}) {{
\truntime.LockOSThread() // for good: what the library has done to its thread is not for other goroutines
\tfor c != nil {{
\t\tc = {ADOPTED}(c)
\t}}
}}

// {ADOPTED} calls one of them, and runs on until the next.
func {ADOPTED}(c *{CALLBACK}) (next *{CALLBACK}) {{
\treturned := false
\tdefer func() {{
\t\tif returned {{
\t\t\treturn
\t\t}}
{ended}
\t}}()
\t{KEPT_CALL}(c)
\treturned = true
\treturn {BLOCKING_RESUME}(c)
}}"
        )
    })
}

/// What follows when a function does not return, and the library can be unwound.
fn unwinds(package: &str) -> String {
    let told = told(package, "\t\t");
    format!(
        "\t\t// The function panicked, or ended its goroutine: the library's own functions end first. If they cannot, the program ends.
\t\tvalue := recover()
{told}
\t\t{RELEASES}()
\t\tc.unwind = true
\t\tnext = {BLOCKING_RESUME}(c)
\t\tif value == nil {{
\t\t\tif next != nil {{
\t\t\t\tgo {ADOPT}(next) // this goroutine ends
\t\t\t}}
\t\t\tnext = nil
\t\t}}"
    )
}

/// The statement that tells of a `value` that a Go function has panicked with on such a thread.
pub(super) fn told(package: &str, indent: &str) -> String {
    let what = format!("{package}: a Go function panicked on a thread of the Rust library");
    [
        "switch value := value.(type) {".to_owned(),
        "case nil:".to_owned(),
        "case error:".to_owned(),
        format!("\tprint(\"{what}: \" + value.Error() + \"\\n\")"),
        "case string:".to_owned(),
        format!("\tprint(\"{what}: \" + value + \"\\n\")"),
        "default:".to_owned(),
        format!("\tprint(\"{what}\\n\")"),
        "}".to_owned(),
    ]
    .map(|line| format!("{indent}{line}"))
    .join("\n")
}
