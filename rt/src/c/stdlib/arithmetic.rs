//! abs and div.

use libc::{c_int, c_long, c_longlong};

/// div(3)
#[repr(C)]
pub struct Division<T> {
    quot: T,
    rem: T,
}

macro_rules! arithmetic {
    ($($t:ty: $abs:ident $div:ident;)*) => {
        c_fn! {$(
            /// abs(3)
            undeclared fn $abs(n: $t) -> $t {
                n.wrapping_abs()
            }

            /// div(3); by zero it has no value in C, and is zero here.
            undeclared fn $div(n: $t, by: $t) -> Division<$t> {
                match by {
                    0 => Division { quot: 0, rem: 0 },
                    _ => Division { quot: n.wrapping_div(by), rem: n.wrapping_rem(by) },
                }
            }
        )*}
    };
}

arithmetic! {
    c_int: abs div;
    c_long: labs ldiv;
    c_longlong: llabs lldiv;
}
