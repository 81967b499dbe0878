//! Constant expressions: of `#if`, of enumerators, of array lengths (C17 6.6 and 6.10.1).
//!
//! Values are wider than any integer of C, so that the sign of unsigned ones need not be followed; what leaves that range has no value.

use super::names::scalar;
use crate::model::{Int, Type};

/// Operators in operators; more means damage.
const NESTING_LIMIT: u32 = 64;

/// One token of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A number, a character or `defined(X)`, evaluated.
    Number(i128),
    /// A name, to be looked up.
    Name(String),
    /// An operator or a parenthesis.
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 23] = [
    "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "<", ">", "&", "|",
    "^", "~", "!", "(", ")", ",",
];

/// Cuts an expression into tokens; None when it holds anything else.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (token, used) = if first.is_ascii_digit() {
            (Token::Number(number(rest.get(..word)?)?), word)
        } else if word > 0 {
            (Token::Name(rest.get(..word)?.to_owned()), word)
        } else if first == '\'' {
            let (value, used) = character(rest)?;
            (Token::Number(value), used)
        } else {
            let sign = SIGNS.iter().find(|s| rest.starts_with(**s))?;
            (Token::Sign(sign), sign.len())
        };
        out.push(token);
        rest = rest.get(used..)?.trim_start();
    }
    Some(out)
}

/// An integer literal (C17 6.4.4.1); its type does not matter here.
pub(super) fn number(text: &str) -> Option<i128> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(['u', 'l']);
    let suffix = lower.get(digits.len()..)?;
    if !matches!(suffix, "" | "u" | "l" | "ul" | "lu" | "ll" | "ull" | "llu") {
        return None;
    }
    let (digits, radix) = if let Some(hex) = digits.strip_prefix("0x") {
        (hex, 16)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        (binary, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (digits, 8)
    } else {
        (digits, 10)
    };
    let value = u64::from_str_radix(digits, radix).ok()?;
    Some(value.into())
}

/// `'a'` and `'\n'`, and how many bytes it takes.
fn character(text: &str) -> Option<(i128, usize)> {
    let mut chars = text.get(1..)?.chars();
    let (value, used) = match chars.next()? {
        '\\' => match chars.next()? {
            'n' => ('\n', 2),
            't' => ('\t', 2),
            'r' => ('\r', 2),
            '0' => ('\0', 2),
            c @ ('\\' | '\'' | '"') => (c, 2),
            _ => return None,
        },
        c if c.is_ascii() && c != '\'' => (c, 1),
        _ => return None,
    };
    (chars.next()? == '\'').then_some((i128::from(u32::from(value)), used + 2))
}

/// Evaluates an expression. None when it is not one, or when a name has no value.
pub(super) fn evaluate(tokens: &[Token], value_of: &dyn Fn(&str) -> Option<i128>) -> Option<i128> {
    let mut parser = Parser {
        tokens,
        value_of,
        depth: 0,
    };
    let value = parser.binary(0)?;
    parser.tokens.is_empty().then_some(value)
}

struct Parser<'a> {
    /// Those that are left.
    tokens: &'a [Token],
    value_of: &'a dyn Fn(&str) -> Option<i128>,
    depth: u32,
}

/// How tightly a binary operator binds (C17 6.5, from 6.5.5 to 6.5.14).
fn strength(sign: &str) -> Option<u8> {
    Some(match sign {
        "||" => 1,
        "&&" => 2,
        "|" => 3,
        "^" => 4,
        "&" => 5,
        "==" | "!=" => 6,
        "<" | ">" | "<=" | ">=" => 7,
        "<<" | ">>" => 8,
        "+" | "-" => 9,
        "*" | "/" | "%" => 10,
        _ => return None,
    })
}

impl Parser<'_> {
    fn binary(&mut self, least: u8) -> Option<i128> {
        self.depth = self.depth.checked_add(1).filter(|d| *d < NESTING_LIMIT)?;
        let mut left = self.unary()?;
        while let Some(Token::Sign(sign)) = self.tokens.first()
            && let Some(strength) = strength(sign).filter(|s| *s > least)
        {
            self.tokens = self.tokens.get(1..)?;
            let right = self.binary(strength)?;
            left = apply(sign, left, right)?;
        }
        self.depth -= 1;
        Some(left)
    }

    /// Takes `uint8_t)` away, if that is what stands behind a parenthesis.
    fn cast(&mut self) -> Option<Type> {
        let is_name = |t: &&Token| matches!(t, Token::Name(_));
        let words = self.tokens.iter().take_while(is_name).count();
        let (name, rest) = self.tokens.split_at_checked(words)?;
        let rest = rest.strip_prefix(&[Token::Sign(")")])?;
        let name = name.iter().filter_map(|t| match t {
            Token::Name(word) => Some(word.as_str()),
            _ => None,
        });
        let ty = scalar(&name.collect::<Vec<_>>().join(" "))?;
        self.tokens = rest;
        Some(ty)
    }

    fn unary(&mut self) -> Option<i128> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match first {
            Token::Number(value) => Some(*value),
            Token::Name(name) => (self.value_of)(name),
            Token::Sign("(") if let Some(ty) = self.cast() => {
                self.depth = self.depth.checked_add(1).filter(|d| *d < NESTING_LIMIT)?;
                let value = self.unary()?;
                self.depth -= 1;
                converted(value, &ty)
            }
            Token::Sign("(") => {
                let value = self.binary(0)?;
                let (close, rest) = self.tokens.split_first()?;
                self.tokens = rest;
                (*close == Token::Sign(")")).then_some(value)
            }
            Token::Sign(sign @ ("-" | "+" | "~" | "!")) => {
                self.depth = self.depth.checked_add(1).filter(|d| *d < NESTING_LIMIT)?;
                let value = self.unary()?;
                self.depth -= 1;
                match *sign {
                    "-" => value.checked_neg(),
                    "~" => Some(!value),
                    "!" => Some(i128::from(value == 0)),
                    _ => Some(value),
                }
            }
            Token::Sign(_) => None,
        }
    }
}

/// An integer as another type has it (C17 6.3.1.3; of what does not fit a signed type, the bits that GCC keeps). None as a number with a fraction.
pub(super) fn converted(n: i128, ty: &Type) -> Option<i128> {
    let int = match ty {
        Type::Int(int) => *int,
        Type::Bool => return Some(i128::from(n != 0)),
        Type::Char => Int::U32,
        _ => return None,
    };
    let bits = u32::try_from(8 * int.size()).ok()?;
    let low = n & ((1i128 << bits) - 1);
    let negative = int.signed() && low >> (bits - 1) == 1;
    Some(low - if negative { 1i128 << bits } else { 0 })
}

fn apply(sign: &str, left: i128, right: i128) -> Option<i128> {
    let truth = |b: bool| Some(i128::from(b));
    match sign {
        "||" => truth(left != 0 || right != 0),
        "&&" => truth(left != 0 && right != 0),
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        // C has no value for shifts by a type's width or more.
        "<<" if (0..64).contains(&right) => left.checked_mul(1i128 << right),
        ">>" if (0..64).contains(&right) => Some(left >> right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<i128> {
        evaluate(&tokens(text)?, &|name| (name == "N").then_some(5))
    }

    #[test]
    fn values_are_those_of_c() {
        for (text, want) in [
            ("1 + 2 * 3", 7),
            ("10 - 2 - 3", 5),
            ("1 << 3 | 0x10", 24),
            ("-(N + 1)", -6),
            ("0b101 + 017 + 10ULL", 30),
            ("'a' == 97 && !0", 1),
            ("~0 & 0xff", 255),
            ("18446744073709551615u", u64::MAX.into()),
            ("3 > 2 > 1", 0),
            ("(uint8_t)300 + 1", 45),
            ("(signed char)-(unsigned)1", -1),
            ("(unsigned long)-1 >> 60", 15),
            ("(bool)7", 1),
        ] {
            assert_eq!(value(text), Some(want), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_has_none() {
        let deep = "(".repeat(5000) + "1" + &")".repeat(5000);
        let many = "-".repeat(5000) + "1";
        for text in [
            "",
            "1 +",
            "(1",
            "1)",
            "M",
            "1 / 0",
            "1 << 64",
            "1.5",
            "\"x\"",
            "08",
            "1 2",
            "1u1",
            "''",
            "a ? b : c",
            "(int)",
            "(float)1",
            &deep,
            &many,
        ] {
            assert_eq!(value(text), None, "{text:.20}");
        }
        assert_eq!(value(&vec!["1"; 100_000].join("+")), Some(100_000));
    }
}
