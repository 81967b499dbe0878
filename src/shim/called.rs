//! What the library is given for Go functions, and what it calls by name: functions that lay out a frame as Go reads it, and have Go called.

use std::fmt::Write;

use crate::contract::KEPT_POOL;
use crate::model::goabi::{self, WORD};
use crate::model::{Api, Type};

use super::types::Types;

/// How Go finds the function that is meant.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// The call of the export of this number was given it, as one of several.
    Call { export: usize, number: usize },
    /// The library keeps those of this number; this parameter, the user data, says which.
    Kept { id: usize, user: usize },
    /// The library keeps those of this number; the piece of code that it called says which.
    Piece { id: usize },
    /// The library calls the one of this number by its symbol.
    Name { which: usize, symbol: &'a str },
}

/// A function that stands for one of Go's.
pub(super) struct Called<'a> {
    pub(super) by: By<'a>,
    pub(super) name: &'a str,
    pub(super) params: &'a [Type],
    pub(super) result: Option<&'a Type>,
}

/// The name of what stands for the kept functions of a number.
pub(super) fn kept_name(id: usize) -> String {
    format!("k{id}")
}

/// What stands for the functions that may be called in any call: those that the library keeps, and, numbered behind them as in images, those that it
/// calls by name. Each comes with what it is known by to users.
pub(super) fn in_any_call<'a>(
    api: &'a Api,
    types: &mut Types<'_>,
) -> Vec<(&'a str, std::result::Result<String, String>)> {
    let mut all = Vec::new();
    for (id, kept) in api.kept().iter().enumerate() {
        let name = kept_name(id);
        let by = match &kept.ty {
            Type::Callback {
                user: Some(user), ..
            } => By::Kept {
                id,
                user: user.place,
            },
            _ => By::Piece { id },
        };
        let code = function(api, types, by, &name, &kept.ty);
        all.push((kept.owner.name(), code));
    }
    for (index, import) in api.imports().iter().enumerate() {
        let by = By::Name {
            which: api.kept().len() + index,
            symbol: &import.symbol,
        };
        let code = function(api, types, by, &format!("n{index}"), &import.ty);
        all.push((import.symbol.as_str(), code));
    }
    all
}

/// The pieces of code that stand for one Go function each, as [`crate::arch::POOL_CODE`] has them in an image: here they are functions anywhere, so
/// there is a table of them.
pub(super) fn pieces(api: &Api) -> Option<String> {
    let many = u64::from(api.pool());
    let mut all = String::new();
    let mut next = 0;
    for (id, _) in api.pooled() {
        for _ in 0..many {
            // Writing into a String does not fail.
            let _ = write!(all, "p{id}::<{}> as *const c_void, ", KEPT_POOL + next);
            next += 1;
        }
    }
    (next > 0).then(|| {
        format!(
            "struct Pieces([*const c_void; {next}]);

// SAFETY: addresses of functions.
unsafe impl Sync for Pieces {{}}

static PIECES: Pieces = Pieces([{all}]);

unsafe fn pieces(at: *mut u8) {{
    unsafe {{ at.cast::<*const Pieces>().write(&PIECES) }}
}}

"
        )
    })
}

fn function(
    api: &Api,
    types: &mut Types<'_>,
    by: By<'_>,
    name: &str,
    ty: &Type,
) -> std::result::Result<String, String> {
    let Type::Callback { params, result, .. } = ty else {
        return Err("it is no function".to_owned());
    };
    let called = Called {
        by,
        name,
        params,
        result: result.as_deref(),
    };
    called.code(api, types)
}

impl Called<'_> {
    /// The function in Rust: it lays out the frame that Go reads, and has Go called.
    pub(super) fn code(
        &self,
        api: &Api,
        types: &mut Types<'_>,
    ) -> std::result::Result<String, String> {
        let frame = goabi::frame(api, &goabi::callback(self.params, self.result));
        let mut declared = Vec::new();
        let mut lines = String::new();
        for (n, (ty, slot)) in self.params.iter().zip(&frame.params).enumerate() {
            let at = slot.offset;
            // Writing into a String does not fail.
            match ty {
                Type::Slice { pair: Some(_), .. } | Type::Text { .. } => {
                    return Err("a pointer and a length of a Go function".into());
                }
                Type::Str | Type::Slice { .. } => {
                    declared.push(format!("a{n}: Fat"));
                    let _ = writeln!(
                        lines,
                        "        let a{n} = nil(a{n});\n        at.add({at}).cast::<Fat>().write(a{n});"
                    );
                    if *ty != Type::Str {
                        let _ = writeln!(
                            lines,
                            "        at.add({}).cast::<usize>().write(a{n}.len);",
                            at + 2 * WORD
                        );
                    }
                }
                ty => {
                    let spelled = types.spelled(ty)?;
                    declared.push(format!("a{n}: {spelled}"));
                    let _ = writeln!(
                        lines,
                        "        at.add({at}).cast::<{spelled}>().write(a{n});"
                    );
                }
            }
        }
        let (result, read) = match (self.result, &frame.result) {
            (Some(ty), Some(slot)) => {
                let spelled = types.spelled(ty)?;
                let read = format!("at.add({}).cast::<{spelled}>().read()", slot.offset);
                (format!(" -> {spelled}"), read)
            }
            _ => (String::new(), String::new()),
        };
        let name = self.name;
        let mut piece = String::new();
        let (exported, has_called) = match self.by {
            By::Call { export, number } => (String::new(), format!("go({export}, {number}, at);")),
            By::Kept { id, user } => (
                String::new(),
                format!("go_any({id}, a{user} as usize, at);"),
            ),
            By::Piece { id } => {
                let given = (0..self.params.len()).map(|n| format!("a{n}, "));
                let given: String = given.collect();
                piece = format!(
                    "unsafe extern \"C-unwind\" fn p{id}<const PIECE: usize>({}){result} {{\n    unsafe {{ {name}({given}PIECE) }}\n}}\n\n",
                    declared.join(", ")
                );
                declared.push("piece: usize".to_owned());
                (
                    "#[inline(never)]\n".to_owned(),
                    format!("go_any({id}, piece, at);"),
                )
            }
            By::Name { which, symbol } => (
                format!("#[export_name = {symbol:?}]\npub "),
                format!("go_any({which}, BY_NAME, at);"),
            ),
        };
        Ok(format!(
            "{piece}{exported}unsafe extern \"C-unwind\" fn {name}({}){result} {{\n    let mut frame = GoFrame([0u8; {}]);\n    let at = frame.0.as_mut_ptr();\n    unsafe {{\n{lines}        {has_called}\n        {read}\n    }}\n}}\n\n",
            declared.join(", "),
            frame.size.max(1)
        ))
    }
}
