//! What types, names and flags mean beyond C: memory that changes hands, pairs of pointer and length, user data of callbacks, and what
//! `--consumes` and `--trust` say.

pub(crate) mod consumes;
pub mod owned;
pub mod pairs;
pub(crate) mod trust;
pub(super) mod user_data;
