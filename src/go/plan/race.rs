//! What tells Go's race detector (`-race`) of the calls that change a handle's value and of those that read it: it does not see what Rust does.
//!
//! Where the library keeps Go functions, its own threads call them, too: the detector is told that what comes out of the library comes after all that went in.
//!
//! In a file of its own each, for programs that are built with the detector and for others, where nothing is left of it. After each call a word that belongs to the value
//! is read, or written as it is. If two calls of which one changes the value were not kept apart, then neither were these accesses.

use crate::model::{Api, Function, PointerKind};

use super::scope::Scope;

/// Whether the functions of [`text`] are called.
pub(super) fn any(scope: &Scope, api: &Api) -> bool {
    has_handles(scope) || api.keeps()
}

fn has_handles(scope: &Scope) -> bool {
    !scope.handles.types.is_empty()
}

/// Says that what Go has done so far comes before what it does from now on where it comes out of the library ([`ACQUIRES`]), on whatever goroutine: it may be the library that
/// puts them in order. Only where that keeps Go functions are there goroutines that its threads bring about.
pub(super) const RELEASES: &str = "rsysoReleases";
/// See [`RELEASES`].
pub(super) const ACQUIRES: &str = "rsysoAcquires";

/// The calls at the end of a function.
pub(super) fn calls(scope: &Scope, f: &Function, params: &[String]) -> Vec<String> {
    let all = params.iter().zip(&f.params);
    let told = all.filter_map(|(name, p)| {
        // A raw pointer says nothing of what may be done at once.
        let what = match scope.handles.of(&p.ty)?.1 {
            PointerKind::Ref => "rsysoHasRead",
            PointerKind::RefMut => "rsysoHasChanged",
            _ => return None,
        };
        Some(format!("\t{what}(unsafe.Pointer({name}))"))
    });
    told.collect()
}

/// What a file imports.
pub(super) fn imports(scope: &Scope, api: &Api, race: bool) -> Vec<&'static str> {
    let runtime = (api.keeps() && race).then_some("\"runtime\"");
    let r#unsafe = (has_handles(scope) || race).then_some("\"unsafe\"");
    runtime.into_iter().chain(r#unsafe).collect()
}

/// The declarations; `race`: of the file for the detector.
pub(super) fn text(scope: &Scope, api: &Api, race: bool) -> String {
    let border = match (api.keeps(), race) {
        (false, _) => None,
        (true, true) => Some(format!(
            "// rsysoBorder stands for all by which the library puts in order what Go functions do that it calls.
var rsysoBorder byte

// {RELEASES} tells the race detector of what comes before, on the way into the library.
func {RELEASES}() {{ runtime.RaceReleaseMerge(unsafe.Pointer(&rsysoBorder)) }}

// {ACQUIRES} tells it of what comes after, on the way out.
func {ACQUIRES}() {{ runtime.RaceAcquire(unsafe.Pointer(&rsysoBorder)) }}"
        )),
        (true, false) => Some(format!(
            "// Without the race detector there is nobody to tell.
func {RELEASES}() {{}}
func {ACQUIRES}() {{}}"
        )),
    };
    let handles = has_handles(scope).then(|| handles(race).to_owned());
    let texts: Vec<String> = handles.into_iter().chain(border).collect();
    texts.join("\n\n")
}

fn handles(race: bool) -> &'static str {
    match race {
        true => {
            "// rsysoHasRead tells the race detector that a call has read the Rust value of a handle.
//
//go:noinline
func rsysoHasRead(handle unsafe.Pointer) (raw unsafe.Pointer) {
\tif handle != nil {
\t\traw = **(**unsafe.Pointer)(handle)
\t}
\treturn raw
}

// rsysoHasChanged tells the race detector that a call may have changed the Rust value of a handle.
func rsysoHasChanged(handle unsafe.Pointer) {
\tif handle != nil {
\t\t// It begins with its cell, and that with a word that stays as it is.
\t\tvalue := *(**unsafe.Pointer)(handle)
\t\t*value = rsysoHasRead(handle)
\t}
}"
        }
        false => {
            "// Without the race detector there is nobody to tell.
func rsysoHasRead(unsafe.Pointer)    {}
func rsysoHasChanged(unsafe.Pointer) {}"
        }
    }
}
