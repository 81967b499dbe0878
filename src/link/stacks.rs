//! Refuses libraries that switch stacks by themselves: thread-locals are found from the stack pointer, so on a stack that is no lane
//! they would be somebody else's memory.

use super::live::{self, Live, shorten};
use super::names::demangle;
use super::symbols::{Inputs, Symbols};
use super::{SecRef, Target};
use crate::diag::{Error, Kind, Problem, Result};
use crate::input::{Def, SymbolKind};
use std::collections::BTreeMap;

/// Functions that go on on another stack, and where they come from.
const FUNCTIONS: &[(&str, &str)] = &[
    ("rust_psm_on_stack", "the crate psm, which stacker uses"),
    ("rust_psm_replace_stack", "the crate psm"),
    ("bootstrap_green_task", "the crate generator"),
    ("swap_registers", "the crate generator"),
    ("jump_fcontext", "boost.context"),
    ("ontop_fcontext", "boost.context"),
    ("makecontext", "ucontext.h"),
    ("setcontext", "ucontext.h"),
    ("swapcontext", "ucontext.h"),
    ("__morestack", "code built with -fsplit-stack"),
];

/// Switches stacks with assembly inside of its functions, so there is no C name to see.
const COROSENSEI: &str = "corosensei::";

/// Refuses every live use, with its place, who needs it, and a chain from an export.
pub fn check(inputs: &Inputs<'_>, symbols: &Symbols, live: &Live) -> Result<()> {
    let mut found: BTreeMap<String, (&str, Vec<(SecRef, u64)>)> = BTreeMap::new();
    let library = live.sections.iter().copied();
    let library = library.filter(|at| !inputs.is_runtime(at.obj));
    for at in library.clone() {
        let object = inputs.object(at.obj);
        for reloc in &inputs.section(at).relocs {
            let Some(symbol) = object.symbols.get(reloc.symbol as usize) else {
                continue;
            };
            let Some((name, origin)) = FUNCTIONS.iter().find(|(name, _)| *name == symbol.name)
            else {
                continue;
            };
            // What the runtime itself provides is sound on a lane.
            let targets = symbols.targets.get(at.obj as usize);
            let target = targets.and_then(|t| t.get(reloc.symbol as usize));
            if matches!(target, Some(Target::Section { at: to, .. }) if !inputs.is_runtime(to.obj))
            {
                let uses = found.entry(name.to_string());
                uses.or_insert_with(|| (origin, Vec::new()))
                    .1
                    .push((at, reloc.offset));
            }
        }
    }
    for at in library {
        if let Some(name) = corosensei(inputs, at) {
            found.insert(name, ("the crate corosensei", vec![(at, 0)]));
            break;
        }
    }
    let problems = found
        .iter()
        .map(|(name, (origin, uses))| problem(inputs, live, name, origin, uses));
    Error::check(Kind::Unsupported, problems.collect(), ())
}

/// The name of a function of corosensei in a section.
fn corosensei(inputs: &Inputs<'_>, at: SecRef) -> Option<String> {
    if !inputs.section(at).exec() {
        return None;
    }
    // Most objects do not know the crate at all, which the mangled names tell quickly.
    let mut here = inputs.object(at.obj).symbols.iter().filter(|s| {
        s.kind == SymbolKind::Func && s.def == Def::Section(at.sec) && s.name.contains("corosensei")
    });
    here.find_map(|s| {
        let name = demangle(&s.name);
        name.trim_start_matches('<')
            .starts_with(COROSENSEI)
            .then_some(name)
    })
}

fn problem(
    inputs: &Inputs<'_>,
    live: &Live,
    name: &str,
    origin: &str,
    uses: &[(SecRef, u64)],
) -> Problem {
    let mut problem = Problem::new(format!(
        "the library switches stacks by itself: it calls {name} ({origin})"
    ));
    if let Some((at, offset)) = uses.first() {
        problem.place = Some(inputs.object(at.obj).place(at.sec, *offset));
        let chain = live.chain(*at);
        let chain: Vec<_> = chain.iter().map(|s| live::describe(inputs, *s)).collect();
        problem = problem.note(format!(
            "reached from an export: {} -> {name}",
            shorten(&chain)
        ));
    }
    problem
        .note("thread-locals are found from the stack pointer, so Rust must stay on the stack that the call got")
        .help("turn off the feature of the crate that does this, or leave out with --export the functions that need it; a deeper stack is had with --stack-size")
}
