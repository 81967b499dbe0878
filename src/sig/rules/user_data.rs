//! User data: what C libraries take beside a function pointer and hand to every call of it, so that the function knows what it works on.
//!
//! A Go function knows that by itself. So a function pointer and a `*mut c_void` directly behind it are one parameter of Go, if the pointer's
//! function takes a `*mut c_void` last, or else first. What travels there is the call's own mark (`rt/src/callback.rs`).

use crate::model::{Api, Function, PointerKind, Type};

/// Makes one parameter of all such pairs.
pub(in crate::sig) fn apply(api: &mut Api) {
    api.functions.iter_mut().for_each(fold);
}

fn fold(function: &mut Function) {
    let mut rest = std::mem::take(&mut function.params).into_iter().peekable();
    while let Some(mut param) = rest.next() {
        if let Type::Callback { params, user, .. } = &mut param.ty
            && rest.peek().is_some_and(|next| is_user_data(&next.ty))
        {
            *user = place(params);
            if user.is_some() {
                rest.next();
            }
        }
        function.params.push(param);
    }
}

/// Which parameter of the callback is the user data.
fn place(params: &[Type]) -> Option<usize> {
    let last = params.len().checked_sub(1)?;
    [last, 0].into_iter().find(|i| is_user_data(&params[*i]))
}

fn is_user_data(ty: &Type) -> bool {
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
    use crate::model::{Int, Param};

    const WORD: Type = Type::Int(Int::U64);
    const DATA: Type = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };

    fn callback(params: &[Type], user: Option<usize>) -> Type {
        Type::Callback {
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
        let mut function = Function {
            symbol: "f".into(),
            params: types.iter().map(named).collect(),
            result: None,
            doc: String::new(),
            source: None,
            path: String::new(),
            blocking: false,
            trusted: false,
            foreign: false,
        };
        fold(&mut function);
        function.params.into_iter().map(|p| p.ty).collect()
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
