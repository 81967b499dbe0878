//! Every shape of signature that is accepted.
#![allow(improper_ctypes_definitions, private_interfaces, dead_code, clippy::all)]

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::num::{NonZeroU32, NonZeroU64};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64};

pub mod flat;
pub mod model;
pub mod nested;
#[path = "odd/place.rs"]
pub mod placed;

use model::{Mode, Point};

#[unsafe(no_mangle)]
pub extern "C" fn p_none() {}

#[unsafe(no_mangle)]
pub extern "C" fn p_never() -> ! {
    std::process::abort()
}

/// Takes one of each.
///
/// Second paragraph:
///
///     indented
#[unsafe(no_mangle)]
pub extern "C" fn p_scalars(
    a: bool, b: u8, c: u16, d: u32, e: u64, f: i8, g: i16, h: i32, i: i64, j: f32, k: f64, l: usize, m: isize, n: char,
) -> char {
    if a && (b as u64 + c as u64 + d as u64 + e) as i64 + (f as i64 + g as i64 + h as i64 + i) == (j as f64 + k) as i64 && l as isize == m {
        'x'
    } else {
        n
    }
}

/** A block comment.
 *
 * With stars.
 */
#[unsafe(no_mangle)]
pub extern "C" fn p_unused(a: u32, _: u64, _b: f32, _: (), z: PhantomData<u8>, last: Point, &mut k: &mut u8) -> u32 {
    let _ = (z, last, k);
    a
}

#[unsafe(no_mangle)]
pub extern "C" fn p_wide(s: &str, t: &[u32], u: &mut [Point], v: &[[f32; 3]], w: &[model::Node], x: &'static [*const u8], y: &[bool]) -> usize {
    u[0].x = 1.0;
    s.len() + t.len() + v.len() + w.len() + x.len() + y.len()
}

#[unsafe(no_mangle)]
pub extern "C" fn p_return_str() -> &'static str {
    "here"
}

#[unsafe(no_mangle)]
pub extern "C" fn p_return_slice(a: &[Point]) -> &[Point] {
    &a[1..]
}

#[unsafe(no_mangle)]
pub extern "C" fn p_pointers(
    a: &u32, b: &mut u32, c: *const u8, d: *mut Point, e: *mut c_void, f: *const (), g: NonNull<u8>, h: Option<&u32>,
    i: Option<&mut u32>, j: Option<NonNull<u32>>, k: Box<model::Plain>, l: Option<Box<u32>>, m: *const c_char, n: *mut *mut u8,
    o: Option<NonNull<c_void>>, p: &*const Point,
) -> *mut model::Plain {
    let _ = (a, b, c, d, e, f, g, h, i, j, l, m, n, o, p);
    Box::into_raw(k)
}

#[unsafe(no_mangle)]
pub extern "C" fn p_opaque(
    a: &model::Packed, b: &model::Aligned, c: &model::Plain, d: &model::Data, e: &model::Union, f: &String, g: &Vec<u8>,
    h: &(u32, u8), i: &[u8; 4], j: &Option<u32>, k: *mut model::Foreign, l: *mut Box<dyn Fn()>, m: &[model::Plain; 2],
    n: &model::WithStr, o: *mut model::Never, p: &model::Hooks, q: *mut [[u16; 2]; 3], r: &model::Accident, s: &std::time::Duration,
) -> u32 {
    let _ = (a, b, c, d, e, f, g, h, i, k, l, m, n, o, p, q, r, s);
    j.unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn p_std(
    a: Option<NonZeroU32>, b: &AtomicU64, c: &Cell<u16>, d: *mut MaybeUninit<Point>, e: &UnsafeCell<i8>, f: std::num::Wrapping<u32>,
    g: Option<NonZeroU64>, h: &AtomicBool,
) -> Option<NonZeroU32> {
    let _ = (b, c, d, e, f, g, h);
    a
}

#[unsafe(no_mangle)]
pub extern "C" fn p_structs(
    a: Point, b: model::Tuple, c: model::Id, d: model::Node, e: model::Generic<u32>, f: model::Empty, g: model::Generic<[u8; 3]>, h: model::Outer,
) -> model::Tuple {
    let _ = (a, c, d, e, f, g, h);
    b
}

#[unsafe(no_mangle)]
pub extern "C" fn p_enums(a: Mode, b: model::Signed, c: model::Big, d: model::Single, e: model::Bare) -> Mode {
    let _ = (b, c, d, e);
    a
}

#[unsafe(no_mangle)]
pub extern "C" fn p_callbacks(
    f: extern "C" fn(u32, *mut c_void) -> c_int, g: Option<extern "C" fn(f64)>, h: unsafe extern "C" fn(&str, Point) -> Mode,
) {
    f(1, std::ptr::null_mut());
    if let Some(g) = g {
        g(1.0)
    }
    unsafe { h("x", Point { x: 0.0, y: 0.0 }) };
}

/// Inlined into others, too.
#[unsafe(no_mangle)]
#[inline]
pub extern "C" fn p_inlined(q: u32, unused: &Point) -> u32 {
    let _ = unused;
    q.wrapping_mul(7)
}

#[unsafe(no_mangle)]
pub extern "C" fn p_inlines(r: u32) -> u32 {
    p_inlined(r, &Point { x: 0.0, y: 0.0 }) ^ 1
}

/// Another name.
#[unsafe(export_name = "p_other")]
pub extern "C-unwind" fn renamed(Point { x, .. }: Point, mut k: u32, r#type: u8) -> u32 {
    k += x as u32 + r#type as u32;
    k
}

macro_rules! make {
    ($name:ident, $ty:ident, $of:ty) => {
        /// Docs in a macro are out of sight.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(value: $ty) -> $ty {
            value
        }
        #[repr(C)]
        pub struct $ty {
            pub of: $of,
        }
    };
}
make!(p_macro, Made, u16);

const _: () = {
    /// Hidden in a constant.
    #[unsafe(no_mangle)]
    extern "C" fn p_hidden(a: u8) -> u8 {
        a ^ 0x55
    }
};

pub fn outer() -> u64 {
    /// Inside a function.
    #[repr(C)]
    pub struct Local {
        /// Its field.
        a: u64,
    }
    #[unsafe(no_mangle)]
    extern "C" fn p_inner(a: Local) -> u64 {
        a.a / 3
    }
    p_inner(Local { a: 4 })
}

#[unsafe(no_mangle)]
pub extern "C" fn p_dependency(a: dep::Pair, b: &mut dep::Handle) -> dep::Pair {
    b.names.clear();
    a
}

#[unsafe(no_mangle)]
pub extern "system" fn p_many(
    a0: u8, a1: f32, a2: u8, a3: f32, a4: u8, a5: f32, a6: u8, a7: f32, a8: u8, a9: f32, a10: u8, a11: Point, a12: u8, a13: f32, a14: u8,
) -> f32 {
    a1 + a3 + a5 + a7 + a9 + a13 + a11.x as f32 + (a0 + a2 + a4 + a6 + a8 + a10 + a12 + a14) as f32
}
