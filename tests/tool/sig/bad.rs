//! Every shape of signature that is refused, and the reason.
#![allow(improper_ctypes_definitions, dead_code, clippy::all)]

use std::ffi::CStr;

#[repr(C, packed)]
pub struct Packed {
    a: u8,
    b: u32,
}
#[repr(C, packed)]
pub struct PackedLikeC {
    a: u32,
    b: u32,
}
#[repr(C, align(32))]
pub struct Aligned {
    a: u8,
}
#[repr(C)]
pub struct AlignedByNothing {
    a: u32,
    none: [u64; 0],
    b: u32,
}
pub struct Plain {
    pub v: Vec<u8>,
    pub n: u32,
}
pub enum Data {
    A(u32),
    B { x: u8 },
}
#[repr(C)]
pub enum CData {
    A(u32),
    B { x: u8 },
}
#[repr(C)]
pub union Union {
    a: u32,
    b: f32,
}
#[repr(C)]
pub struct WithStr {
    pub n: u8,
    pub name: &'static str,
}
#[repr(C)]
pub struct WithSlice {
    pub list: &'static [u8],
}
#[repr(C)]
pub struct Hooks {
    pub hook: extern "C" fn(extern "C" fn()),
}
#[repr(C)]
pub struct Wraps {
    pub inner: WithStr,
}
#[repr(u8)]
pub enum Mode {
    A,
    B,
}

#[unsafe(no_mangle)]
pub extern "C" fn b_structs(a: Packed, b: Aligned, c: Plain, d: Data, e: Union, f: WithStr, g: WithSlice, h: Hooks, i: Wraps, j: CData, k: PackedLikeC, l: AlignedByNothing) {
    drop((a.a, b.a, c.v, d, e, f.n, g.list, h.hook, i.inner.n, j, k.a, l.a));
}

#[unsafe(no_mangle)]
pub extern "C" fn b_std(
    a: String,
    b: Vec<u8>,
    c: Option<Mode>,
    d: Box<str>,
    e: Option<u32>,
    f: std::num::NonZeroU8,
    g: Result<u8, u8>,
    h: std::time::Duration,
    i: Option<&str>,
    j: std::sync::Arc<u8>,
) {
    drop((a, b, c, d, e, f, g, h, i, j));
}

#[unsafe(no_mangle)]
pub extern "C" fn b_pointers(
    a: &dyn Fn(),
    b: &mut str,
    c: fn(u8) -> u8,
    d: *const [u8],
    e: &CStr,
    f: &[&str],
    g: &[Plain],
    h: &&str,
    i: &[()],
    j: &u128,
    k: extern "C" fn(extern "C" fn()),
    l: &[&[u8]],
) {
    drop((a, c, d, e, f, h, j, k, l));
    b.make_ascii_lowercase();
    let _ = (g, i);
}

#[unsafe(no_mangle)]
pub extern "C" fn b_values(a: u128, b: i128, c: (u32, u8), d: [u8; 4]) -> u128 {
    a + b as u128 + c.0 as u128 + d[0] as u128
}

#[unsafe(no_mangle)]
pub extern "C" fn b_result() -> extern "C" fn() {
    extern "C" fn nothing() {}
    nothing
}

#[unsafe(no_mangle)]
pub fn b_rust_abi(a: u32) -> u32 {
    a + 4
}

#[unsafe(no_mangle)]
pub extern "C" fn b_good(a: u32) -> u32 {
    a + 5
}
