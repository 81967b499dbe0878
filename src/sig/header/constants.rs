//! Macros that are constants of simple kinds: integers, numbers with a fraction, strings. Others stand for code, or for nothing.

use std::collections::BTreeMap;

use super::comment;
use super::expr;
use super::macros::{Macro, NESTING_LIMIT};
use super::names::scalar;
use super::preprocess::{Clean, defined};
use crate::model::{Constant, Source, Type, Value};

/// What C and its standard headers define (C17 7.18, 7.19): not the library's.
const NOT_ITS_OWN: [&str; 5] = ["NULL", "EOF", "bool", "true", "false"];

/// The constants that a header's own text defines, by name.
pub(super) fn of(clean: &Clean, enumerators: &BTreeMap<String, i128>) -> Vec<(Constant, Source)> {
    let reading = Reading {
        macros: &clean.macros,
        enumerators,
    };
    let mut found = Vec::new();
    for (name, it) in &clean.macros {
        let row = (it.source.line as usize).saturating_sub(1);
        // Macros of other files come with those, and `-D` is the user's.
        let own = clean.source(row) == it.source;
        if !own
            || it.params.is_some()
            || name.starts_with('_')
            || NOT_ITS_OWN.contains(&name.as_str())
        {
            continue;
        }
        if let Some(value) = reading.value(&it.body, 0) {
            let constant = Constant {
                name: name.clone(),
                value,
                doc: comment::above(&clean.text, row),
            };
            found.push((constant, it.source.clone()));
        }
    }
    found
}

/// What names stand for.
struct Reading<'h> {
    macros: &'h BTreeMap<String, Macro>,
    enumerators: &'h BTreeMap<String, i128>,
}

impl Reading<'_> {
    fn value(&self, body: &str, depth: u32) -> Option<Value> {
        if depth > NESTING_LIMIT {
            return None;
        }
        let body = body.trim();
        if let Some(other) = self.macros.get(body).filter(|m| m.params.is_none()) {
            return self.value(&other.body, depth + 1);
        }
        if let Some(inside) = enclosed(body) {
            return self.value(inside, depth + 1);
        }
        if let Some(rest) = cast_to_float(body) {
            return match self.value(rest, depth + 1)? {
                Value::Int(n) => Some(Value::Float(n as f64)),
                Value::Float(n) => Some(Value::Float(n)),
                Value::Text(_) => None,
            };
        }
        let number = self.integer(body, depth).map(Value::Int);
        number
            .or_else(|| float(body).map(Value::Float))
            .or_else(|| text(body).map(Value::Text))
    }

    /// A constant expression; those whose value no integer of C has are none.
    fn integer(&self, body: &str, depth: u32) -> Option<i128> {
        let of_name = |name: &str| {
            let enumerator = self.enumerators.get(name).copied();
            enumerator.or_else(|| {
                let other = self.macros.get(name).filter(|m| m.params.is_none());
                let body = other.map(|m| m.body.as_str());
                match self.value(body.or_else(|| defined(name))?, depth + 1)? {
                    Value::Int(n) => Some(n),
                    _ => None,
                }
            })
        };
        let n = expr::evaluate(&expr::tokens(body)?, &of_name)?;
        (i128::from(i64::MIN)..=i128::from(u64::MAX))
            .contains(&n)
            .then_some(n)
    }
}

/// What stands between parentheses that belong together.
fn enclosed(body: &str) -> Option<&str> {
    let inside = body.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0usize;
    for c in inside.chars() {
        depth = match c {
            // Where these stand may be a string.
            '"' | '\'' => return None,
            '(' => depth + 1,
            ')' => depth.checked_sub(1)?,
            _ => depth,
        };
    }
    (depth == 0).then_some(inside)
}

/// `(double) 5` as the number that it is: an integer with a fraction has no other value.
fn cast_to_float(body: &str) -> Option<&str> {
    let (name, rest) = body.strip_prefix('(')?.split_once(')')?;
    let is_float = matches!(scalar(name.trim()), Some(Type::F32 | Type::F64));
    is_float.then_some(rest.trim())
}

/// A number with a fraction or an exponent (C17 6.4.4.2), which may have a sign.
fn float(body: &str) -> Option<f64> {
    let (sign, digits) = match body.strip_prefix('-') {
        Some(rest) => (-1.0, rest.trim_start()),
        None => (1.0, body.strip_prefix('+').map_or(body, str::trim_start)),
    };
    let number = digits.trim_end_matches(['f', 'F', 'l', 'L']);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    let begins = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let fraction = number.contains(['.', 'e', 'E']);
    if digits.len() - number.len() > 1 || !begins || !fraction || !number.chars().all(plain) {
        return None;
    }
    let value = match digits.ends_with(['f', 'F']) {
        true => f64::from(number.parse::<f32>().ok()?),
        false => number.parse::<f64>().ok()?,
    };
    value.is_finite().then_some(sign * value)
}

/// String literals, one behind the other (C17 6.4.5): their bytes.
fn text(body: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        rest = literal(rest.strip_prefix('"')?, &mut bytes)?.trim_start();
    }
    (!body.is_empty()).then_some(bytes)
}

/// The inside of a literal, and what follows it.
fn literal<'t>(text: &'t str, bytes: &mut Vec<u8>) -> Option<&'t str> {
    let mut rest = text;
    loop {
        let c = rest.chars().next()?;
        rest = rest.get(c.len_utf8()..)?;
        match c {
            '"' => return Some(rest),
            '\\' => rest = escape(rest, bytes)?,
            c => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// What stands behind a backslash (C17 6.4.4.4), and what follows it.
fn escape<'t>(text: &'t str, bytes: &mut Vec<u8>) -> Option<&'t str> {
    let (kind, rest) = text.split_at_checked(1)?;
    let simple = match kind {
        "n" => b'\n',
        "t" => b'\t',
        "r" => b'\r',
        "a" => 7,
        "b" => 8,
        "v" => 11,
        "f" => 12,
        "\\" | "\"" | "'" | "?" => *kind.as_bytes().first()?,
        "x" => {
            let end = rest
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(rest.len());
            bytes.push(u8::from_str_radix(rest.get(..end)?, 16).ok()?);
            return rest.get(end..);
        }
        _ => {
            let end = text
                .find(|c: char| !matches!(c, '0'..='7'))
                .unwrap_or(text.len())
                .min(3);
            bytes.push(u8::from_str_radix(text.get(..end)?, 8).ok()?);
            return text.get(end..);
        }
    };
    bytes.push(simple);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(body: &str) -> Option<Value> {
        let define = |name: &str, body: &str| {
            let found = Macro {
                params: None,
                body: body.to_owned(),
                source: Source::default(),
            };
            (name.to_owned(), found)
        };
        let macros = [
            define("N", "5"),
            define("SELF", "SELF"),
            define("A", "B"),
            define("B", "A + 1"),
            define("NAME", "\"name\""),
        ];
        let enumerators = [("FAST".to_owned(), 3)];
        Reading {
            macros: &macros.into(),
            enumerators: &enumerators.into(),
        }
        .value(body, 0)
    }

    #[test]
    fn values_are_those_of_c() {
        for (body, want) in [
            ("10", Value::Int(10)),
            ("0xFFFFFFFFFFFFFFFFull", Value::Int(u64::MAX.into())),
            ("(N << 2) | FAST", Value::Int(23)),
            ("(uint8_t)300", Value::Int(44)),
            ("((int8_t) -(N))", Value::Int(-5)),
            ("(unsigned long)(-1)", Value::Int(u64::MAX.into())),
            ("'a'", Value::Int(97)),
            ("1.5", Value::Float(1.5)),
            ("-2.5e-3f", Value::Float(f64::from(-2.5e-3f32))),
            ("(.5)", Value::Float(0.5)),
            ("(double)2", Value::Float(2.0)),
            ("((uint8_t)1 << 3) | INT8_MAX", Value::Int(127)),
            (
                "\"Gr\\xfc\" \"\\303\\274\\n\"",
                Value::Text(b"Gr\xfc\xc3\xbc\n".to_vec()),
            ),
            ("(NAME)", Value::Text(b"name".to_vec())),
            ("\")(\"", Value::Text(b")(".to_vec())),
        ] {
            assert_eq!(value(body), Some(want), "{body}");
        }
    }

    #[test]
    fn what_is_no_constant_has_no_value() {
        let deep = "(".repeat(5000) + "1" + &")".repeat(5000);
        for body in [
            "",
            "SELF",
            "A",
            "unknown",
            "extern",
            "__attribute__((x))",
            "(Foo){ .x = 1 }",
            "1.5.5",
            "1e999",
            "1.5ff",
            "\"open",
            "\"\\x100\"",
            "L\"wide\"",
            "(uint8_t)",
            "-9223372036854775809",
            &deep,
        ] {
            assert_eq!(value(body), None, "{body:.20}");
        }
    }
}
