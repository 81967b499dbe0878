//! What the user says of functions by flags. It stands beside the API, and changes nothing of it.

use std::collections::BTreeMap;

use super::{Api, Function, PointerKind, Type};

/// What the globs of one flag say, by symbol: that they take a function or, after a `!`, that they do not. Of the others they say nothing.
pub type Said = BTreeMap<String, bool>;

/// What all flags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// `--blocking`: whether calls can last.
    pub blocking: Said,
    /// `--bare`: whether calls stay what they are to Go's scheduler, whatever they do.
    pub bare: Said,
    /// `--cstr`: whether strings of C are strings of Go.
    pub cstr: Said,
    /// `--trust`: whether arguments are passed as they are.
    pub trusted: Said,
    /// `--consumes`: whether handles that are given by `*mut` are taken for good.
    pub consumes: Said,
}

impl Declared {
    /// Whether Go's scheduler and collector must not wait for calls of the function.
    pub fn blocks(&self, function: &Function) -> bool {
        self.blocking.get(&function.symbol) == Some(&true)
    }

    /// Whether calls of the function never become system calls of Go's while they run.
    pub fn is_bare(&self, function: &Function) -> bool {
        self.bare.get(&function.symbol) == Some(&true)
    }

    /// Whether a parameter of this type is a string in Go, copied for the call.
    pub fn copies_text(&self, function: &Function, ty: &Type) -> bool {
        ty.is_c_string() && self.cstr.get(&function.symbol) == Some(&true)
    }

    /// Whether arguments of the function are not looked at before a call.
    pub fn trusts(&self, function: &Function) -> bool {
        self.trusted.get(&function.symbol) == Some(&true)
    }

    /// Whether it is said of the function if it takes what it is given for good.
    pub fn decides(&self, function: &Function) -> bool {
        self.consumes.contains_key(&function.symbol)
    }

    /// How a function is given a parameter of this type, if that is a pointer: in C one type says both "lent" and "given", so a `*mut T` to an opaque type
    /// may be a `Box<T>`.
    pub fn passed(&self, api: &Api, function: &Function, ty: &Type) -> Option<PointerKind> {
        let Type::Pointer { to, kind, .. } = ty else {
            return None;
        };
        let opaque = match to.as_deref() {
            Some(Type::Named(id)) => api.def(*id).kind.is_opaque(),
            _ => false,
        };
        let consumed = self.consumes.get(&function.symbol) == Some(&true);
        Some(match kind {
            PointerKind::Mut if opaque && consumed => PointerKind::Box,
            kind => *kind,
        })
    }
}
