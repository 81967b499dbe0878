//! One function for every kind of type that the contract names and a C header can tell.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::num::NonZeroU32;
use std::ptr::NonNull;

/// How fast to go.
///
/// Nobody goes faster than [`Mode::Fast`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Takes its time.
    Slow,
    Fast = 5,
    /// Uses `unsafe` tricks:
    ///
    /// * one
    /// * two
    VeryFast,
}

/// One byte wide.
#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Level {
    Low = 1,
    High = 200,
}

#[repr(i16)]
#[derive(Clone, Copy)]
pub enum Shift {
    Down = -300,
    /// Up it goes.
    Up = 300,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub enum Signed {
    Minus = -1,
    Plus = 1,
}

/// A point in the plane.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair<T> {
    pub left: T,
    pub right: T,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Everything at once, with holes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Shape {
    pub id: u8,
    /// Its corners.
    pub corners: [Point; SHAPE_CORNERS],
    pub grid: [[i16; 2]; 3],
    pub mode: Mode,
    pub level: Level,
    pub flag: bool,
    pub name: *const c_char,
    pub next: *mut Shape,
    pub user_data: *mut c_void,
    pub size: usize,
    pub color: Rgb,
}

/// The corners of a shape.
pub const SHAPE_CORNERS: usize = 4;

/// What Rust alone knows.
pub struct Store {
    items: Vec<u64>,
}

#[repr(C)]
pub struct Foreign {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Bits {
    pub whole: u32,
    pub real: f32,
}

/// Holds a union.
#[repr(C)]
pub struct WithUnion {
    pub kind: u8,
    pub bits: Bits,
}

/// What comes back.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum Reply {
    /// A number.
    Number(f64),
    Flag {
        set: bool,
        times: u16,
    },
    /// Nothing at all.
    Silence,
}

/// One byte tells which.
#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Little {
    Half(u16) = 1,
    Both(u8, u32) = 5,
}

pub type Handle = u64;

/// Adds all kinds of integers.
///
/// # Examples
///
/// ```c
/// contract_integers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
/// ```
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn contract_integers(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: usize, j: isize) -> i64 {
    a as i64 + b as i64 + c as i64 + d as i64 + e as i64 + f as i64 + g as i64 + h + i as i64 + j as i64
}

/// C's own names.
#[unsafe(no_mangle)]
pub extern "C" fn contract_c_integers(a: c_int, b: c_long, c: c_ulong, d: c_uchar) -> c_long {
    a as c_long + b + c as c_long + d as c_long
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_floats(a: f32, b: f64, c: bool) -> f64 {
    if c { f64::from(a) + b } else { -1.0 }
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_is_even(n: Handle) -> bool {
    n % 2 == 0
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_enums(mode: Mode, level: Level, shift: Shift, signed: Signed) -> Mode {
    if level as u8 == 200 && shift as i16 == -300 && signed as i32 == -1 { mode } else { Mode::Slow }
}

/// Moves a point.
#[unsafe(no_mangle)]
pub extern "C" fn contract_move(mut point: Point, by: &Point) -> Point {
    point.x += by.x;
    point.y += by.y;
    point
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_grow(shape: Shape) -> Shape {
    Shape { id: shape.id + 1, size: shape.size * 2, ..shape }
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_swap(pair: Pair<u8>, color: Rgb) -> Pair<u8> {
    Pair { left: pair.right, right: pair.left + color.2 }
}

/// # Safety
///
/// The shape must live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn contract_pointers(
    a: Option<&Shape>,
    b: Option<NonNull<u32>>,
    c: *const *const u8,
    d: *mut c_void,
    e: &mut [f32; 3],
    f: *const Bits,
    g: *const WithUnion,
    h: *mut Foreign,
) -> *const c_char {
    e[2] = 7.0;
    let all = a.is_none() && b.is_none() && c.is_null() && d.is_null() && f.is_null() && g.is_null() && h.is_null();
    if all { c"all nil".as_ptr() } else { std::ptr::null() }
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_optional(a: Option<NonZeroU32>) -> u32 {
    a.map_or(0, NonZeroU32::get)
}

/// Makes a store.
#[unsafe(no_mangle)]
pub extern "C" fn contract_store_new() -> *mut Store {
    Box::into_raw(Box::new(Store { items: Vec::new() }))
}

/// Keeps numbers.
///
/// # Safety
///
/// Pointer and length must fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn contract_store_add(store: &mut Store, items: *const u64, items_len: usize) {
    // SAFETY: as the caller promises.
    store.items.extend(unsafe { std::slice::from_raw_parts(items, items_len) });
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_store_sum(store: &Store) -> u64 {
    store.items.iter().sum()
}

/// # Safety
///
/// Once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn contract_store_free(store: *mut Store) {
    if !store.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { Box::from_raw(store) });
    }
}

/// Fills a buffer. Its pointer takes the last register of C's, its length goes to the stack.
///
/// # Safety
///
/// Pointer and length must fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn contract_fill(a: u64, b: u64, c: u64, d: u64, e: u64, out_ptr: *mut u8, out_len: usize, last: u64) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(out_ptr, out_len) }.fill(last as u8);
    a + b + c + d + e + out_len as u64 + last
}

/// Other names and other integers that count: C's own, bytes, and a string.
///
/// # Safety
///
/// Pointers and lengths must fit.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn contract_counts(bytes: *const u8, bytes_size: u16, values: *const u64, values_count: c_int, name: *const c_char, name_len: usize, shorts: *const i16, len: u32) -> u64 {
    // SAFETY: as the caller promises.
    let sums = unsafe {
        [
            std::slice::from_raw_parts(bytes, bytes_size as usize).iter().map(|n| u64::from(*n)).sum::<u64>(),
            std::slice::from_raw_parts(values, values_count as usize).iter().sum(),
            std::slice::from_raw_parts(name.cast::<u8>(), name_len).iter().map(|n| u64::from(*n)).sum(),
            std::slice::from_raw_parts(shorts, len as usize).iter().map(|n| *n as u64).sum(),
        ]
    };
    sums.into_iter().sum()
}

/// Writes a whole number to both.
///
/// # Safety
///
/// Both must have room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn contract_set(with: *mut WithUnion, bits: *mut Bits, whole: u32) {
    // SAFETY: as the caller promises.
    unsafe {
        with.write(WithUnion { kind: 1, bits: Bits { whole } });
        bits.write(Bits { whole });
    }
}

/// The number that was written.
#[unsafe(no_mangle)]
pub extern "C" fn contract_get(with: &WithUnion) -> u32 {
    // SAFETY: any bytes are such a number.
    unsafe { with.bits.whole }
}

/// A pointer to one value, and names that do not fit are no pairs.
///
/// # Safety
///
/// Any pointers will do.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn contract_no_pairs(a: *const u16, a_size: u32, b: *const u8, c_len: usize, d: *const Store, d_len: usize, e: *const c_void, e_len: usize) -> usize {
    let _ = (a, b, d, e);
    a_size as usize + c_len + d_len + e_len
}

/// Turns one into the other.
#[unsafe(no_mangle)]
pub extern "C" fn contract_turn(reply: Reply, bits: Bits) -> Little {
    // SAFETY: any bytes are such a number.
    let whole = unsafe { bits.whole };
    match reply {
        Reply::Number(n) => Little::Half(n as u16 + whole as u16),
        Reply::Flag { set, times } => Little::Both(set.into(), whole + u32::from(times)),
        Reply::Silence => Little::Half(0),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn contract_nothing() {}

/// Calls `visit` with 0, 1, ... below `n` until it says no; `done`, if there is one, at the end.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C-unwind" fn contract_each(n: u32, visit: extern "C-unwind" fn(index: u32, user: *mut c_void) -> bool, user: *mut c_void, done: Option<extern "C-unwind" fn(*const Shape)>) -> u32 {
    let calls = (0..n).take_while(|i| visit(*i, user)).count();
    if let Some(done) = done {
        done(std::ptr::null());
    }
    calls as u32
}
