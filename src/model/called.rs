//! Functions of Go's that the library may call in any call: those that it keeps, and those that it calls by name.

use super::{Function, Source, Type};

/// A parameter of a function pointer that the library keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The symbol of the export.
    pub export: String,
    /// The parameter's name, as in Rust.
    pub param: String,
    /// The function's type, a [`Type::Callback`] with user data.
    pub ty: Type,
    /// Whether behind the user data follows a function by which the library says that it is done with it: three parameters in C, one in Go.
    pub destroyed: bool,
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
