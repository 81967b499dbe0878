//! Whether the garbage collector may free what a handle owns.
//!
//! In C's terms one pointer type says both "lent" and "given for good". If a function took a value that the collector frees, too, it would be
//! freed twice; so the collector frees values of a type only where it is known of each function that is given one whether it takes it: by Rust's
//! types (`Box`, references), or by `--consumes`.

use std::collections::BTreeSet;

use crate::base::diag::Problem;
use crate::model::{Api, Declared};
use crate::sig::rules::consumes::may_take;

use super::handles::Handles;

/// Names listed in the note.
const LISTED: usize = 3;

/// Finds out what the collector may free, and says what it may not.
pub(super) fn decide(api: &Api, declared: &Declared, handles: &mut Handles) {
    let mut types = Vec::new();
    let mut unknown = BTreeSet::new();
    for (id, handle) in &mut handles.types {
        let others = api.functions().iter().enumerate();
        let others = others.filter(|(index, f)| {
            *index != handle.free && !declared.decides(f) && may_take(api, f, *id)
        });
        let others: Vec<&str> = others.map(|(_, f)| f.symbol.as_str()).collect();
        handle.collected = others.is_empty();
        if !handle.collected {
            types.push(handle.name.as_str());
        }
        unknown.extend(others);
    }
    let (true, functions) = (!types.is_empty(), Vec::from_iter(unknown)) else {
        return;
    };
    let note = Problem::new(format!(
        "only Close frees {}, not the garbage collector: nothing says whether {} take{} for good what a *mut leads to (say it with --consumes NAME, or --consumes '!NAME')",
        listed(&types),
        listed(&functions),
        if functions.len() == 1 { "s" } else { "" },
    ));
    handles.notes.push(note);
}

/// `a`, `b` and 2 more.
fn listed(names: &[&str]) -> String {
    let (shown, rest) = names.split_at(names.len().min(LISTED));
    let shown: Vec<String> = shown.iter().map(|name| format!("`{name}`")).collect();
    match (shown.as_slice(), rest.len()) {
        ([before @ .., last], 0) if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        (all, 0) => all.join(""),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}
