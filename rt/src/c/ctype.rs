//! ctype.h, in the C locale: functions, and the tables that glibc's macros read.

use libc::c_int;

/// glibc's bits (ctype.h, `_ISbit`, little-endian).
mod bit {
    pub const UPPER: u16 = 0x100;
    pub const LOWER: u16 = 0x200;
    pub const ALPHA: u16 = 0x400;
    pub const DIGIT: u16 = 0x800;
    pub const XDIGIT: u16 = 0x1000;
    pub const SPACE: u16 = 0x2000;
    pub const PRINT: u16 = 0x4000;
    pub const GRAPH: u16 = 0x8000;
    pub const BLANK: u16 = 0x1;
    pub const CNTRL: u16 = 0x2;
    pub const PUNCT: u16 = 0x4;
    pub const ALNUM: u16 = 0x8;
}

/// What a byte is.
const fn class(b: u8) -> u16 {
    let mut class = 0;
    let sets = [
        (b.is_ascii_uppercase(), bit::UPPER),
        (b.is_ascii_lowercase(), bit::LOWER),
        (b.is_ascii_alphabetic(), bit::ALPHA),
        (b.is_ascii_digit(), bit::DIGIT),
        (b.is_ascii_hexdigit(), bit::XDIGIT),
        (b == b' ' || b >= 9 && b <= 13, bit::SPACE),
        (b.is_ascii_graphic() || b == b' ', bit::PRINT),
        (b.is_ascii_graphic(), bit::GRAPH),
        (b == b' ' || b == b'\t', bit::BLANK),
        (b.is_ascii_control(), bit::CNTRL),
        (b.is_ascii_punctuation(), bit::PUNCT),
        (b.is_ascii_alphanumeric(), bit::ALNUM),
    ];
    let mut i = 0;
    while i < sets.len() {
        if sets[i].0 {
            class |= sets[i].1;
        }
        i += 1;
    }
    class
}

/// The tables have a place for every `signed char`, every `unsigned char`, and EOF, which is -1.
const ENTRIES: usize = 384;
const ZERO: usize = 128;

const CLASSES: [u16; ENTRIES] = {
    let mut table = [0; ENTRIES];
    let mut i = 0;
    while i < 256 {
        table[ZERO + i] = class(i as u8);
        i += 1;
    }
    table
};

const fn cases(upper: bool) -> [i32; ENTRIES] {
    let mut table = [0; ENTRIES];
    let mut i = 0;
    while i < ENTRIES {
        // A negative `char` stands for the same byte as the number 256 above it; EOF is itself.
        let c = i as i32 - ZERO as i32;
        table[i] = match c {
            0..128 if upper => (c as u8).to_ascii_uppercase() as i32,
            0..128 => (c as u8).to_ascii_lowercase() as i32,
            -1 => -1,
            ..-1 => c + 256,
            _ => c,
        };
        i += 1;
    }
    table
}

static CLASS_TABLE: [u16; ENTRIES] = CLASSES;
static LOWER_TABLE: [i32; ENTRIES] = cases(false);
static UPPER_TABLE: [i32; ENTRIES] = cases(true);

/// The address of the entry for zero, where it can be pointed to.
#[repr(transparent)]
pub struct Middle<T: 'static>(&'static T);

static CLASS_MIDDLE: Middle<u16> = Middle(&CLASS_TABLE[ZERO]);
static LOWER_MIDDLE: Middle<i32> = Middle(&LOWER_TABLE[ZERO]);
static UPPER_MIDDLE: Middle<i32> = Middle(&UPPER_TABLE[ZERO]);

c_fn! {
    /// The bytes of a character (MB_CUR_MAX): one, in the C locale.
    undeclared fn __ctype_get_mb_cur_max() -> libc::size_t {
        1
    }

    /// The table behind isalpha and its kin.
    undeclared fn __ctype_b_loc() -> *const Middle<u16> {
        &CLASS_MIDDLE
    }

    /// The table behind tolower.
    undeclared fn __ctype_tolower_loc() -> *const Middle<i32> {
        &LOWER_MIDDLE
    }

    /// The table behind toupper.
    undeclared fn __ctype_toupper_loc() -> *const Middle<i32> {
        &UPPER_MIDDLE
    }

    /// toupper(3)
    fn toupper(c: c_int) -> c_int {
        u8::try_from(c).map_or(c, |b| b.to_ascii_uppercase().into())
    }

    /// toupper(3)
    fn tolower(c: c_int) -> c_int {
        u8::try_from(c).map_or(c, |b| b.to_ascii_lowercase().into())
    }

    /// isascii(3)
    undeclared fn isascii(c: c_int) -> c_int {
        (0..128).contains(&c).into()
    }

    /// toascii(3)
    undeclared fn toascii(c: c_int) -> c_int {
        c & 0x7f
    }
}

macro_rules! tests {
    ($($name:ident $bit:ident)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            fn $name(c: c_int) -> c_int {
                u8::try_from(c).map_or(0, |b| (class(b) & bit::$bit).into())
            }
        )*}
    };
}

tests! {
    isalnum ALNUM isalpha ALPHA isblank BLANK iscntrl CNTRL isdigit DIGIT isgraph GRAPH islower LOWER isprint PRINT
    ispunct PUNCT isspace SPACE isupper UPPER isxdigit XDIGIT
}

#[cfg(test)]
mod tests {
    use super::*;

    mod host {
        unsafe extern "C" {
            pub fn __ctype_b_loc() -> *const *const u16;
            pub fn __ctype_tolower_loc() -> *const *const i32;
            pub fn __ctype_toupper_loc() -> *const *const i32;
        }
    }

    #[test]
    fn tables_match_the_hosts() {
        for c in -128..256isize {
            // SAFETY: within the tables. The test program has no locale but C.
            unsafe {
                let ours: *const u16 = (*__ctype_b_loc()).0;
                assert_eq!(*ours.offset(c), *(*host::__ctype_b_loc()).offset(c), "{c}");
                let ours: *const i32 = (*__ctype_tolower_loc()).0;
                assert_eq!(
                    *ours.offset(c),
                    *(*host::__ctype_tolower_loc()).offset(c),
                    "{c}"
                );
                let ours: *const i32 = (*__ctype_toupper_loc()).0;
                assert_eq!(
                    *ours.offset(c),
                    *(*host::__ctype_toupper_loc()).offset(c),
                    "{c}"
                );
            }
        }
    }
}
