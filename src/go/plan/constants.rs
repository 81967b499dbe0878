//! Constants of C headers.

use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Api, Value};

use super::doc;
use super::scope::Scope;
use super::types::{Row, aligned};

/// The declaration of all constants, if there are any: untyped, as they are in C.
pub(super) fn declare(api: &Api, scope: &Scope) -> Option<Item> {
    let first = scope.constants.first()?;
    let all = api.constants().iter().zip(&scope.constants);
    let rows = all.map(|(constant, name)| {
        let row = Row::new(name.clone(), format!("= {}", literal(&constant.value)));
        row.comment(doc::lines(&constant.doc))
    });
    let lines = aligned(&rows.collect::<Vec<_>>());
    let text = format!("const (\n{}\n)", lines.join("\n"));
    let declared = Declaration::new(Kind::Const, first, text);
    Some(
        declared
            .doc(["Constants of the library's C header."])
            .into(),
    )
}

/// As Go writes it (Go specification, "Constants").
fn literal(value: &Value) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Float(n) => format!("{n:?}"),
        Value::Text(bytes) => text(bytes),
    }
}

fn text(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                // No byte order mark may stand inside of a file, and what cannot be seen is spelled out.
                c if c.is_control() || c == '\u{feff}' => {
                    let mut bytes = [0; 4];
                    let bytes = c.encode_utf8(&mut bytes).bytes();
                    out.extend(bytes.map(|b| format!("\\x{b:02x}")));
                }
                c => out.push(c),
            }
        }
        out.extend(chunk.invalid().iter().map(|b| format!("\\x{b:02x}")));
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_reads_what_c_says() {
        for (value, want) in [
            (Value::Int(-5), "-5"),
            (Value::Float(2.0), "2.0"),
            (Value::Float(1e300), "1e300"),
            (
                Value::Text(b"a\"\\\n\0\xff".to_vec()),
                r#""a\"\\\n\x00\xff""#,
            ),
            (
                Value::Text("Gr\u{fc}\u{feff}".into()),
                r#""Grü\xef\xbb\xbf""#,
            ),
        ] {
            assert_eq!(literal(&value), want);
        }
    }
}
