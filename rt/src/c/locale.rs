//! locale.h: there is one locale, C's.

use core::ptr::null_mut;

use libc::{c_char, c_int, lconv};

use crate::c::string::bytes;

/// C's `struct lconv` where it can be pointed to.
#[repr(transparent)]
struct Conventions(lconv);
// SAFETY: never written.
unsafe impl Sync for Conventions {}

const EMPTY: *mut c_char = c"".as_ptr().cast_mut();

/// As the C locale has them: nothing but the point is set.
static CONVENTIONS: Conventions = Conventions(lconv {
    decimal_point: c".".as_ptr().cast_mut(),
    thousands_sep: EMPTY,
    grouping: EMPTY,
    int_curr_symbol: EMPTY,
    currency_symbol: EMPTY,
    mon_decimal_point: EMPTY,
    mon_thousands_sep: EMPTY,
    mon_grouping: EMPTY,
    positive_sign: EMPTY,
    negative_sign: EMPTY,
    int_frac_digits: c_char::MAX,
    frac_digits: c_char::MAX,
    p_cs_precedes: c_char::MAX,
    p_sep_by_space: c_char::MAX,
    n_cs_precedes: c_char::MAX,
    n_sep_by_space: c_char::MAX,
    p_sign_posn: c_char::MAX,
    n_sign_posn: c_char::MAX,
    int_p_cs_precedes: c_char::MAX,
    int_p_sep_by_space: c_char::MAX,
    int_n_cs_precedes: c_char::MAX,
    int_n_sep_by_space: c_char::MAX,
    int_p_sign_posn: c_char::MAX,
    int_n_sign_posn: c_char::MAX,
});

c_fn! {
    /// setlocale(3): null for any other locale. The empty name means the environment's, of which only C's is here.
    fn setlocale(_category: c_int, name: *const c_char) -> *mut c_char {
        // SAFETY: null or the caller's C string.
        let known = name.is_null() || matches!(unsafe { bytes(name) }, b"" | b"C" | b"POSIX");
        match known {
            true => c"C".as_ptr().cast_mut(),
            false => null_mut(),
        }
    }

    /// localeconv(3)
    fn localeconv() -> *mut lconv {
        (&raw const CONVENTIONS.0).cast_mut()
    }
}
