//! The image that this code is linked into: where it lies, and what the linker says about it.
//!
//! [`fixups`]: what is applied once. [`far`]: statics outside. [`symbolizer`]: names of functions. [`place`]: places in source files.

use crate::arch::stack::address_of;
use crate::contract::Params;

#[cfg(not(test))]
pub mod far;
#[cfg(not(test))]
pub mod fixups;
pub mod place;
pub mod symbolizer;

/// The address of the image's first byte.
#[inline(always)]
pub fn base() -> usize {
    address_of!("__rsyso_image")
}

/// What the linker says about the image.
#[inline(always)]
pub fn params() -> &'static Params {
    let address = address_of!("__rsyso_params");
    // SAFETY: the linker put a `Params` there, aligned, in the read-only part.
    unsafe { &*(address as *const Params) }
}
