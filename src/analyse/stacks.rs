//! Refuses libraries that switch stacks by themselves: thread-locals are found from the stack pointer, so on a stack that is no lane
//! they would be somebody else's memory.

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::hash::Map;
use crate::link::Referrer;
use crate::link::inputs::Inputs;
use crate::link::live::{self, Live, shorten};
use crate::link::names::demangle;
use crate::link::symbols::{Symbols, is_mangled};
use crate::link::{SecRef, Target};
use crate::read::{Def, Symbol, SymbolKind};
use memchr::memmem;
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
    let names = names(inputs, symbols);
    let mut found: BTreeMap<String, Use<'_>> = BTreeMap::new();
    for at in live.sections.iter().copied() {
        let Some(names) = names.get(&at.obj) else {
            continue;
        };
        for reloc in inputs.section(at).relocs.iter() {
            if let Some((name, origin)) = names.get(&{ reloc.symbol }) {
                found.entry(name.to_string()).or_insert(Use {
                    origin,
                    place: Referrer {
                        at,
                        offset: reloc.offset,
                    },
                });
            }
        }
    }
    found.extend(corosensei(inputs, live));
    let problems = found
        .iter()
        .map(|(name, found)| problem(inputs, live, name, found));
    Error::check(Kind::Unsupported, problems.collect(), ())
}

/// The first use of a function.
struct Use<'a> {
    origin: &'a str,
    place: Referrer,
}

type Known = &'static (&'static str, &'static str);

/// By object and symbol: the functions of the list. What the runtime itself provides is sound on a lane.
fn names(inputs: &Inputs<'_>, symbols: &Symbols) -> Map<u32, Map<u32, Known>> {
    let mut names: Map<u32, Map<u32, Known>> = Map::default();
    for (obj, object) in inputs.objects.iter().enumerate() {
        let obj = obj as u32;
        let targets = symbols.targets(obj);
        for (sym, (symbol, target)) in object.symbols.iter().zip(targets).enumerate() {
            if is_mangled(&symbol.name) {
                continue;
            }
            let plain = symbol.plain();
            let found = FUNCTIONS.iter().find(|(name, _)| *name == plain);
            if let (Some(known), Target::Section { at, .. }) = (found, target)
                && !inputs.is_runtime(at.obj)
            {
                names.entry(obj).or_default().insert(sym as u32, known);
            }
        }
    }
    names
}

/// The first live function of corosensei.
fn corosensei<'a>(inputs: &Inputs<'_>, live: &Live) -> Option<(String, Use<'a>)> {
    let crate_name = memmem::Finder::new("corosensei");
    let named = |s: &&Symbol<'_>| {
        s.kind == SymbolKind::Func && crate_name.find(s.name.as_bytes()).is_some()
    };
    for (obj, object) in inputs.objects.iter().enumerate() {
        // Few libraries know the crate, which the mangled names tell quickly.
        for symbol in object.symbols.iter().filter(named) {
            let Def::Section(sec) = symbol.def else {
                continue;
            };
            let obj = obj as u32;
            let at = SecRef { obj, sec };
            let name = demangle(&symbol.name);
            if live.keeps(at) && name.trim_start_matches('<').starts_with(COROSENSEI) {
                let origin = "the crate corosensei";
                let offset = symbol.value;
                let place = Referrer { at, offset };
                return Some((name, Use { origin, place }));
            }
        }
    }
    None
}

fn problem(inputs: &Inputs<'_>, live: &Live, name: &str, found: &Use<'_>) -> Problem {
    let mut chain = live::path(inputs, live, found.place);
    if chain.last().is_none_or(|last| last != name) {
        chain.push(name.to_owned());
    }
    let origin = found.origin;
    Problem::new(format!(
        "the library switches stacks by itself: it calls {name} ({origin})"
    ))
    .at(inputs.object(found.place.at.obj).place(found.place.at.sec, found.place.offset))
    .note(format!("reached from an export: {}", shorten(&chain)))
    .note("thread-locals are found from the stack pointer, so Rust must stay on the stack that the call got")
    .help("turn off the feature of the crate that does this, or leave out the functions that need it with --export '!NAME'; --stack-size gives a deeper stack")
}
