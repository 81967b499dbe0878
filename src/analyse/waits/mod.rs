//! Which functions can wait: by which chain each reaches a system call that does not return at once.
//!
//! The graph is that of [`super::live`]: sections and what they refer to. A reference to a function counts as a call, also from a
//! vtable, so more is told than happens. Not seen is a call through a pointer that another export has put somewhere. Left out is
//! what [`cuts`] names: panics, the allocator, destructors of thread-locals.

pub mod cuts;
pub mod sources;

use self::sources::Why;
use crate::arch::Arch;
use crate::base::hash::Map;
use crate::link::Referrer;
use crate::link::inputs::Inputs;
use crate::link::names::demangle;
use crate::link::symbols::Symbols;
use crate::link::{SecRef, Target, live};
use crate::read::{Symbol, SymbolKind};
use std::collections::{BTreeMap, VecDeque};

/// A wait that a section reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Why it is one.
    pub why: Why,
    /// From the function to the C function or system call that waits, demangled.
    pub chain: Vec<String>,
}

/// All sections that reach a wait, with the next step on the shortest way there.
#[derive(Debug)]
pub struct Waits {
    next: Map<SecRef, Step>,
}

/// A step on the way to a wait, and the byte of the section that makes it, where that is known: it tells the function.
#[derive(Clone, Debug)]
struct Step {
    offset: Option<u64>,
    to: Next,
}

#[derive(Clone, Debug)]
enum Next {
    Section(SecRef),
    Wait(String, Why),
}

/// Finds the waits that the kept sections of the library reach.
pub fn find(inputs: &Inputs<'_>, symbols: &Symbols, kept: &[SecRef], arch: &dyn Arch) -> Waits {
    let mut next = Map::default();
    let mut callers: Map<SecRef, Vec<Referrer>> = Map::default();
    let mut queue = VecDeque::new();
    for at in kept.iter().copied().filter(|at| !inputs.is_runtime(at.obj)) {
        for reloc in inputs.section(at).relocs.iter() {
            if let Target::Section { at: to, .. } = symbols.target(at.obj, reloc.symbol)
                && !inputs.is_runtime(to.obj)
            {
                let offset = reloc.offset;
                callers.entry(to).or_default().push(Referrer { at, offset });
            }
        }
        if let Some(step) = own_wait(inputs, symbols, at, arch)
            && !left_out(inputs, at)
        {
            next.insert(at, step);
            queue.push_back(at);
        }
    }
    let mut known = Map::default();
    let mut looks_into = |at| *known.entry(at).or_insert_with(|| !left_out(inputs, at));
    while let Some(at) = queue.pop_front() {
        for caller in callers.remove(&at).unwrap_or_default() {
            // Few functions reach a wait, so few are asked for their names.
            if next.contains_key(&caller.at) || !looks_into(caller.at) {
                continue;
            }
            queue.push_back(caller.at);
            let step = Step {
                offset: Some(caller.offset),
                to: Next::Section(at),
            };
            next.insert(caller.at, step);
        }
    }
    Waits { next }
}

impl Waits {
    /// The wait that a function's section reaches, by the shortest chain.
    pub fn of(&self, inputs: &Inputs<'_>, at: SecRef) -> Option<Wait> {
        let mut chain = Vec::new();
        let mut step = self.next.get(&at)?;
        let mut at = at;
        loop {
            chain.push(describe(inputs, at, step.offset));
            match &step.to {
                Next::Wait(name, why) => {
                    chain.push(name.clone());
                    return Some(Wait { why: *why, chain });
                }
                Next::Section(to) => {
                    at = *to;
                    step = self.next.get(to)?;
                }
            }
        }
    }
}

/// Whether every function of a section is left out.
fn left_out(inputs: &Inputs<'_>, at: SecRef) -> bool {
    let symbols = inputs.object(at.obj).symbols_of(at.sec);
    let mut functions = symbols.filter(|s| s.kind == SymbolKind::Func).peekable();
    functions.peek().is_some() && functions.all(|s| cuts::left_out(&demangle(&s.name)))
}

/// The wait that a section itself makes: a call of one of the runtime's C functions, or a system call's instruction.
fn own_wait(inputs: &Inputs<'_>, symbols: &Symbols, at: SecRef, arch: &dyn Arch) -> Option<Step> {
    let wait = |name: &str, why, offset| Step {
        offset,
        to: Next::Wait(name.to_owned(), why),
    };
    let section = inputs.section(at);
    let mut looked_at: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for reloc in section.relocs.iter() {
        let foreign = match symbols.target(at.obj, reloc.symbol) {
            Target::Section { at: to, .. } => inputs.is_runtime(to.obj),
            Target::Undefined => true,
            _ => false,
        };
        if !foreign {
            continue;
        }
        let symbol = inputs.object(at.obj).symbols.get(reloc.symbol as usize)?;
        let name = symbol.plain();
        if sources::by_arguments(name) {
            looked_at.entry(name).or_default().push(reloc.offset);
        } else if let Some(why) = sources::why(name, &[]) {
            return Some(wait(name, why, Some(reloc.offset)));
        }
    }
    for (name, refs) in looked_at {
        for call in arch.c_calls(&section.data, &refs) {
            let found = if name == sources::SYSCALL {
                sources::system_call(&call, |n| arch.waiting_call(n))
            } else {
                sources::why(name, &call.0).map(|why| (name, why))
            };
            if let Some((name, why)) = found {
                return Some(wait(name, why, refs.first().copied()));
            }
        }
    }
    if !section.exec() {
        return None;
    }
    let calls = arch.system_calls(&section.data);
    let found = calls
        .iter()
        .find_map(|call| sources::system_call(call, |n| arch.waiting_call(n)));
    found.map(|(name, why)| wait(name, why, None))
}

/// A link of a chain: a function by its name, a table of functions by the type whose it is.
fn describe(inputs: &Inputs<'_>, at: SecRef, offset: Option<u64>) -> String {
    let section = inputs.section(at);
    if section.exec() {
        return match offset {
            Some(offset) => live::describe_at(inputs, Referrer { at, offset }),
            None => live::describe(inputs, at),
        };
    }
    // The first word of a vtable is the drop glue of its type, if that needs any.
    let object = inputs.object(at.obj);
    let glue = section.relocs.first().filter(|r| r.offset == 0);
    let glue = glue.and_then(|r| object.symbols.get(r.symbol as usize));
    let glue = glue.map(|s| demangle(&s.name)).unwrap_or_default();
    if let Some(ty) = dropped(&glue) {
        return format!("vtable of {ty}");
    }
    let is_named = |s: &&Symbol<'_>| s.kind == SymbolKind::Object && !is_anonymous(&s.name);
    let mut named = object.symbols_of(at.sec).filter(is_named);
    match (named.next(), &object.krate) {
        (Some(symbol), _) => format!("function pointers in {}", demangle(&symbol.name)),
        (None, Some(krate)) => format!("function pointers of the crate {krate}"),
        (None, None) => format!("function pointers in {}", object.name),
    }
}

/// Names that LLVM makes up for constants.
fn is_anonymous(name: &str) -> bool {
    name.starts_with("anon.") || name.starts_with(".L")
}

/// `core::ptr::drop_in_place::<T>` and the older `core::ptr::drop_in_place<T>` -> `T`.
fn dropped(glue: &str) -> Option<&str> {
    let rest = glue.strip_prefix("core::ptr::drop_in_place")?;
    let rest = rest.strip_prefix("::").unwrap_or(rest);
    rest.strip_prefix('<')?.strip_suffix('>')
}
