//! The types of rsyso-ffi in functions that a C header can tell.

use rsyso_ffi::{FfiResult, FfiStatus, OwnedBytes, OwnedSlice, OwnedString};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub tag: u8,
}

unsafe fn slice<'a>(data: *const u8, data_len: usize) -> &'a [u8] {
    // SAFETY: the callers below have them from their callers.
    unsafe { std::slice::from_raw_parts(data, data_len) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn results_doubled(data: *const u8, data_len: usize) -> OwnedBytes {
    // SAFETY: the caller's promise.
    unsafe { slice(data, data_len) }.repeat(2).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_points(count: u8) -> OwnedSlice<Point> {
    let point = |tag| Point {
        x: f64::from(tag),
        tag,
    };
    (0..count).map(point).collect()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_stars(count: u8) -> OwnedString {
    "*".repeat(usize::from(count)).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_half(number: u32) -> FfiResult<u32> {
    match number % 2 {
        0 => Ok(number / 2),
        _ => Err("odd"),
    }
    .into()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn results_text(data: *const u8, data_len: usize) -> FfiResult<OwnedString> {
    // SAFETY: the caller's promise.
    std::str::from_utf8(unsafe { slice(data, data_len) }).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_bytes(count: i32) -> FfiResult<OwnedBytes> {
    usize::try_from(count).map(|n| vec![7u8; n]).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_squares(count: i32) -> FfiResult<OwnedSlice<u64>> {
    u64::try_from(count)
        .map(|n| (0..n).map(|n| n * n).collect::<Vec<u64>>())
        .into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_single(tag: i32) -> FfiResult<Point> {
    u8::try_from(tag).map(|tag| Point { x: 0.5, tag }).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn results_check(number: u8) -> FfiStatus {
    if number < 10 { Ok(()) } else { Err("large") }.into()
}
