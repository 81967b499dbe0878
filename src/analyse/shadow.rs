//! Functions of the library that stand in front of C functions by their names: std's calls lead there, as in any program of theirs, and
//! mostly nobody meant that.

use crate::base::diag::Problem;
use crate::link::Referrer;
use crate::link::exports::{is_glue, is_own_crate, is_sysroot};
use crate::link::inputs::Inputs;
use crate::link::live::{self, Live};
use crate::link::symbols::{Symbols, is_mangled};
use crate::link::{SecRef, Target};
use crate::read::{Bind, Def};
use std::collections::BTreeMap;

/// A warning for each function of the library's own Rust crates that std calls by the name of a C function.
pub fn warnings(inputs: &Inputs<'_>, symbols: &Symbols, live: &Live) -> Vec<Problem> {
    let mut found: BTreeMap<&str, (SecRef, Referrer)> = BTreeMap::new();
    let of_std = |at: &&SecRef| is_sysroot(inputs.object(at.obj));
    for at in live.sections.iter().filter(of_std) {
        for reloc in inputs.section(*at).relocs.iter() {
            let Some(symbol) = inputs.object(at.obj).symbols.get(reloc.symbol as usize) else {
                continue;
            };
            if symbol.def != Def::Undefined
                || symbol.bind == Bind::Local
                || is_mangled(&symbol.name)
                || is_glue(&symbol.name)
            {
                continue;
            }
            if let Target::Section { at: to, .. } = symbols.target(at.obj, reloc.symbol)
                && !inputs.is_runtime(to.obj)
                && is_own_crate(inputs.object(to.obj))
            {
                let (at, offset) = (*at, reloc.offset);
                let place = Referrer { at, offset };
                found.entry(&symbol.name).or_insert((to, place));
            }
        }
    }
    let warning = |(name, (to, from)): (&str, (SecRef, Referrer))| {
        Problem::new(format!(
            "`{name}` is the library's own, and std calls a C function of that name: its calls lead to the library's"
        ))
        .at(inputs.object(to.obj).name.clone())
        .note(format!("called by {}", live::describe_at(inputs, from)))
        .help("give the function another name, unless it is meant to take the C function's place")
    };
    found.into_iter().map(warning).collect()
}
