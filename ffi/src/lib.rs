#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod owned;
mod result;

pub use owned::{rsyso_ffi_free, OwnedBytes, OwnedSlice, OwnedString};
pub use result::{FfiResult, FfiStatus};
