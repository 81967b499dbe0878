//! What stands for Go functions, apart from the machine: which there are, and what the runtime is told when the library calls one.

use std::borrow::Cow;

use super::{DESTROY_CODE, kept_code};
use crate::contract::{KEPT_DESTROY, symbols};
use crate::model::{Api, PointerKind, Type};

/// When the library calls a Go function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// During the call that it was given to.
    Given,
    /// In any call. The user data says which function is meant.
    Kept,
    /// In any call. A register says which piece of code was called ([`super::Calling::pool`]).
    Pooled,
    /// In any call, by name.
    Imported,
}

impl Called {
    /// The runtime's function that has Go called.
    pub fn by(self) -> &'static str {
        match self {
            Called::Given => symbols::CALLBACK,
            Called::Kept | Called::Pooled | Called::Imported => symbols::KEPT,
        }
    }
}

/// A function pointer of C's that a Go function stands behind.
pub struct GoFunction<'a> {
    /// Its parameters.
    pub params: Cow<'a, [Type]>,
    /// Its result.
    pub result: Option<&'a Type>,
    /// Which parameter is user data.
    pub user: Option<usize>,
    /// Its number, as Go counts.
    pub which: usize,
    /// The symbol by whose address Go knows the code; of those that a call is given, the first one's.
    pub callee: Cow<'a, str>,
    /// When it is called.
    pub called: Called,
}

impl<'a> GoFunction<'a> {
    /// The `which`th of those that an export is given for the call.
    pub fn given(ty: &'a Type, which: usize, callee: &'a str) -> Result<Self, String> {
        Self::new(ty, which, callee.into(), Called::Given)
    }

    /// [`Api::kept`]`[id]`.
    pub fn kept(api: &'a Api, id: usize) -> Result<Self, String> {
        let kept = api.kept().get(id).ok_or("it is not kept")?;
        let called = match kept.pooled() {
            true => Called::Pooled,
            false => Called::Kept,
        };
        Self::new(&kept.ty, id, kept_code(kept).into(), called)
    }

    /// [`Api::imports`]`[index]`: it has the number behind those that are kept.
    pub fn import(api: &'a Api, index: usize) -> Result<Self, String> {
        let import = api.imports().get(index).ok_or("it is not imported")?;
        let which = api.kept().len() + index;
        let callee = import.symbol.as_str().into();
        Self::new(&import.ty, which, callee, Called::Imported)
    }

    /// The destroy function of all that is kept ([`DESTROY_CODE`]).
    pub fn destroy() -> Self {
        let user = Type::Pointer {
            to: None,
            kind: PointerKind::Mut,
            nullable: true,
        };
        GoFunction {
            params: vec![user].into(),
            result: None,
            user: Some(0),
            which: KEPT_DESTROY as usize,
            callee: DESTROY_CODE.into(),
            called: Called::Kept,
        }
    }

    fn new(
        ty: &'a Type,
        which: usize,
        callee: Cow<'a, str>,
        called: Called,
    ) -> Result<Self, String> {
        let Type::Callback {
            params,
            result,
            user,
            ..
        } = ty
        else {
            return Err("it is no function".into());
        };
        Ok(GoFunction {
            params: params.into(),
            result: result.as_deref(),
            user: user.map(|data| data.place),
            which,
            callee,
            called,
        })
    }
}
