//! Pages.

/// The largest page of this machine's kernels: what is aligned to it is aligned to a page.
pub const PAGE: usize = 1 << 16;

/// The smallest: what they map is aligned to it.
pub const LEAST: usize = 4096;

/// The page size, if it is one for all kernels of this machine: there are 4, 16 and 64 KiB.
pub const FIXED_PAGE: Option<usize> = None;
