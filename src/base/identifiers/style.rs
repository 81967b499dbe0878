//! How Go names are spelled: as Go has them, or as C has them.

use super::{
    Prefix, change_first, exported, free, is_identifier_char, lowered, member, parameter, single,
    words,
};

/// How Go names are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As Go has them: `count_words` is `CountWords`.
    #[default]
    Go,
    /// As C has them, as far as Go allows: what others may use begins in upper case there. `count_words` is `Count_words`, and `MAX_LEN` stays.
    C,
}

/// How exports, types and constants are named in Go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// How names are spelled.
    pub style: Style,
    /// What they leave out.
    pub prefix: Prefix,
}

impl Naming {
    /// As `--names` and `--trim-prefix` say. C's names are whole, unless a prefix is given.
    pub fn new(style: Style, given: Option<&str>) -> Naming {
        let prefix = match style {
            Style::Go => Prefix::new(given),
            Style::C => Prefix::Given(given.unwrap_or_default().to_owned()),
        };
        Naming { style, prefix }
    }
}

impl Style {
    /// As the function [`exported`] does for Go's style.
    pub fn exported(self, name: &str, lead: char) -> String {
        match self {
            Style::Go => exported(name, lead),
            Style::C => {
                let mut out = change_first(&spelling(name), |c| single(c.to_uppercase()));
                if !out.chars().next().is_some_and(char::is_uppercase) {
                    out.insert(0, lead);
                }
                out
            }
        }
    }

    /// As the function [`parameter`] does for Go's style.
    pub fn parameter(self, name: &str, index: usize) -> String {
        match self {
            Style::Go => parameter(name, index),
            Style::C => {
                let name = spelling(name);
                let digit = name.starts_with(|c: char| c.is_ascii_digit());
                let out = match name.chars().any(char::is_alphanumeric) && !digit {
                    true => change_first(&name, |c| single(c.to_lowercase())),
                    false => format!("arg{index}"),
                };
                free(out)
            }
        }
    }

    /// A constant of C.
    pub fn constant(self, name: &str) -> String {
        match self {
            Style::Go => exported(&lowered(name), 'X'),
            Style::C => self.exported(name, 'X'),
        }
    }

    /// A constant that stands for a variant; `ty` is the Go name of the type, `in_c` what C calls it, where that is known.
    pub fn variant(self, ty: &str, name: &str, in_c: &str) -> String {
        match self {
            // The type's name leads, so a variant may begin with any letter.
            Style::Go => format!("{ty}{}", member(name)),
            Style::C if in_c.is_empty() => format!("{ty}_{}", spelling(name)),
            Style::C => self.exported(in_c, 'X'),
        }
    }
}

/// A name as it is written, without what no identifier may hold.
fn spelling(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    match name.chars().all(is_identifier_char) {
        true => name.to_owned(),
        false => words(name).join("_"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::is_identifier;
    use super::*;

    #[test]
    fn names_of_c_stay_as_far_as_go_allows() {
        for (c, go) in [
            ("foo_open", "Foo_open"),
            ("foo_OPEN", "Foo_OPEN"),
            ("FOO_MAX", "FOO_MAX"),
            ("foo_t", "Foo_t"),
            ("_foo", "X_foo"),
            ("__foo__bar_", "X__foo__bar_"),
            ("3d", "X3d"),
            ("r#type", "Type"),
            ("Pair<u8>", "Pair_u8"),
            ("Wrapper<alloc::string::String>", "Wrapper_String"),
        ] {
            assert_eq!(Style::C.exported(c, 'X'), go, "{c}");
            assert!(is_identifier(&Style::C.exported(c, 'X')), "{c}");
        }
        for (c, go) in [
            ("text_len", "text_len"),
            ("Url", "url"),
            ("_unused", "_unused"),
            ("type", "type_"),
            ("panic", "panic_"),
            ("rsyso_x", "rsyso_x_"),
            ("_", "arg7"),
            ("__", "arg7"),
            ("", "arg7"),
            ("0", "arg7"),
        ] {
            assert_eq!(Style::C.parameter(c, 7), go, "{c}");
            assert!(is_identifier(&Style::C.parameter(c, 7)), "{c}");
        }
        assert_eq!(Style::C.variant("Mode_t", "Fast", "MODE_FAST"), "MODE_FAST");
        assert_eq!(Style::C.variant("Mode", "Fast", ""), "Mode_Fast");
        assert_eq!(Style::Go.variant("Mode", "FAST", "MODE_FAST"), "ModeFAST");
        let naming = |style, given| Naming::new(style, given).prefix;
        assert_eq!(naming(Style::C, None), Prefix::Given(String::new()));
        assert_eq!(naming(Style::C, Some("a_")), naming(Style::Go, Some("a_")));
    }
}
