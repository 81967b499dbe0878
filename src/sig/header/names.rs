//! C's names of types, and how cbindgen writes Rust's names.

use crate::model::{Int, Type, Variant};
use crate::sig::types::Why;

/// The type that C or a standard header gives a name, on the 64-bit platforms of Linux.
pub(super) fn scalar(name: &str) -> Option<Type> {
    let int = match name {
        "int8_t" => Int::I8,
        "int16_t" => Int::I16,
        "int32_t" => Int::I32,
        "int64_t" | "intmax_t" => Int::I64,
        "uint8_t" => Int::U8,
        "uint16_t" | "char16_t" => Int::U16,
        "uint32_t" => Int::U32,
        "uint64_t" | "uintmax_t" => Int::U64,
        "uintptr_t" | "size_t" => Int::Usize,
        "intptr_t" | "ptrdiff_t" | "ssize_t" => Int::Isize,
        "wchar_t" => Int::I32,
        "char32_t" => return Some(Type::Char),
        "bool" | "_Bool" => return Some(Type::Bool),
        "float" => return Some(Type::F32),
        "double" => return Some(Type::F64),
        _ => return arithmetic(name),
    };
    Some(Type::Int(int))
}

/// The type of a name that no header given declares, if it is one of C, of a standard header or of the system's.
pub(super) fn undeclared(name: &str) -> Option<Type> {
    scalar(name).or_else(|| of_the_system(name).map(Type::Int))
}

/// The types of POSIX and other system headers that are the same on all 64-bit platforms of Linux, whichever libc (<bits/typesizes.h> and <netinet/in.h> of glibc,
/// <bits/alltypes.h> of musl). Those that differ (`nlink_t`, `blksize_t`, `int_fast16_t`) are none of them. Nothing reserves most of these names: a
/// header's own `typedef` counts before them.
fn of_the_system(name: &str) -> Option<Int> {
    Some(match name {
        "int_least8_t" | "int_fast8_t" => Int::I8,
        "uint_least8_t" | "uint_fast8_t" | "u_char" | "u_int8_t" => Int::U8,
        "int_least16_t" => Int::I16,
        "uint_least16_t" | "u_short" | "ushort" | "u_int16_t" => Int::U16,
        "int_least32_t" => Int::I32,
        "uint_least32_t" | "u_int" | "uint" | "u_int32_t" => Int::U32,
        "int_least64_t" | "int_fast64_t" => Int::I64,
        "uint_least64_t" | "uint_fast64_t" | "u_long" | "ulong" | "u_int64_t" => Int::U64,
        "socklen_t" | "mode_t" | "uid_t" | "gid_t" | "id_t" | "useconds_t" | "in_addr_t" => {
            Int::U32
        }
        "pid_t" | "key_t" | "clockid_t" | "sig_atomic_t" => Int::I32,
        "off_t" | "off64_t" | "loff_t" | "time_t" | "clock_t" | "suseconds_t" | "blkcnt_t" => {
            Int::I64
        }
        "dev_t" | "ino_t" | "ino64_t" | "rlim_t" | "nfds_t" => Int::U64,
        "in_port_t" | "sa_family_t" => Int::U16,
        _ => return None,
    })
}

/// `unsigned long int` and its kin, the words in any order (C17 6.7.2). A `char` is signed, whatever it is on the machine: it is Rust's
/// `c_char`, which is `int8` everywhere.
fn arithmetic(name: &str) -> Option<Type> {
    let count = |word| name.split(' ').filter(|w| *w == word).count();
    let known = ["signed", "unsigned", "char", "short", "int", "long"];
    if !name.split(' ').all(|w| known.contains(&w)) {
        return None;
    }
    let (signed, unsigned) = (count("signed"), count("unsigned"));
    let (char, short, int, long) = (count("char"), count("short"), count("int"), count("long"));
    if signed + unsigned > 1 || char > 1 || short > 1 || int > 1 {
        return None;
    }
    let pair = match (char, short, int, long) {
        (1, 0, 0, 0) => (Int::I8, Int::U8),
        (0, 1, _, 0) => (Int::I16, Int::U16),
        (0, 0, _, 0) => (Int::I32, Int::U32),
        (0, 0, _, 1 | 2) => (Int::I64, Int::U64),
        _ => return None,
    };
    Some(Type::Int(if unsigned == 1 { pair.1 } else { pair.0 }))
}

/// Why a name is of no use.
pub(super) fn unknown(name: &str) -> Why {
    let words = [
        "long double",
        "__int128",
        "_Complex",
        "_Float128",
        "_Decimal64",
    ];
    match words.iter().any(|w| name.contains(w)) {
        true => Why::new(format!("is `{name}`, which has no counterpart in Go")),
        false => Why::new(format!("is `{name}`, which no header given declares")).help(
            "give the header that declares it too: `--header` may be repeated; or run the C preprocessor first",
        ),
    }
}

/// The integer of a C enum without a type of its own.
pub(super) fn plain_enum(values: impl Iterator<Item = i128> + Clone) -> Option<Int> {
    if values.clone().all(|v| u32::try_from(v).is_ok()) {
        Some(Int::U32)
    } else if values.clone().all(|v| i32::try_from(v).is_ok()) {
        Some(Int::I32)
    } else {
        None
    }
}

/// cbindgen writes the fields of a tuple struct as `_0`, `_1`, ...
pub(super) fn field(name: &str) -> String {
    let number = name
        .strip_prefix('_')
        .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    number.unwrap_or(name).to_owned()
}

/// C has one namespace for all enumerators, so many of them begin with their type's name, in one spelling or another: `Mode_Fast`, `HTTP_MODE_FAST` of
/// `HttpMode` or `http_mode_t`. Go's constants get that name anyway.
pub(super) fn without_type_name(title: &str, variants: &mut [Variant]) {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let stem = ["_t", "_e", "_enum"]
        .iter()
        .find_map(|s| title.strip_suffix(s));
    let titles = [plain(title), plain(stem.unwrap_or(title))];
    let first = variants.first().map_or(String::new(), |v| v.name.clone());
    let ends = first.match_indices('_').map(|(at, _)| at + 1);
    let mut prefixes = ends.filter_map(|end| first.get(..end));
    let Some(prefix) = prefixes.find(|p| titles.contains(&plain(p))) else {
        return;
    };
    let rest = |v: &Variant| {
        let rest = v.name.strip_prefix(prefix)?;
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            .then(|| rest.to_owned())
    };
    let names: Option<Vec<String>> = variants.iter().map(rest).collect();
    for (variant, name) in variants.iter_mut().zip(names.into_iter().flatten()) {
        variant.name = name;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_c() {
        for (name, want) in [
            ("unsigned long long int", Int::U64),
            ("long", Int::I64),
            ("unsigned", Int::U32),
            ("short unsigned", Int::U16),
            ("char", Int::I8),
            ("signed char", Int::I8),
            ("unsigned char", Int::U8),
            ("size_t", Int::Usize),
        ] {
            assert_eq!(scalar(name), Some(Type::Int(want)), "{name}");
        }
        for name in [
            "",
            "long double",
            "unsigned signed",
            "long long long",
            "char int",
            "foo_t",
            "void",
        ] {
            assert_eq!(scalar(name), None, "{name}");
        }
    }

    #[test]
    fn enumerators_lose_the_name_of_their_type() {
        let names = |title: &str, names: &[&str]| {
            let variant = |name: &&str| Variant {
                name: name.to_string(),
                ..Variant::default()
            };
            let mut variants: Vec<_> = names.iter().map(variant).collect();
            without_type_name(title, &mut variants);
            variants.into_iter().map(|v| v.name).collect::<Vec<_>>()
        };
        assert_eq!(names("Mode", &["Mode_Fast", "Mode_Slow"]), ["Fast", "Slow"]);
        assert_eq!(
            names("HttpMode", &["HTTP_MODE_VERY_FAST", "HTTP_MODE_B"]),
            ["VERY_FAST", "B"]
        );
        assert_eq!(
            names("AMobjType", &["AM_OBJ_TYPE_DEFAULT", "AM_OBJ_TYPE_LIST"]),
            ["DEFAULT", "LIST"]
        );
        assert_eq!(names("mode_t", &["MODE_A", "MODE_B"]), ["A", "B"]);
        assert_eq!(names("Mode", &["Mode_Fast", "Slow"]), ["Mode_Fast", "Slow"]);
        assert_eq!(names("Mode", &["Mode_1"]), ["Mode_1"]);
    }
}
