//! wctype.h in the C locale: characters beyond ASCII are of no class, and have no other case.

use libc::{c_char, c_int, c_ulong};

use crate::c::string::bytes;

/// C's `wint_t`.
type Wide = u32;

/// The byte of an ASCII character.
fn ascii(c: Wide) -> Option<u8> {
    u8::try_from(c).ok().filter(u8::is_ascii)
}

/// A class: its name, and whether a character belongs to it.
type Class = (&'static [u8], fn(u8) -> bool);

/// The classes, as `wctype` numbers them from 1.
const CLASSES: [Class; 12] = [
    (b"alnum", |b| b.is_ascii_alphanumeric()),
    (b"alpha", |b| b.is_ascii_alphabetic()),
    (b"blank", |b| matches!(b, b' ' | b'\t')),
    (b"cntrl", |b| b.is_ascii_control()),
    (b"digit", |b| b.is_ascii_digit()),
    (b"graph", |b| b.is_ascii_graphic()),
    (b"lower", |b| b.is_ascii_lowercase()),
    (b"print", |b| b == b' ' || b.is_ascii_graphic()),
    (b"punct", |b| b.is_ascii_punctuation()),
    (b"space", |b| matches!(b, b' ' | 9..=13)),
    (b"upper", |b| b.is_ascii_uppercase()),
    (b"xdigit", |b| b.is_ascii_hexdigit()),
];

fn is(c: Wide, class: usize) -> c_int {
    let known = CLASSES.get(class).zip(ascii(c));
    known.is_some_and(|((_, holds), byte)| holds(byte)).into()
}

macro_rules! classes {
    ($($name:ident = $class:literal;)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            undeclared fn $name(c: Wide) -> c_int {
                is(c, $class)
            }
        )*}
    };
}

classes! {
    iswalnum = 0;
    iswalpha = 1;
    iswblank = 2;
    iswcntrl = 3;
    iswdigit = 4;
    iswgraph = 5;
    iswlower = 6;
    iswprint = 7;
    iswpunct = 8;
    iswspace = 9;
    iswupper = 10;
    iswxdigit = 11;
}

c_fn! {
    /// wctype(3): 0 for a class that is not known.
    undeclared fn wctype(name: *const c_char) -> c_ulong {
        let name = bytes(name);
        let class = CLASSES.iter().position(|(known, _)| *known == name);
        class.map_or(0, |class| class as c_ulong + 1)
    }

    /// iswctype(3)
    undeclared fn iswctype(c: Wide, class: c_ulong) -> c_int {
        is(c, (class as usize).wrapping_sub(1))
    }

    /// towlower(3)
    undeclared fn towlower(c: Wide) -> Wide {
        ascii(c).map_or(c, |b| b.to_ascii_lowercase().into())
    }

    /// towupper(3)
    undeclared fn towupper(c: Wide) -> Wide {
        ascii(c).map_or(c, |b| b.to_ascii_uppercase().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod host {
        use super::*;
        unsafe extern "C" {
            pub fn wctype(name: *const c_char) -> c_ulong;
            pub fn iswctype(c: Wide, class: c_ulong) -> c_int;
            pub fn towlower(c: Wide) -> Wide;
            pub fn towupper(c: Wide) -> Wide;
        }
    }

    #[test]
    fn classes_are_the_hosts() {
        type Is = unsafe extern "C" fn(Wide) -> c_int;
        let named: [Is; 12] = [
            iswalnum, iswalpha, iswblank, iswcntrl, iswdigit, iswgraph, iswlower, iswprint,
            iswpunct, iswspace, iswupper, iswxdigit,
        ];
        // SAFETY: numbers and C strings.
        unsafe {
            for ((name, _), is) in CLASSES.iter().zip(named) {
                let name = std::ffi::CString::new(*name).unwrap();
                let (ours, theirs) = (wctype(name.as_ptr()), host::wctype(name.as_ptr()));
                assert!(ours != 0);
                for c in (0..0x300).chain([0x4e00, 0x1_0000, u32::MAX]) {
                    let expected = host::iswctype(c, theirs) != 0;
                    assert_eq!(iswctype(c, ours) != 0, expected, "{name:?} {c:x}");
                    assert_eq!(is(c) != 0, expected, "{name:?} {c:x}");
                }
            }
            for c in (0..0x300).chain([u32::MAX]) {
                assert_eq!(
                    (towlower(c), towupper(c)),
                    (host::towlower(c), host::towupper(c))
                );
            }
            assert_eq!((wctype(c"none".as_ptr()), iswctype(65, 0)), (0, 0));
        }
    }
}
