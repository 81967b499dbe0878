//! Functions of the runtime and of the library that Go calls on its own account.

use crate::contract::symbols;
use crate::model::{Function, Int, Param, PointerKind, Type};
use crate::sig::rules::owned::FREE;

/// The runtime's function that frees what Go was told of a panic, for Go to call.
pub fn forget() -> Function {
    Function {
        symbol: symbols::FORGET.to_owned(),
        params: vec![Param {
            name: "departure".to_owned(),
            ty: Type::Pointer {
                to: None,
                kind: PointerKind::Mut,
                nullable: true,
            },
        }],
        ..Function::default()
    }
}

/// The runtime's function that gives what is to be dropped of a cell, for Go to call when it has ended a use.
pub fn settle() -> Function {
    let mut function = Function {
        symbol: symbols::HANDLE_USED.to_owned(),
        ..forget()
    };
    if let Some(cell) = function.params.first_mut() {
        cell.name = "cell".to_owned();
    }
    function
}

/// The function of `rsyso-ffi` that frees what the library gave away, for Go to call.
pub fn free() -> Function {
    let size = |name: &str| Param {
        name: name.to_owned(),
        ty: Type::Int(Int::Usize),
    };
    let mut function = Function {
        symbol: FREE.to_owned(),
        ..forget()
    };
    if let Some(pointer) = function.params.first_mut() {
        pointer.name = "ptr".to_owned();
    }
    function.params.extend([size("size"), size("align")]);
    function
}

/// What Go calls for strings of C: `malloc`, `free` and `strlen`, the library's own where it brings them.
pub fn c_memory() -> [Function; 3] {
    let pointer = |kind, to| Type::Pointer {
        to,
        kind,
        nullable: true,
    };
    let function = |symbol: &str, param: &str, ty, result| Function {
        symbol: symbol.to_owned(),
        params: vec![Param {
            name: param.to_owned(),
            ty,
        }],
        result,
        ..Function::default()
    };
    let memory = || pointer(PointerKind::Mut, None);
    let text = pointer(PointerKind::Const, Some(Box::new(Type::Int(Int::I8))));
    let size = || Type::Int(Int::Usize);
    [
        function("malloc", "size", size(), Some(memory())),
        function("free", "p", memory(), None),
        function("strlen", "text", text, Some(size())),
    ]
}

/// The runtime's function that gives the user data of a function that the library has destroyed where Go could not hear of it, or 0.
pub fn due() -> Function {
    Function {
        symbol: symbols::KEPT_DUE.to_owned(),
        result: Some(Type::Int(Int::Usize)),
        ..Function::default()
    }
}

/// The runtime's function by which Go says that it has given the library a function to keep; what it gives says whether threads are to be served at once.
pub fn begin() -> Function {
    Function {
        symbol: symbols::KEPT_BEGIN.to_owned(),
        ..due()
    }
}

/// The runtime's function that waits for a thread of the library's own that calls a Go function, and gives what Go is shown of that.
pub fn next() -> Function {
    Function {
        symbol: symbols::KEPT_NEXT.to_owned(),
        ..due()
    }
}

/// What [`pool`] is called.
pub const POOL: &str = "rsyso_pool";

/// What gives the address of the pieces of code that stand for one Go function each ([`POOL_CODE`](crate::arch::POOL_CODE)).
pub fn pool() -> Function {
    Function::of_static(POOL, None)
}
