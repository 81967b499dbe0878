//! What tells Go's race detector (`-race`) of the calls that change a handle's value and of those that read it: it does not see what Rust does.
//!
//! In a file of its own each, for programs that are built with the detector and for others, where nothing is left of it. After each call a word that belongs to the value
//! is read, or written as it is. If two calls of which one changes the value were not kept apart, then neither were these accesses.

use crate::model::{Function, PointerKind};

use super::scope::Scope;

/// Whether the functions of [`text`] are called.
pub(super) fn any(scope: &Scope) -> bool {
    !scope.handles.types.is_empty()
}

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

/// What the files import.
pub(super) const IMPORTS: [&str; 1] = ["\"unsafe\""];

/// The declarations; `race`: of the file for the detector.
pub(super) fn text(race: bool) -> String {
    match race {
        true => "// rsysoHasRead tells the race detector that a call has read the Rust value of a handle.
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
        .to_string(),
        false => "// Without the race detector there is nobody to tell.
func rsysoHasRead(unsafe.Pointer)    {}
func rsysoHasChanged(unsafe.Pointer) {}"
            .to_string(),
    }
}
