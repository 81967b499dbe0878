//! The Go file that calls the library through cgo, where that is another than the one with native code.
//!
//! Its functions have the same bodies; what they call takes a frame as the native stubs do that are given one by reference, and hands its address to
//! the shim ([`crate::shim`]). Cgo is told a number, not a pointer: what frames lead to is for the library to see as it is for an image, and Go's
//! collector moves nothing that is in the heap. So all frames are.

use crate::base::options::CgoMachine;
use crate::model::Api;
use crate::shim::{self, Own};

use super::callbacks::{CALLBACK, KEPT_CALL};
use super::depart::{ENTER_CGO, PANIC, THROW};
use super::export::Export;
use super::request::Cgo;
use super::scope::Scope;
use super::{adopt, c_strings, kept, owned};

/// [`ENTER_CGO`] with Go functions to be called by the library.
pub(super) const ENTER_WITH: &str = "rsysoEnterWith";
/// The tag that has Go call through cgo where there is native code.
pub(super) const TAG: &str = "rsyso_cgo";
/// What the file imports.
pub(super) const IMPORTS: &[&str] = &["\"strconv\"", "\"strings\"", "\"unsafe\""];

/// A machine of the file.
pub(super) struct Machine {
    pub goos: String,
    pub goarch: String,
    /// What the go command is told of it.
    lines: Vec<String>,
}

impl Cgo<'_> {
    /// All machines, in order.
    pub(super) fn all(&self, stem: &str) -> Vec<Machine> {
        let own = self.machines.iter().map(|m| self.machine(m, stem));
        let mut all: Vec<Machine> = own.collect();
        for (goos, goarch, lines) in self.present.iter().flat_map(|p| p.machines()) {
            if !all.iter().any(|m| m.goos == goos && m.goarch == goarch) {
                all.push(Machine {
                    goos: goos.to_owned(),
                    goarch: goarch.to_owned(),
                    lines: lines.to_vec(),
                });
            }
        }
        all.sort_by(|a, b| (&a.goos, &a.goarch).cmp(&(&b.goos, &b.goarch)));
        all
    }

    fn machine(&self, m: &CgoMachine, stem: &str) -> Machine {
        let CgoMachine { goos, goarch, .. } = m;
        let libs: String = m.libs.iter().map(|lib| format!(" {lib}")).collect();
        let archive = m.archive(stem);
        let mut lines = vec![format!(
            "#cgo {goos},{goarch} LDFLAGS: ${{SRCDIR}}/{archive}{libs}"
        )];
        if let Some(real) = &m.cannot_unwind {
            let standin = shim::standin(real, &self.shim.id);
            lines.push(format!(
                "#cgo {goos},{goarch} CFLAGS: -DRSYSO_STANDIN={standin} -DRSYSO_REAL={real}"
            ));
        }
        Machine {
            goos: goos.clone(),
            goarch: goarch.clone(),
            lines,
        }
    }

    /// The C code of the file.
    pub(super) fn preamble(&self, stem: &str) -> Vec<String> {
        let [enter, departs, left, forget] = shim::FUNCTIONS.map(|name| self.shim.function(name));
        let mut lines: Vec<String> = self.all(stem).into_iter().flat_map(|m| m.lines).collect();
        let code = format!(
            "
#include <setjmp.h>
#include <stdint.h>

void *{enter}(uint32_t function, void *frame, void *back, uintptr_t context);
void *{departs}(void *from);
void *{left}(void);
void {forget}(void *departure);

#ifdef _WIN32
#define rsyso_set setjmp
#define rsyso_back longjmp
#else
#define rsyso_set _setjmp
#define rsyso_back _longjmp
#endif

// Enters the library. It comes back a second time if a panic would leave a function that cannot be unwound.
static inline void *rsyso_enter(uint32_t function, uintptr_t frame, uintptr_t context) {{
	jmp_buf back;
	if (rsyso_set(back) != 0)
		return {left}();
	return {enter}(function, (void *)frame, back, context);
}}

static inline void rsyso_forget(void *departure) {{
	{forget}(departure);
}}

#ifdef RSYSO_STANDIN
void RSYSO_REAL(void);

// What such functions call stands in for what ends the program.
__attribute__((weak)) void RSYSO_STANDIN(void) {{
	void *back = {departs}(__builtin_return_address(0));
	if (back)
		rsyso_back(*(jmp_buf *)back, 1);
	RSYSO_REAL();
}}
#endif"
        );
        lines.extend(code.lines().map(str::to_owned));
        lines
    }
}

/// What stands behind functions that take Go functions, and behind all where the library may call some in any call.
pub(super) fn callbacks(exports: &[Export<'_>], api: &Api, id: &str) -> String {
    let user = match api.keeps() {
        true => "\n\tuser  uintptr        // which function that the library keeps",
        false => "",
    };
    let given = exports.iter().any(|e| e.f.callbacks().next().is_some());
    let given = match given {
        true => given_functions(id),
        false => String::new(),
    };
    format!(
        "// {CALLBACK} is a call of a Go function by the library.
type {CALLBACK} struct {{
	which int            // which of the Go functions that the call was given
	frame unsafe.Pointer // its arguments, and room for its result{user}
}}

// rsysoContext is a call of the library that may call Go functions.
type rsysoContext struct {{
	call  func(*{CALLBACK})
	ended bool // a Go function did not return
	value any  // what it panicked with
}}

// {ENTER_WITH} is {ENTER_CGO} for a call that may call Go functions.
func {ENTER_WITH}(function uint32, frame unsafe.Pointer, call func(*{CALLBACK})) {{
	context := &rsysoContext{{call: call}}
	handle := cgo.NewHandle(context)
	defer handle.Delete()
	rsysoEnterIn(function, frame, uintptr(handle))
	if context.ended {{
		panic(context.value) // the library's own functions have ended
	}}
}}{given}"
    )
}

/// The exported function that calls those that a call was given.
fn given_functions(id: &str) -> String {
    format!(
        "

//export rsyso_callback_{id}
func rsyso_callback_{id}(context C.uintptr_t, which C.uint32_t, frame unsafe.Pointer) (returned C.uint8_t) {{
	c := cgo.Handle(context).Value().(*rsysoContext)
	defer func() {{
		if value := recover(); value != nil {{
			c.ended, c.value = true, value
		}}
	}}()
	c.call(&{CALLBACK}{{which: int(which), frame: frame}})
	return 1
}}"
    )
}

/// What stands behind functions that the library may call in any call, and on threads of its own.
pub(super) fn in_any_call(api: &Api, scope: &Scope, package: &str, id: &str) -> Option<String> {
    if !api.keeps() {
        return None;
    }
    let called = kept::called(api, scope, package, true);
    let told = adopt::told(package, "\t\t\t");
    let throw = match api.kept().is_empty() {
        true => String::new(),
        false => format!("\n\n{THROW}"),
    };
    Some(format!(
        "{called}

//export rsyso_called_{id}
func rsyso_called_{id}(context C.uintptr_t, which C.uint32_t, user C.uintptr_t, frame unsafe.Pointer) (returned C.uint8_t) {{
	defer func() {{
		value := recover()
		if value != nil && context != 0 {{
			c := cgo.Handle(context).Value().(*rsysoContext)
			c.ended, c.value = true, value
			return
		}}
{told}
	}}()
	{KEPT_CALL}(&{CALLBACK}{{which: int(which), frame: frame, user: uintptr(user)}})
	return 1
}}{throw}"
    ))
}

/// What the file imports for them.
pub(super) const CALLBACK_IMPORT: &str = "\"runtime/cgo\"";

/// What all functions of the file stand on.
pub(super) fn support() -> String {
    format!(
        "// rsysoDeparture is what the library says when a call does not return. The texts are its own.
type rsysoDeparture struct {{
	message, file string
	line          int
}}

// {ENTER_CGO} calls a function of the library, by its number. The frame holds what it takes and gives.
func {ENTER_CGO}(function uint32, frame unsafe.Pointer) {{
	rsysoEnterIn(function, frame, 0)
}}

// rsysoEnterIn is {ENTER_CGO} with what the Go functions are known by that the call may call.
func rsysoEnterIn(function uint32, frame unsafe.Pointer, context uintptr) {{
	if rsysoNever {{
		rsysoHeld = frame
	}}
	left := C.rsyso_enter(C.uint32_t(function), C.uintptr_t(uintptr(frame)), C.uintptr_t(context))
	if left == nil {{
		return
	}}
	d := (*rsysoDeparture)(left)
	p := &{PANIC}{{Message: strings.Clone(d.message), File: strings.Clone(d.file), Line: d.line}}
	C.rsyso_forget(left)
	panic(p)
}}

// What the compiler cannot tell: that frames stay where they are is what puts them into the heap.
var (
	rsysoNever bool
	rsysoHeld  unsafe.Pointer
)"
    )
}

/// The functions of the library's that no export is.
pub(super) fn own(api: &Api) -> Vec<String> {
    let enter = |own| {
        format!(
            "{ENTER_CGO}({}, unsafe.Pointer(&frame))",
            shim::number(api, own)
        )
    };
    let mut all = Vec::new();
    if api.gives_memory() {
        all.push(format!(
            "{} {{
	frame := struct {{
		ptr         unsafe.Pointer
		size, align uint
	}}{{ptr, size, align}}
	{}
}}",
            owned::FREE_SIGNATURE,
            enter(Own::Free)
        ));
    }
    if api.has_c_strings() {
        let [malloc, free, strlen] = c_strings::STUBS.map(|(_, signature)| signature);
        all.push(format!(
            "{malloc} {{
	frame := struct {{
		size   uint
		result unsafe.Pointer
	}}{{size: size}}
	{}
	return frame.result
}}

{free} {{
	frame := struct{{ p unsafe.Pointer }}{{p}}
	{}
}}

{strlen} {{
	frame := struct {{
		text   *int8
		result uint
	}}{{text: text}}
	{}
	return frame.result
}}",
            enter(Own::Malloc),
            enter(Own::CFree),
            enter(Own::Strlen)
        ));
    }
    all
}
