//! The way in: what happens on the first call into the image, and on the first of each thread ([`boot`]); a second copy of the package in one
//! program ([`copies`]). Nothing but the wrappers calls this, through machine code.

pub mod boot;
pub mod copies;
