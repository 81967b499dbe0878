//! Destroy functions: what C libraries take behind a function pointer and its user data, to be called with the data once the function is called no more.
//!
//! So the library keeps the function, and says when it is done with it. Only the name tells a destroy function from another function of the user data.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Function, Param, Side, Signatures, Type, UserData};

use super::user_data::is_user_data;

/// What the name of the parameter says, as a word of its own.
const WORDS: [&str; 14] = [
    "cleanup",
    "delete",
    "deleter",
    "destroy",
    "destructor",
    "dispose",
    "drop",
    "dtor",
    "finalise",
    "finaliser",
    "finalize",
    "finalizer",
    "free",
    "release",
];

/// The function pointers of each function behind whose user data such a function follows, by their numbers.
pub(super) fn find(
    read: &Signatures,
    user_data: &[BTreeMap<usize, UserData>],
) -> Vec<BTreeSet<usize>> {
    let all = read.functions.iter().zip(user_data);
    all.map(|(f, data)| of(f, data)).collect()
}

fn of(function: &Function, data: &BTreeMap<usize, UserData>) -> BTreeSet<usize> {
    let follows = data.iter().filter(|(at, data)| {
        let destroy = function.params.get(place(**at, data));
        destroy.is_some_and(destroys)
    });
    follows.map(|(at, _)| *at).collect()
}

/// Where the destroy function of a function pointer stands: behind both, the pointer and the data.
pub(super) fn place(at: usize, data: &UserData) -> usize {
    match data.side {
        Side::Behind => at + 2,
        Side::InFront => at + 1,
    }
}

fn destroys(param: &Param) -> bool {
    let Type::Callback { params, result, .. } = &param.ty else {
        return false;
    };
    matches!(params.as_slice(), [one] if is_user_data(one))
        && result.is_none()
        && words(&param.name).any(|word| WORDS.contains(&word.as_str()))
}

/// The words of a name, in any style.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() || c == '_' {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase().filter(|c| *c != '_'));
    }
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Api, Conventions, Int, PointerKind, Said};

    const DATA: Type = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };

    fn pointer(params: &[Type], result: Option<Type>) -> Type {
        Type::Callback {
            alias: String::new(),
            params: params.to_vec(),
            names: Vec::new(),
            result: result.map(Box::new),
            user: None,
            nullable: true,
        }
    }

    /// The parameters of a function with these, by name.
    fn meant(params: &[(&str, Type)]) -> Vec<String> {
        let param = |(name, ty): &(&str, Type)| Param {
            name: (*name).to_owned(),
            ty: ty.clone(),
        };
        let read = Signatures {
            functions: vec![Function {
                params: params.iter().map(param).collect(),
                ..Function::default()
            }],
            ..Signatures::default()
        };
        let user_data = super::super::user_data::find(&read, &Said::new());
        let conventions = Conventions {
            destroyed: find(&read, &user_data),
            user_data,
            ..Conventions::default()
        };
        let api = Api::new(read, &conventions);
        let kept = |ty: &Type| match ty {
            Type::Kept { id, .. } if api.kept()[*id].destroyed => " kept",
            _ => "",
        };
        let params = api.functions()[0].params.iter();
        params
            .map(|p| format!("{}{}", p.name, kept(&p.ty)))
            .collect()
    }

    #[test]
    fn a_destroy_function_belongs_to_the_function_before_it() {
        let f = || pointer(&[Type::Int(Int::U32), DATA], None);
        for name in [
            "destroy",
            "user_data_free",
            "dropFn",
            "finalizer_",
            "Release",
        ] {
            let params = [
                ("f", f()),
                ("data", DATA),
                (name, pointer(&[DATA], None)),
                ("x", Type::Bool),
            ];
            assert_eq!(meant(&params), ["f kept", "x"], "{name}");
        }
    }

    #[test]
    fn other_functions_stay() {
        let f = || pointer(&[Type::Int(Int::U32), DATA], None);
        for (name, ty) in [
            ("done", pointer(&[DATA], None)),
            ("dropped", pointer(&[DATA], None)),
            ("destroy", pointer(&[DATA, DATA], None)),
            ("destroy", pointer(&[Type::Bool], None)),
            ("destroy", pointer(&[DATA], Some(Type::Bool))),
        ] {
            let params = [("f", f()), ("data", DATA), (name, ty)];
            assert_eq!(meant(&params), ["f", name]);
        }
        let far = [
            ("f", f()),
            ("data", DATA),
            ("x", Type::Bool),
            ("destroy", pointer(&[DATA], None)),
        ];
        assert_eq!(meant(&far), ["f", "x", "destroy"]);
    }
}
