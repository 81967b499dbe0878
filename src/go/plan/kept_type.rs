//! What a type of Go functions that the library keeps is to its users: its declaration, what makes one, what releases it.

use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Kept, Type};

use super::export::lent_to;
use super::scope::Scope;
use super::types;

/// One such type.
pub(super) struct KeptType<'a> {
    pub scope: &'a Scope,
    pub name: &'a str,
    /// The type of the functions, a [`Type::Callback`].
    pub function: &'a Type,
    /// Where its functions go: `the parameter f of Listen`.
    pub place: &'a str,
    /// The declaration of the type.
    pub text: String,
    /// What is said, behind that they are to be released, of how many there can be.
    pub limit: &'a str,
}

/// Where the functions of a type go, of which one place is this.
pub(super) fn place(kept: &Kept, one: String) -> String {
    match kept.shared {
        true => format!("{one}, and for others of its type"),
        false => one,
    }
}

impl KeptType<'_> {
    /// Its declarations; `made` is the body of what makes one of `f`, `free` that of what releases `f`.
    pub fn declarations(self, made: Vec<String>, free: Vec<String>) -> Vec<Item> {
        let KeptType {
            scope,
            name,
            function,
            place,
            text,
            limit,
        } = self;
        let (new, named) = (format!("New{name}"), types::indefinite(name));
        let mut doc = format!(
            "{name} is a Go function for {place}. The library may keep it, and call it during any call of this package, until it is released."
        );
        if let Some(what) = lent_to(function) {
            doc += &format!(
                " The {what} that it is given are the library's, and good until it returns: copy what is to be kept."
            );
        }
        let function = types::go_type(scope, function);
        let head = format!("func {new}(f {function}) *{name}");
        let made = Declaration::new(Kind::Func, new.as_str(), head)
            .doc([format!(
                "{new} makes {named}. Release it when the library is done with it{limit}."
            )])
            .body(made);
        let head = format!("func (f *{name}) Release()");
        let release = Declaration::new(Kind::Func, format!("{name}.Release"), head)
            .doc(["Release ends that the library may call the function: if it still does, the program ends. To release it again does nothing."])
            .body(free);
        let ty = Declaration::new(Kind::Type, name, text).doc([doc]);
        vec![ty.into(), made.into(), release.into()]
    }
}
