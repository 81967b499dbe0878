//! What is found out about a linked library without writing any of it: who waits, where stacks and frames do not fit, what takes how many bytes.

pub(crate) mod blocking;
pub(crate) mod convertible;
pub(crate) mod exports;
pub(crate) mod kept;
pub mod probes;
pub(crate) mod reach;
pub mod shadow;
pub(crate) mod sizes;
pub mod stacks;
pub mod waits;
