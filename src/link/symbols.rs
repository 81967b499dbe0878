//! What each symbol of each object stands for: the outcome of [`resolve`](super::resolve).

use super::inputs::Inputs;
use super::names::demangle;
use super::{SecRef, Target};
use crate::base::diag::Problem;
use crate::base::hash::{Map, Set};
use crate::read::Reloc;
use crate::sig::rules::owned::FREE;

/// A tentative definition (`int x;` in old C).
#[derive(Clone, Debug)]
pub struct Common {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// A power of two.
    pub align: u64,
}

/// The outcome.
#[derive(Debug)]
pub struct Symbols {
    /// By object and symbol: what it stands for. Objects that take no part have no table, and nothing outside asks for one by index.
    pub(super) targets: Vec<Option<Vec<Target>>>,
    /// Tentative definitions that won.
    pub commons: Vec<Common>,
    /// Section names `X` for which `__start_X` or `__stop_X` is asked.
    pub bounded: Vec<String>,
    /// Sections of groups that lost.
    pub(super) discarded: Set<SecRef>,
    /// Functions of the library's std that the runtime stands in front of: where the library's references lead instead.
    pub fronts: Map<(SecRef, u64), Target>,
    /// What the library raises exceptions with.
    pub raise: Option<SecRef>,
    /// The stack protector's value, which the runtime has.
    pub protector: Option<Target>,
}

impl Symbols {
    /// Whether an object takes part.
    pub fn loads(&self, obj: u32) -> bool {
        self.table(obj).is_some()
    }

    /// Whether a section can be a part of the image: its object takes part, and its group has not lost.
    pub fn admits(&self, at: SecRef) -> bool {
        self.loads(at.obj) && !self.discarded.contains(&at)
    }

    /// By symbol of an object: what each stands for; nothing for an object that takes no part.
    pub fn targets(&self, obj: u32) -> &[Target] {
        self.table(obj).unwrap_or_default()
    }

    /// What a symbol stands for where an unwind table refers to it, which describes the function itself.
    pub fn target(&self, obj: u32, sym: u32) -> Target {
        let found = self.targets(obj).get(sym as usize);
        found.copied().unwrap_or(Target::Undefined)
    }

    /// The place of each name in [`Symbols::bounded`].
    pub fn bounded_by_name(&self) -> Map<&str, usize> {
        let names = self.bounded.iter().enumerate();
        names.map(|(i, name)| (name.as_str(), i)).collect()
    }

    fn table(&self, obj: u32) -> Option<&[Target]> {
        self.targets.get(obj as usize)?.as_deref()
    }

    /// What code or data refers to. A constant above 0 leads into a function, as in a table of its own jumps: that is not what stands in front of it.
    pub fn reference(&self, inputs: &Inputs<'_>, obj: u32, reloc: &Reloc) -> Target {
        let target = self.target(obj, reloc.symbol);
        match target {
            Target::Section { at, offset, .. } if !inputs.is_runtime(obj) && reloc.addend <= 0 => {
                self.fronts.get(&(at, offset)).copied().unwrap_or(target)
            }
            _ => target,
        }
    }
}

/// Whether Rust made up the name (legacy or v0 mangling).
pub fn is_mangled(name: &str) -> bool {
    name.starts_with("_ZN") || name.starts_with("_R")
}

/// Whether a name is the runtime's or the linker's alone.
pub(super) fn is_reserved(name: &str) -> bool {
    (name.starts_with("rsyso_") && name != FREE) || name.starts_with("__rsyso_")
}

/// The error for two strong definitions of one name.
pub fn duplicate(name: &str, first: &str, second: &str) -> Problem {
    Problem::new(format!("{} is defined twice", demangle(name)))
        .at(second.to_owned())
        .note(format!("first defined in {first}"))
        .help("give one of the two another name, or leave one of the libraries out")
}
