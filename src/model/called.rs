//! Functions of Go's that the library may call in any call: those that it keeps, and those that it calls by name.

use super::{Function, Source, Type, TypeId};

/// A function pointer that the library keeps. One that has an alias may stand in several places: all functions of the alias are of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What has it; the first of several. Exports come before types.
    pub owner: Owner,
    /// The parameter's or the field's name there, as in Rust.
    pub name: String,
    /// What the header or the source calls functions of this type; empty where nothing does, or has called others so before.
    pub alias: String,
    /// Whether it stands in several places.
    pub shared: bool,
    /// The function's type, a [`Type::Callback`].
    pub ty: Type,
    /// Whether behind the user data follows a function by which the library says that it is done with it: three parameters in C, one in Go.
    pub destroyed: bool,
}

/// The user data of a function pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserData {
    /// Which of the function's own parameters it is.
    pub place: usize,
    /// Where the export takes it.
    pub side: Side,
}

impl UserData {
    /// As C libraries mostly have it: the export takes it directly behind the function pointer.
    pub fn behind(place: usize) -> UserData {
        UserData {
            place,
            side: Side::Behind,
        }
    }
}

/// On which side of a function pointer its user data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Directly behind it.
    Behind,
    /// Directly in front of it.
    InFront,
}

/// What has a function pointer that the library keeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// An export, by its symbol: the pointer is a parameter.
    Export(String),
    /// A type and its name: the pointer is a field.
    Type(TypeId, String),
}

impl Owner {
    /// Its name, as in Rust.
    pub fn name(&self) -> &str {
        match self {
            Owner::Export(name) | Owner::Type(_, name) => name,
        }
    }
}

impl Kept {
    /// Whether no user data says which Go function is meant. Then the address of the code says it: there is a piece of code for each Go function.
    pub fn pooled(&self) -> bool {
        self.user_data().is_none()
    }

    /// Its user data, where it has some.
    pub fn user_data(&self) -> Option<UserData> {
        match self.ty {
            Type::Callback { user, .. } => user,
            _ => None,
        }
    }
}

/// A function that the library calls and Go provides.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The undefined symbol.
    pub symbol: String,
    /// Its type, a [`Type::Callback`] without user data.
    pub ty: Type,
    /// Doc comment; empty when there is none.
    pub doc: String,
    /// Where it is declared.
    pub source: Option<Source>,
}

impl From<Function> for Import {
    fn from(function: Function) -> Import {
        let (names, params) = function.params.into_iter().map(|p| (p.name, p.ty)).unzip();
        Import {
            symbol: function.symbol,
            ty: Type::Callback {
                alias: String::new(),
                params,
                names,
                result: function.result.map(Box::new),
                user: None,
                nullable: false,
            },
            doc: function.doc,
            source: function.source,
        }
    }
}
