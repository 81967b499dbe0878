//! The structs that the runtime and generated Go code share, as Go declares them: made from the contract (`rt/src/contract.rs`).

use crate::contract::GoStruct;

/// What Go makes of a field.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// Uses it; its name says all.
    Named,
    /// Uses it; a comment.
    Told(&'static str),
    /// Has no use for it; a comment.
    Blank(&'static str),
}

/// The fields of a struct, a line each as gofmt lays them out, `of` saying what Go makes of each. Those of one type that need no comment share a line.
pub(super) fn fields(of: GoStruct, told: impl Fn(&str) -> Field) -> String {
    let mut lines: Vec<(String, &str, Option<&str>)> = Vec::new();
    for (name, ty) in of.fields {
        let (name, ty, comment) = match told(name) {
            Field::Named => (*name, *ty, None),
            Field::Told(comment) => (*name, *ty, Some(comment)),
            Field::Blank(comment) => ("_", plain(ty), Some(comment)),
        };
        match lines.last_mut() {
            Some((names, last, None)) if *last == ty && comment.is_none() => {
                names.push_str(", ");
                names.push_str(name);
            }
            _ => lines.push((name.to_owned(), ty, comment)),
        }
    }
    let names = lines.iter().map(|l| l.0.len()).max().unwrap_or(0);
    let commented = lines.iter().filter(|l| l.2.is_some());
    let types = commented.map(|l| l.1.len()).max().unwrap_or(0);
    let print = |(name, ty, comment): &(String, &str, Option<&str>)| match comment {
        Some(comment) => format!("\t{name:names$} {ty:types$} // {comment}"),
        None => format!("\t{name:names$} {ty}"),
    };
    lines.iter().map(print).collect::<Vec<_>>().join("\n")
}

/// The type of a field that is not used: without what sync/atomic adds, which may not be imported.
fn plain(ty: &str) -> &str {
    match ty {
        "atomic.Int32" => "int32",
        "atomic.Uint32" => "uint32",
        ty => ty,
    }
}
