//! The Go side of calls that do not return: a panic in the library, the end of its stack, a wild access (`rt/src/leave/departure.rs`).
//!
//! The runtime goes on in an assembly function of the package, on the goroutine's own stack, with a pointer to what it has to say; that
//! calls an ordinary Go function, which panics. It goes on there, too, with a call that is to become a system call of Go's
//! (`rt/src/leave/polite.rs`). None of the names but `Panic` is exported, and no Rust name can become one of them.

use crate::arch::Landing;
use crate::contract::{Departure, symbols};
use crate::go::package::{Declaration, Item, Kind, Routine, Stub};

use crate::model::goabi::{Frame, WORD};

use super::manner::Manner;
use super::runtime_structs::{self, Field};

/// The type of the panics' values.
pub(super) const PANIC: &str = "Panic";
/// The assembly function in which the runtime goes on with a call that becomes no system call; its address tells the package from copies of it.
pub(super) const LANDING: &str = "rsysoLanding";
/// As [`LANDING`], for calls that may block: the scheduler has to be told that they are over.
const BLOCKED_LANDING: &str = "rsysoBlockedLanding";
/// The Go function that [`BLOCKED_LANDING`] calls.
const BLOCKED_DEPART: &str = "rsysoDepartBlocked";
/// The scheduler's, before and after a call that may block.
pub(super) const ENTER: &str = "rsysoEntersyscall";
/// See [`ENTER`].
pub(super) const EXIT: &str = "rsysoExitsyscall";
/// What enters the library through cgo ([`super::cgo`]).
pub(super) const ENTER_CGO: &str = "rsysoEnter";
/// The Go function that the landings call.
const DEPART: &str = "rsysoDepart";
/// The stub that goes on in the library with a call that has become a system call.
const GO_ON: &str = "rsysoGoOn";
/// The stub of [`crate::wrappers::forget`].
pub(super) const FORGET: &str = "rsysoForget";

/// What the files of a package import for this, on the platforms with native code and on the others.
pub(super) const NATIVE_IMPORTS: &[&str] = &["\"strconv\"", "\"strings\"", "\"unsafe\""];
/// See [`NATIVE_IMPORTS`].
pub(super) const OTHER_IMPORTS: &[&str] = &["\"strconv\""];

/// The exported type, the same on every platform.
pub(super) fn panic_type(package: &str) -> [Item; 2] {
    let ty = format!(
        "type {PANIC} struct {{
\tMessage string // what the panic said
\tFile    string // the Rust source file, empty when it is not known
\tLine    int    // its line, 0 when it is not known
}}"
    );
    let method = format!("func (p *{PANIC}) Error() string");
    [
        Declaration::new(Kind::Type, PANIC, ty)
            .doc([
                format!("{PANIC} is the value of the Go panic that a panic in the Rust library becomes. Running out of stack there is one, too."),
                "After recover the library can be used as before.".to_owned(),
            ])
            .into(),
        Declaration::new(Kind::Func, format!("{PANIC}.Error"), method)
            .doc(["Error returns the message and where it comes from."])
            .body([
                "\tif p.File == \"\" {".to_owned(),
                format!("\t\treturn \"{package}: \" + p.Message"),
                "\t}".to_owned(),
                format!("\treturn \"{package}: \" + p.Message + \" (\" + p.File + \":\" + strconv.Itoa(p.Line) + \")\""),
            ])
            .into(),
    ]
}

/// What stands behind it where there is native code.
pub(super) fn native(package: &str) -> String {
    let departure = Departure::GO.name;
    let fields = runtime_structs::fields(Departure::GO, |field| match field {
        "refused" => Field::Told("the call has not begun, for what it was given"),
        _ => Field::Named,
    });
    format!(
        "// {departure} is what the library says when a call does not return. The texts are its own until {FORGET}.
type {departure} struct {{
{fields}
}}

// {DEPART} goes on where a call did not return.
func {DEPART}(d *{departure}) {{
\tif d.fatal {{
\t\trsysoThrow(\"{package}: \" + d.message)
\t}}
\tp := &{PANIC}{{Message: strings.Clone(d.message), File: strings.Clone(d.file), Line: d.line}}
\trefused := d.refused
\tif !d.kept {{
\t\t{FORGET}(unsafe.Pointer(d))
\t}}
\tif refused {{
\t\tpanic(p.Message)
\t}}
\tpanic(p)
}}

// {LANDING} calls {DEPART} with what the library left in a register.
func {LANDING}()

//go:noescape
func {FORGET}(departure unsafe.Pointer)

// {GO_ON} goes on in the library until the call does not return (departure), has a Go function called (callback), or is over.
func {GO_ON}(lane uintptr) (departure, callback unsafe.Pointer)

{THROW}"
    )
}

/// What ends the program.
pub(super) const THROW: &str = "// rsysoThrow ends the program with a trace, for what cannot be recovered: memory that is no longer what it should be.
//
//go:linkname rsysoThrow runtime.throw
func rsysoThrow(message string)";

/// What calls that may block need, if there are any.
pub(super) fn blocking(any: bool) -> Option<String> {
    let departure = Departure::GO.name;
    any.then(|| {
        format!(
            "// {ENTER} and {EXIT} tell the scheduler that the thread is away, as for a system call.
//
//go:linkname {ENTER} runtime.entersyscall
func {ENTER}()

//go:linkname {EXIT} runtime.exitsyscall
func {EXIT}()

// {BLOCKED_DEPART} is {DEPART} for a call that the scheduler was told of.
//
//go:nosplit
func {BLOCKED_DEPART}(d *{departure}) {{
\t{EXIT}()
\t{DEPART}(d)
}}

// {BLOCKED_LANDING} calls {BLOCKED_DEPART} with what the library left in a register.
func {BLOCKED_LANDING}()"
        )
    })
}

/// Where the runtime goes on with a call that is not to go on as it is.
pub(super) fn landing(manner: Manner) -> Landing<'static> {
    match manner {
        Manner::Polite => Landing::Away,
        Manner::Bare => Landing::Stays(LANDING),
        Manner::Blocking => Landing::Stays(BLOCKED_LANDING),
    }
}

/// The stub that goes on in the library with a call that has become a system call. It makes no call, but continues one.
pub(super) fn go_on() -> Stub {
    Stub {
        name: GO_ON.to_owned(),
        signature: format!("func {GO_ON}(lane uintptr) (departure, callback unsafe.Pointer)"),
        wraps: symbols::GO_ON.to_owned(),
        frame: Frame {
            size: 3 * WORD,
            ..Frame::default()
        },
        package: LANDING,
        landing: landing(Manner::Bare),
        in_macro: false,
    }
}

/// What stubs begin with whose calls may become system calls of Go's; `keeps`: what it needs for functions that the library keeps.
pub(super) fn away(keeps: Option<(&'static str, &'static str)>) -> Routine {
    Routine::Away {
        go_on: GO_ON,
        depart: DEPART,
        keeps,
    }
}

/// The landings; `blocking`: there are calls that may block.
pub(super) fn landings(blocking: bool) -> Vec<Routine> {
    let mut all = vec![Routine::Landing {
        name: LANDING,
        then: DEPART,
    }];
    if blocking {
        all.push(Routine::Landing {
            name: BLOCKED_LANDING,
            then: BLOCKED_DEPART,
        });
    }
    all
}
