//! User data: what C libraries take beside a function pointer and hand to every call of it, so that the function knows what it works on.
//!
//! A Go function knows that by itself. So a function pointer and a `*mut c_void` directly behind it are one parameter of Go, if the pointer's
//! function takes a `*mut c_void` last, or else first. What travels there is the call's own mark (`rt/src/leave/callback.rs`).

use std::collections::BTreeMap;

use crate::model::{Function, PointerKind, Signatures, Type};

/// The user data of all functions: the numbers of the function pointers that take in the parameter behind them, and which of their own parameters it is.
pub(super) fn find(read: &Signatures) -> Vec<BTreeMap<usize, usize>> {
    read.functions.iter().map(of).collect()
}

fn of(function: &Function) -> BTreeMap<usize, usize> {
    let behind = function.params.iter().skip(1);
    let neighbours = function.params.iter().zip(behind).enumerate();
    let with_data = neighbours.filter_map(|(at, (param, next))| match &param.ty {
        Type::Callback { params, .. } if is_user_data(&next.ty) => Some((at, place(params)?)),
        _ => None,
    });
    with_data.collect()
}

/// Which parameter of the callback is the user data.
fn place(params: &[Type]) -> Option<usize> {
    let last = params.len().checked_sub(1)?;
    [last, 0].into_iter().find(|i| is_user_data(&params[*i]))
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
            user_data: find(&read),
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
