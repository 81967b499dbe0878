//! Handles: opaque types of Rust that Go owns through a type of its own, with methods and `Close`.
//!
//! A type `Foo` becomes one by what the library exports: `foo_free`, which takes one pointer to it and gives nothing, and at least one
//! `foo_new` or `foo_new_...` that gives one. Case and underscores do not count (`http_client_free` belongs to `HttpClient`), and the prefix
//! that Go names lose may stand in front.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::diag::Problem;
use crate::model::{Api, Function, PointerKind, Type, TypeId};

use crate::base::identifiers as names;

/// The handle types of an API, and what they make of its functions.
#[derive(Debug, Default)]
pub(super) struct Handles {
    pub types: BTreeMap<TypeId, Handle>,
    /// In the order of `api.functions()`.
    pub roles: Vec<Role>,
    /// Functions that could not be methods or constructors, and why.
    pub notes: Vec<Problem>,
    /// Functions whose result is the caller's, by their names.
    makers: BTreeSet<usize>,
}

/// One handle type.
#[derive(Debug)]
pub(super) struct Handle {
    /// The Go type.
    pub name: String,
    /// The Go type of what the Rust pointer points to.
    pub raw: String,
    /// Whether pointers to it stand where no handle can: in structs, slices, callbacks, behind pointers.
    pub exposed: bool,
    /// Whether there are pointers that Go does not own.
    pub lent: bool,
    /// Whether the garbage collector frees the values that nobody closed.
    pub collected: bool,
    /// The receiver of the methods.
    pub receiver: String,
    /// Index of the function that frees it.
    pub free: usize,
    /// Go names of its constructors.
    pub constructors: Vec<String>,
    /// What the symbols of its functions begin with, the last underscore included.
    stem: String,
}

impl Handle {
    /// Makes a handle of a pointer, which it owns from then on. Exported if pointers are.
    pub fn wrap(&self) -> String {
        match self.exposed {
            true => format!("Wrap{}", self.name),
            false => format!("rsysoOwn{}", self.name),
        }
    }

    /// Makes a handle of a pointer that it does not own. Exported if pointers are.
    pub fn borrow(&self) -> String {
        match self.exposed {
            true => format!("Borrow{}", self.name),
            false => format!("rsysoBorrow{}", self.name),
        }
    }
}

/// What a function is beside a function of the package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    #[default]
    Plain,
    /// Gives a new handle; the Go name.
    Constructor(String),
    /// Takes the handle first.
    Method(TypeId, String),
    /// Frees the handle.
    Free(TypeId),
}

/// The opaque type that a pointer leads to.
fn pointer(ty: &Type) -> Option<(TypeId, PointerKind)> {
    match ty {
        Type::Pointer {
            to: Some(to), kind, ..
        } => match **to {
            Type::Named(id) => Some((id, *kind)),
            _ => None,
        },
        _ => None,
    }
}

/// As [`pointer`], for a result that may be an error.
fn given(f: &Function) -> Option<(TypeId, PointerKind)> {
    match f.result.as_ref()? {
        Type::Fallible { value } => pointer(value.as_deref()?),
        ty => pointer(ty),
    }
}

fn owning(kind: PointerKind) -> bool {
    matches!(kind, PointerKind::Mut | PointerKind::Box)
}

impl Handles {
    /// Finds the handle types and the roles of all functions; `trimmed` is the prefix that Go names lose, `go` what they are then.
    pub fn find(api: &Api, trimmed: &str, go: &[String]) -> Handles {
        let mut handles = Handles {
            roles: vec![Role::Plain; api.functions().len()],
            ..Handles::default()
        };
        for (index, f) in api.functions().iter().enumerate() {
            handles.add_type(api, index, f, trimmed);
        }
        handles.add_constructors(api);
        let constructed = |h: &Handle| !h.constructors.is_empty();
        handles.types.retain(|_, h| constructed(h));
        handles.add_methods(api, go);
        handles.look_around(api);
        handles.choose_receivers(api);
        handles
    }

    /// The handle that a type at the top of a signature stands for.
    pub fn of(&self, ty: &Type) -> Option<(&Handle, PointerKind)> {
        let (id, kind) = pointer(ty)?;
        Some((self.types.get(&id)?, kind))
    }

    /// The handle that a function gives, perhaps in a result that may be an error.
    pub fn given(&self, f: &Function) -> Option<(&Handle, PointerKind)> {
        let (id, kind) = given(f)?;
        Some((self.types.get(&id)?, kind))
    }

    /// The role of a function.
    pub fn role(&self, index: usize) -> &Role {
        self.roles.get(index).unwrap_or(&Role::Plain)
    }

    /// Whether the result of a function is the caller's to free.
    pub fn gives_away(&self, index: usize, kind: PointerKind) -> bool {
        kind == PointerKind::Box || self.makers.contains(&index)
    }

    /// Takes a constructor or method back, as its name has another meaning.
    pub fn demote(&mut self, index: usize, f: &Function, why: &str) {
        let what = match self.roles.get_mut(index).map(std::mem::take) {
            Some(Role::Constructor(name)) => {
                for handle in self.types.values_mut() {
                    handle.constructors.retain(|c| *c != name);
                }
                format!("the constructor `{name}`")
            }
            Some(Role::Method(_, name)) => format!("the method `{name}`"),
            _ => return,
        };
        let problem = Problem::new(format!("`{}` does not become {what}: {why}", f.symbol));
        let problem = match &f.source {
            Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
            None => problem,
        };
        self.notes
            .push(problem.help("it remains a function of the package; rename it to have it so"));
    }

    fn add_type(&mut self, api: &Api, index: usize, f: &Function, trimmed: &str) {
        let ([param], None) = (f.params.as_slice(), &f.result) else {
            return;
        };
        let (Some((id, kind)), Some(stem)) = (pointer(&param.ty), f.symbol.strip_suffix("free"))
        else {
            return;
        };
        let def = api.def(id);
        let fits = |stem: &str| {
            stem.ends_with('_') && plain(stem) == plain(&names::exported(&def.name, 'X'))
        };
        let short = stem.strip_prefix(trimmed).unwrap_or(stem);
        if !owning(kind) || !def.kind.is_opaque() || !(fits(stem) || fits(short)) {
            return;
        }
        let name = names::exported(&def.name, 'X');
        self.types.entry(id).or_insert_with(|| Handle {
            raw: format!("rsysoRaw{name}"),
            name,
            exposed: false,
            lent: false,
            collected: false,
            receiver: String::new(),
            free: index,
            constructors: Vec::new(),
            stem: stem.to_string(),
        });
    }

    fn add_constructors(&mut self, api: &Api) {
        let functions = api.functions().iter().enumerate();
        let functions = functions.zip(&mut self.roles);
        for ((index, f), role) in functions.filter(|((_, f), _)| !f.is_static) {
            let Some((id, kind)) = given(f) else { continue };
            let Some(handle) = self.types.get_mut(&id) else {
                continue;
            };
            let Some(rest) = f.symbol.strip_prefix(handle.stem.as_str()) else {
                continue;
            };
            let Some(rest) = rest.strip_prefix("new") else {
                continue;
            };
            if owning(kind) && (rest.is_empty() || rest.starts_with('_')) {
                let name = format!("New{}{}", handle.name, names::member(rest));
                handle.constructors.push(name.clone());
                *role = Role::Constructor(name);
                self.makers.insert(index);
            }
        }
    }

    /// Functions of the type's own prefix have the first choice of names.
    fn add_methods(&mut self, api: &Api, go: &[String]) {
        for (id, handle) in &self.types {
            if let Some(role) = self.roles.get_mut(handle.free) {
                *role = Role::Free(*id);
            }
        }
        let mut taken: BTreeSet<(TypeId, String)> = BTreeSet::new();
        for id in self.types.keys() {
            // Every handle has the first; whether it has the second is not known yet.
            taken.extend(["Close", "Raw"].map(|name| (*id, name.to_string())));
        }
        for own_prefix in [true, false] {
            for (index, f) in api.functions().iter().enumerate() {
                let first = f.params.first().and_then(|p| pointer(&p.ty));
                let handle = first.and_then(|(id, _)| Some((id, self.types.get(&id)?)));
                let (Some((id, handle)), Role::Plain) = (handle, self.role(index)) else {
                    continue;
                };
                let rest = f.symbol.strip_prefix(handle.stem.as_str());
                let rest = rest.filter(|rest| !rest.is_empty());
                if rest.is_some() != own_prefix {
                    continue;
                }
                let name = match (rest, go.get(index)) {
                    (Some(rest), _) => names::exported(rest, 'X'),
                    (None, Some(name)) => name.clone(),
                    (None, None) => continue,
                };
                let free = taken.insert((id, name.clone()));
                if let Some(role) = self.roles.get_mut(index) {
                    *role = Role::Method(id, name);
                }
                if !free {
                    self.demote(index, f, "the type has another method of this name");
                }
            }
        }
    }

    /// What else the signatures do with the types.
    fn look_around(&mut self, api: &Api) {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Type> = Vec::new();
        let mut lent = BTreeSet::new();
        for (index, f) in api.functions().iter().enumerate() {
            let value = match &f.result {
                Some(Type::Fallible { value }) => value.as_deref(),
                result => result.as_ref(),
            };
            let all = f.params.iter().map(|p| &p.ty).chain(value);
            open.extend(all.filter(|ty| self.of(ty).is_none()));
            if let Some((id, kind)) = given(f)
                && self.types.contains_key(&id)
                && !self.gives_away(index, kind)
            {
                lent.insert(id);
            }
        }
        open.extend(api.called_back());
        while let Some(ty) = open.pop() {
            match ty {
                Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
                    open.push(elem);
                }
                Type::Pointer { to, .. } => open.extend(to.as_deref()),
                Type::Callback { params, result, .. } => {
                    open.extend(params);
                    open.extend(result.as_deref());
                }
                Type::Named(id) if seen.insert(*id) => {
                    open.extend(api.def(*id).kind.fields().map(|f| &f.ty));
                }
                _ => {}
            }
        }
        for (id, handle) in &mut self.types {
            handle.exposed = seen.contains(id);
            handle.lent = handle.exposed || lent.contains(id);
            if handle.exposed {
                handle.raw = format!("Raw{}", handle.name);
            }
        }
    }

    /// The first letter of the type, unless a parameter of some method is called so.
    fn choose_receivers(&mut self, api: &Api) {
        for (id, handle) in &mut self.types {
            let methods = self.roles.iter().zip(api.functions());
            let methods =
                methods.filter(|(role, _)| matches!(role, Role::Method(of, _) if of == id));
            let taken: Vec<String> = methods
                .flat_map(|(_, f)| f.params.iter().skip(1).enumerate())
                .map(|(i, p)| names::parameter(&p.name, i))
                .collect();
            let letter: String = handle
                .name
                .chars()
                .take(1)
                .flat_map(char::to_lowercase)
                .collect();
            let word = names::parameter(&handle.name, 0);
            handle.receiver = match taken.contains(&letter) {
                false => letter,
                true => names::unused(&word, &taken),
            };
        }
    }
}

/// A name without underscores and case.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| *c != '_');
    letters.flat_map(char::to_lowercase).collect()
}
