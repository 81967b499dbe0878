//! User data: what C libraries take beside a function pointer and hand to every call of it, so that the function knows what it works on.
//!
//! A Go function knows that by itself. So a function pointer and a `*mut c_void` directly behind it are one parameter of Go, if the pointer's
//! function takes a `*mut c_void` last, or else first. What travels there is the call's own mark (`rt/src/leave/callback.rs`).
//!
//! Some libraries take the data in front. There a `*mut c_void` may as well be what the function is about (`set_hook(void *handle, void (*hook)(void *handle))`),
//! so `--user-data` has to say it.

use std::collections::BTreeMap;

use crate::base::diag::Result;
use crate::base::globs;
use crate::model::{Function, PointerKind, Said, Side, Signatures, Type, UserData};

/// What the globs of `--user-data` say of functions: whether user data stands in front.
pub fn said(functions: &[Function], values: &[String]) -> Result<Said> {
    let takes = |f: &&Function| {
        let mut pointers = 1..f.params.len();
        pointers.any(|at| in_front(f, at).is_some())
    };
    let names = || functions.iter().filter(takes).map(|f| f.symbol.as_str());
    let all: Vec<&str> = names().collect();
    let help = match all.is_empty() {
        true => {
            "no exported function takes a `*mut c_void` in front of a function pointer".to_owned()
        }
        false => format!("it could be said of: {}", globs::some(&all)),
    };
    let none = (
        "no exported function that takes user data in front of a function pointer has such a name",
        help.as_str(),
    );
    globs::said("--user-data", values, |_| names(), none)
}

/// The user data of all functions, by the numbers of the function pointers; `front` says where it may stand in front of them.
pub(super) fn find(read: &Signatures, front: &Said) -> Vec<BTreeMap<usize, UserData>> {
    let of = |f: &Function| of(f, front.get(&f.symbol) == Some(&true));
    read.functions.iter().map(of).collect()
}

fn of(function: &Function, front: bool) -> BTreeMap<usize, UserData> {
    let mut found: BTreeMap<usize, UserData> = BTreeMap::new();
    for at in 0..function.params.len() {
        let before = at.checked_sub(2).and_then(|f| found.get(&f));
        // The data may be that of the function pointer before it.
        let taken = before.is_some_and(|data| data.side == Side::Behind);
        let data =
            behind(function, at).or_else(|| in_front(function, at).filter(|_| front && !taken));
        found.extend(data.map(|data| (at, data)));
    }
    found
}

/// The parameters of the function pointer that a parameter is.
fn pointer(function: &Function, at: usize) -> Option<&[Type]> {
    match &function.params.get(at)?.ty {
        Type::Callback { params, .. } => Some(params),
        _ => None,
    }
}

/// The user data behind a function pointer.
fn behind(function: &Function, at: usize) -> Option<UserData> {
    let params = pointer(function, at)?;
    let next = function.params.get(at + 1)?;
    let last = params.len().checked_sub(1)?;
    let place = [last, 0].into_iter().find(|i| is_user_data(&params[*i]))?;
    is_user_data(&next.ty).then_some(UserData::behind(place))
}

/// What may be the user data in front of one: its function takes it first then, or else last.
fn in_front(function: &Function, at: usize) -> Option<UserData> {
    let params = pointer(function, at)?;
    let before = function.params.get(at.checked_sub(1)?)?;
    let last = params.len().checked_sub(1)?;
    let place = [0, last].into_iter().find(|i| is_user_data(&params[*i]))?;
    let side = Side::InFront;
    is_user_data(&before.ty).then_some(UserData { place, side })
}

pub(super) fn is_user_data(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Pointer {
            to: None,
            kind: PointerKind::Mut,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Api, Conventions, Int, Param};

    const WORD: Type = Type::Int(Int::U64);
    const DATA: Type = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };

    fn callback(params: &[Type], user: Option<usize>) -> Type {
        beside(params, user.map(UserData::behind))
    }

    fn beside(params: &[Type], user: Option<UserData>) -> Type {
        Type::Callback {
            alias: String::new(),
            params: params.to_vec(),
            names: Vec::new(),
            result: None,
            user,
            nullable: false,
        }
    }

    fn folded(types: &[Type]) -> Vec<Type> {
        with(types, &Said::new())
    }

    fn with(types: &[Type], front: &Said) -> Vec<Type> {
        let named = |ty: &Type| Param {
            name: "x".into(),
            ty: ty.clone(),
        };
        let function = Function {
            params: types.iter().map(named).collect(),
            ..Function::default()
        };
        let read = Signatures {
            functions: vec![function],
            ..Signatures::default()
        };
        let conventions = Conventions {
            user_data: find(&read, front),
            ..Conventions::default()
        };
        let api = Api::new(read, &conventions);
        let params = api.functions()[0].params.iter();
        params.map(|p| p.ty.clone()).collect()
    }

    #[test]
    fn user_data_belongs_to_the_pointer_before_it() {
        assert_eq!(
            folded(&[callback(&[WORD, DATA], None), DATA, DATA]),
            [callback(&[WORD, DATA], Some(1)), DATA]
        );
        assert_eq!(
            folded(&[callback(&[DATA, WORD], None), DATA]),
            [callback(&[DATA, WORD], Some(0))]
        );
        // A comparison of two untyped values, and its data.
        assert_eq!(
            folded(&[callback(&[DATA, DATA, DATA], None), DATA]),
            [callback(&[DATA, DATA, DATA], Some(2))]
        );
    }

    #[test]
    fn user_data_in_front_is_said() {
        let first = Some(UserData {
            place: 0,
            side: Side::InFront,
        });
        let said = Said::from([(String::new(), true)]);
        let observe = [WORD, DATA, callback(&[DATA, WORD], None)];
        assert_eq!(folded(&observe), observe);
        assert_eq!(with(&observe, &said), [WORD, beside(&[DATA, WORD], first)]);
        // What stands behind counts more, and belongs to one function.
        assert_eq!(
            with(&[DATA, callback(&[DATA], None), DATA], &said),
            [DATA, callback(&[DATA], Some(0))]
        );
        assert_eq!(
            with(
                &[callback(&[DATA], None), DATA, callback(&[DATA], None)],
                &said
            ),
            [callback(&[DATA], Some(0)), callback(&[DATA], None)]
        );
        assert_eq!(
            with(&[DATA, callback(&[WORD], None)], &said),
            [DATA, callback(&[WORD], None)]
        );
    }

    #[test]
    fn other_parameters_stay() {
        let cases = [
            vec![callback(&[WORD], None), DATA],
            vec![callback(&[], None), DATA],
            vec![callback(&[DATA], None), WORD],
            vec![DATA, callback(&[DATA], None)],
            vec![WORD, DATA],
        ];
        for types in cases {
            assert_eq!(folded(&types), types);
        }
    }
}
