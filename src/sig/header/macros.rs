//! Macros of the header: those with a value, and those that stand for attributes or for nothing.

use std::collections::BTreeMap;

use super::expr;
use crate::model::Source;

/// Macros in macros; more means that they define each other.
pub(super) const NESTING_LIMIT: u32 = 32;

/// A macro of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Macro {
    /// What its arguments are called, `...` the last of them if it takes any number; None of one that takes none.
    pub params: Option<Vec<String>>,
    /// What it stands for, without comments.
    pub body: String,
    /// Where it is defined.
    pub source: Source,
}

/// The value of a macro that is a constant expression.
pub(super) fn value(macros: &BTreeMap<String, Macro>, name: &str, depth: u32) -> Option<i128> {
    let found = macros.get(name).filter(|m| m.params.is_none())?;
    if depth > NESTING_LIMIT {
        return None;
    }
    expr::evaluate(&expr::tokens(&found.body)?, &|name| {
        value(macros, name, depth + 1)
    })
}

/// Whether a macro stands for nothing that a signature depends on: nothing at all, `extern`, attributes.
pub(super) fn is_decoration(body: &str) -> bool {
    let mut rest = body.trim();
    while !rest.is_empty() {
        let word = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, tail) = rest.split_at(word);
        let tail = tail.trim_start();
        rest = match name {
            "extern" | "__cdecl" | "inline" | "__extension__" => tail,
            "__attribute__" | "__attribute" | "__declspec" | "_declspec" => {
                let Some(arguments) = parenthesised(tail) else {
                    return false;
                };
                if changes_layout(arguments) {
                    return false;
                }
                tail.get(arguments.len()..).unwrap_or_default()
            }
            _ => return false,
        }
        .trim_start();
    }
    true
}

/// Whether an attribute changes how a value lies or travels.
pub(super) fn changes_layout(attribute: &str) -> bool {
    let words = attribute.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.map(|w| w.trim_matches('_')).any(|w| {
        matches!(
            w,
            "packed"
                | "aligned"
                | "align"
                | "alignas"
                | "Alignas"
                | "mode"
                | "vector_size"
                | "ms_struct"
                | "ms_abi"
                | "regparm"
                | "scalar_storage_order"
                | "transparent_union"
                | "vectorcall"
                | "address_space"
        )
    })
}

/// `(...)` that a text begins with, the parentheses balanced.
fn parenthesised(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => depth,
        };
        if depth == 0 {
            return text.get(..=at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decorations() {
        for body in [
            "",
            "extern",
            "__attribute__((visibility(\"default\"))) extern",
            "__declspec(dllexport)",
        ] {
            assert!(is_decoration(body), "{body}");
        }
        for body in [
            "int",
            "__attribute__((packed))",
            "__attribute__",
            "__attribute__((x)",
            "extern \"C\"",
        ] {
            assert!(!is_decoration(body), "{body}");
        }
    }
}
