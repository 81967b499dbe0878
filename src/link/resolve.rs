//! Symbol resolution: strong, weak, common and COMDAT rules; archive members are pulled in when they define something needed.
//!
//! There are two namespaces. The library's objects see each other and the runtime's C names; the runtime's objects see only
//! each other and what the linker defines, so its Rust symbols never meet the library's.
//!
//! For a reference of the library, in this order: a strong definition of the library; the runtime's; a weak one of the library, or
//! one of a libc bundled in the archive. Names that begin with `rsyso_` and `__rsyso_` are the runtime's and the linker's alone;
//! the library's is what rsyso-ffi exports.

use super::inputs::Inputs;
use super::interpose::{self, Found};
use super::symbols::{Common, Symbols, duplicate, is_mangled, is_reserved};
use super::{Linker, SecRef, Target};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::hash::{Map, Set};
use crate::contract::symbols;
use crate::read::{self, Bind, Def, Object, Symbol, SymbolKind, Visibility};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    BundledLibc,
    Weak,
    Common,
    Strong,
}

#[derive(Clone, Copy, Debug)]
struct Definition {
    obj: u32,
    sym: u32,
    strength: Strength,
}

#[derive(Default)]
struct Namespace<'a> {
    /// Definitions of loaded objects.
    defined: Map<&'a str, Definition>,
    /// First lazy object that defines a name; a strong definition is preferred over an earlier weak one.
    index: Map<&'a str, Definition>,
    commons: Map<&'a str, Common>,
}

struct Resolver<'a, 'd> {
    inputs: &'a Inputs<'d>,
    backtraces: bool,
    spaces: [Namespace<'a>; 2],
    /// C names that the runtime offers to the library.
    offered: Set<&'a str>,
    /// Those that it offers where the library has none: weak ones.
    spare: Set<&'a str>,
    /// What the runtime needs of the library's std.
    /// In order: one of several that have equal code, and so one place, counts.
    std: BTreeMap<&'static str, Found>,
    loaded: Vec<bool>,
    groups: Map<(usize, &'a str), u32>,
    discarded: Set<SecRef>,
    queue: Vec<u32>,
    problems: Vec<Problem>,
}

/// Resolves all names, starting from the objects that are no archive members, and those of the roots. `backtraces` says whether reports of panics are to
/// have theirs.
pub fn resolve<'d>(inputs: &Inputs<'d>, roots: &[SecRef], backtraces: bool) -> Result<Symbols> {
    let mut r = Resolver {
        inputs,
        backtraces,
        spaces: Default::default(),
        offered: Set::default(),
        spare: Set::default(),
        std: interpose::find(inputs),
        loaded: vec![false; inputs.objects.len()],
        groups: Map::default(),
        discarded: Set::default(),
        queue: Vec::new(),
        problems: Vec::new(),
    };
    r.index();
    for obj in 0..inputs.objects.len() as u32 {
        if !inputs.object(obj).lazy {
            r.load(obj);
        }
    }
    roots.iter().for_each(|root| r.load(root.obj));
    while let Some(obj) = r.queue.pop() {
        r.pull_references(obj);
    }
    let problems = std::mem::take(&mut r.problems);
    Error::check(Kind::Fault, problems, ())?;
    Ok(r.finish())
}

impl<'a, 'd> Resolver<'a, 'd> {
    fn space(&self, obj: u32) -> usize {
        usize::from(self.inputs.is_runtime(obj))
    }

    fn index(&mut self) {
        for (obj, object) in self.inputs.objects.iter().enumerate() {
            let obj = obj as u32;
            let space = self.space(obj);
            for (sym, symbol) in object.symbols.iter().enumerate() {
                let Some(strength) = strength(object, symbol) else {
                    continue;
                };
                if space == 1
                    && object.krate.as_deref() == Some("rsyso_rt")
                    && symbol.visibility == Visibility::Default
                    && !is_mangled(&symbol.name)
                {
                    match strength {
                        Strength::Strong => drop(self.offered.insert(&symbol.name)),
                        Strength::Weak => drop(self.spare.insert(&symbol.name)),
                        Strength::Common | Strength::BundledLibc => {}
                    }
                }
                for name in symbol.names().filter(|_| object.lazy) {
                    let new = Definition {
                        obj,
                        sym: sym as u32,
                        strength,
                    };
                    let entry = self.spaces[space].index.entry(name).or_insert(new);
                    if strength > entry.strength {
                        *entry = new;
                    }
                }
            }
        }
    }

    fn load(&mut self, obj: u32) {
        if std::mem::replace(&mut self.loaded[obj as usize], true) {
            return;
        }
        let object = self.inputs.object(obj);
        let space = self.space(obj);
        for group in object.groups.iter().filter(|g| g.comdat) {
            let owner = *self.groups.entry((space, &group.signature)).or_insert(obj);
            if owner != obj {
                let lost = group.sections.iter().map(|sec| SecRef { obj, sec: *sec });
                self.discarded.extend(lost);
            }
        }
        for (sym, symbol) in object.symbols.iter().enumerate() {
            if let Some(strength) = strength(object, symbol) {
                let new = Definition {
                    obj,
                    sym: sym as u32,
                    strength,
                };
                symbol
                    .names()
                    .for_each(|name| self.define(space, name, new));
            }
        }
        self.queue.push(obj);
    }

    fn define(&mut self, space: usize, name: &'a str, new: Definition) {
        let symbol = &self.inputs.object(new.obj).symbols[new.sym as usize];
        if let Def::Section(sec) = symbol.def
            && self.discarded.contains(&SecRef { obj: new.obj, sec })
        {
            return;
        }
        if new.strength == Strength::Common {
            let common = self.spaces[space].commons.entry(name).or_insert(Common {
                name: name.to_owned(),
                size: 0,
                align: 1,
            });
            common.size = common.size.max(symbol.size);
            common.align = common.align.max(symbol.value.max(1).next_power_of_two());
        }
        let old = *self.spaces[space].defined.entry(name).or_insert(new);
        if new.strength > old.strength {
            self.spaces[space].defined.insert(name, new);
        } else if new.strength == Strength::Strong
            && old.strength == Strength::Strong
            && old.obj != new.obj
        {
            let (first, second) = (self.inputs.object(old.obj), self.inputs.object(new.obj));
            self.problems
                .push(duplicate(name, &first.name, &second.name));
        }
    }

    fn pull_references(&mut self, obj: u32) {
        let object = self.inputs.object(obj);
        for symbol in &object.symbols {
            if symbol.def == Def::Undefined && symbol.bind == Bind::Global {
                self.pull(self.space(obj), &symbol.name);
            }
        }
    }

    /// Loads the lazy object that a reference to `name` asks for, if any.
    fn pull(&mut self, space: usize, name: &'a str) {
        let name = self.asked(space, name);
        if name == symbols::RAISE || name == symbols::CALLBACK {
            // Something panics, or a Go function that is called may: the runtime needs its part of std, too.
            let needed: Vec<u32> = self.std.values().map(|f| f.obj).collect();
            needed.into_iter().for_each(|obj| self.load(obj));
        }
        let defined = self.spaces[space].defined.get(name).map(|d| d.strength);
        if defined == Some(Strength::Strong) {
            return;
        }
        let offered = space == 0 && self.offered.contains(name);
        let lazy = self.spaces[space].index.get(name).copied();
        match lazy {
            _ if offered && is_reserved(name) => self.pull(1, name),
            Some(d) if d.strength == Strength::Strong && (offered || defined.is_none()) => {
                self.load(d.obj);
            }
            _ if offered => self.pull(1, name),
            Some(d) if defined.is_none() => self.load(d.obj),
            None if defined.is_none() && space == 0 && self.spare.contains(name) => {
                self.pull(1, name);
            }
            _ => {}
        }
    }

    /// The name that a reference leads to: the runtime's front, where there is one; and that without a version, if nobody defines one
    /// with it, as a linker takes `memcpy@GLIBC_2.2.5` from a libc without versions. Another version is no answer.
    fn asked<'n>(&self, space: usize, name: &'n str) -> &'n str {
        let plain = read::plain(name);
        if plain.len() < name.len() {
            let known = |name| {
                let space = &self.spaces[space];
                space.defined.get(name).or_else(|| space.index.get(name))
            };
            let versioned = |d: &Definition| {
                let symbol = &self.inputs.object(d.obj).symbols[d.sym as usize];
                symbol.plain().len() < symbol.name.len()
            };
            if known(name).is_some() || known(plain).is_some_and(versioned) {
                return name;
            }
        }
        let name = plain;
        let front = interpose::front(name).filter(|f| space == 0 && self.offered.contains(f));
        front.unwrap_or(name)
    }

    fn lookup(&self, space: usize, name: &str) -> Option<Definition> {
        let name = self.asked(space, name);
        let own = self.spaces[space].defined.get(name).copied();
        if space == 1 {
            return own.or_else(|| {
                // What the library does without, the runtime does without, too.
                let found = self.std.get(name).filter(|f| self.loaded[f.obj as usize])?;
                Some(Definition {
                    obj: found.obj,
                    sym: found.sym,
                    strength: Strength::Strong,
                })
            });
        }
        let of_runtime = |names: &Set<&'a str>| {
            let name = names.get(name)?;
            self.spaces[1].defined.get(name).copied()
        };
        let offered = || of_runtime(&self.offered);
        if is_reserved(name) {
            return offered();
        }
        match own {
            Some(d) if d.strength == Strength::Strong => own,
            _ => offered().or(own).or_else(|| of_runtime(&self.spare)),
        }
    }

    fn finish(self) -> Symbols {
        let mut out = Symbols {
            targets: Vec::with_capacity(self.inputs.objects.len()),
            commons: Vec::new(),
            bounded: Vec::new(),
            discarded: Set::default(),
            fronts: Map::default(),
            raise: None,
            protector: None,
        };
        let mut names = Interned::default();
        for (obj, object) in self.inputs.objects.iter().enumerate() {
            let target =
                |(i, s): (usize, &Symbol<'d>)| self.target(obj as u32, i as u32, s, &mut names);
            let targets = object.symbols.iter().enumerate().map(target);
            out.targets
                .push(self.loaded[obj].then(|| targets.collect()));
        }
        out.commons = names.commons;
        out.bounded = names.bounded;
        self.interpose(&mut out);
        out.discarded = self.discarded;
        out
    }

    /// Puts the runtime's functions in front of the library's.
    fn interpose(&self, out: &mut Symbols) {
        let runtime = |name: &str| {
            let d = self.spaces[1].defined.get(name)?;
            Some(self.place(d.obj, &self.inputs.object(d.obj).symbols[d.sym as usize]))
        };
        if let Some(Target::Section { at, .. }) = runtime(symbols::RAISE) {
            out.raise = Some(at);
        }
        out.protector = runtime(symbols::PROTECTOR);
        let applies = |f: &&Found| !(self.backtraces && f.front == Some(symbols::NO_BACKTRACE));
        let found = self.std.values().filter(applies);
        for found in found.filter(|f| self.loaded[f.obj as usize]) {
            let symbol = &self.inputs.object(found.obj).symbols[found.sym as usize];
            let target = self.place(found.obj, symbol);
            if let Target::Section { at, offset, .. } = target
                // A reference by the section's symbol must not mean another function in it.
                && offset == 0
                && symbol.size == self.inputs.section(at).size
                && let Some(front) = found.front.and_then(runtime)
            {
                out.fronts.insert((at, offset), front);
            }
        }
    }

    fn target(&self, obj: u32, sym: u32, symbol: &Symbol<'d>, names: &mut Interned<'a>) -> Target {
        if sym == 0 {
            return Target::Null;
        }
        let space = self.space(obj);
        if symbol.bind == Bind::Local {
            return self.place(obj, symbol);
        }
        match self.lookup(space, &symbol.name) {
            Some(d) if d.strength == Strength::Common => {
                let symbol = &self.inputs.object(d.obj).symbols[d.sym as usize];
                match self.spaces[self.space(d.obj)].commons.get(&*symbol.name) {
                    Some(common) => Target::Common(names.common(common)),
                    None => Target::Undefined,
                }
            }
            Some(d) => self.place(d.obj, &self.inputs.object(d.obj).symbols[d.sym as usize]),
            None => self.made_by_linker(space, symbol.plain(), names).unwrap_or(
                match (symbol.def, symbol.bind) {
                    (Def::Undefined, Bind::Weak) => Target::Null,
                    (Def::Undefined, _) => Target::Undefined,
                    _ => Target::Discarded,
                },
            ),
        }
    }

    fn place(&self, obj: u32, symbol: &Symbol<'d>) -> Target {
        match symbol.def {
            _ if symbol.kind == SymbolKind::IFunc => Target::IFunc,
            Def::Section(sec) if self.discarded.contains(&SecRef { obj, sec }) => Target::Discarded,
            Def::Section(sec) => Target::Section {
                at: SecRef { obj, sec },
                offset: symbol.value,
                whole: symbol.kind == SymbolKind::Section,
            },
            Def::Absolute => Target::Absolute(symbol.value),
            Def::Common | Def::Undefined => Target::Undefined,
        }
    }

    /// The names of all sections that could be loaded.
    fn section_names(&self) -> Set<&'a str> {
        let objects = self.inputs.objects.iter().zip(&self.loaded);
        let loaded = objects.filter(|(_, loaded)| **loaded);
        let sections = loaded.flat_map(|(object, _)| &object.sections);
        sections.filter(|s| s.alloc()).map(|s| &*s.name).collect()
    }

    fn made_by_linker(&self, space: usize, name: &str, names: &mut Interned<'a>) -> Option<Target> {
        let mut bound = |prefix: &str| {
            let section = name.strip_prefix(prefix)?;
            let known = names.sections.get_or_insert_with(|| self.section_names());
            known.contains(section).then_some(section)
        };
        Some(match name {
            symbols::IMAGE if space == 1 => Target::Linker(Linker::Image),
            symbols::PARAMS if space == 1 => Target::Linker(Linker::Params),
            _ if let Some(target) = made_for_any(name) => target,
            _ => {
                let start = bound("__start_").map(|s| (s, false));
                let (section, end) = start.or_else(|| bound("__stop_").map(|s| (s, true)))?;
                Target::Linker(Linker::Bound {
                    name: names.bound(section),
                    end,
                })
            }
        })
    }
}

/// What a linker makes whatever the input, under names that every library may refer to.
fn made_for_any(name: &str) -> Option<Target> {
    Some(match name {
        "__tls_get_addr" => Target::TlsGetAddr,
        "__dso_handle" => Target::Linker(Linker::Image),
        "_GLOBAL_OFFSET_TABLE_" => Target::Linker(Linker::Got),
        "__init_array_start" => Target::Linker(Linker::Init { end: false }),
        "__init_array_end" => Target::Linker(Linker::Init { end: true }),
        _ => return None,
    })
}

/// Whether no library defines what has this name, since linkers make it: it is no function that somebody forgot.
pub(super) fn is_made_by_linkers(name: &str) -> bool {
    let bound = ["__start_", "__stop_"];
    made_for_any(name).is_some() || bound.iter().any(|prefix| name.starts_with(prefix))
}

#[derive(Default)]
struct Interned<'a> {
    /// The names of sections, once one is asked for.
    sections: Option<Set<&'a str>>,
    commons: Vec<Common>,
    bounded: Vec<String>,
    /// Where they stand in the lists.
    common_at: Map<String, u32>,
    bound_at: Map<String, u32>,
}

impl Interned<'_> {
    fn common(&mut self, common: &Common) -> u32 {
        *self
            .common_at
            .entry(common.name.clone())
            .or_insert_with(|| {
                self.commons.push(common.clone());
                self.commons.len() as u32 - 1
            })
    }
    fn bound(&mut self, section: &str) -> u32 {
        *self.bound_at.entry(section.to_owned()).or_insert_with(|| {
            self.bounded.push(section.to_owned());
            self.bounded.len() as u32 - 1
        })
    }
}

/// How strong a definition is; None for what defines no global name.
fn strength(object: &Object<'_>, symbol: &Symbol<'_>) -> Option<Strength> {
    if symbol.bind == Bind::Local || symbol.name.is_empty() {
        return None;
    }
    match symbol.def {
        Def::Undefined => None,
        _ if object.bundled_libc => Some(Strength::BundledLibc),
        Def::Common => Some(Strength::Common),
        _ if symbol.bind == Bind::Weak => Some(Strength::Weak),
        _ => Some(Strength::Strong),
    }
}
