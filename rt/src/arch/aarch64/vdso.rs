//! Names in the vDSO (vdso(7)), which differ from machine to machine.

use core::ffi::CStr;

/// clock_gettime(2).
pub const CLOCK_GETTIME: &CStr = c"__kernel_clock_gettime";
