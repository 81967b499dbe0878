//! What types and names mean beyond C, each rule by itself: memory that changes hands, pairs of pointer and length, user data of callbacks. Beside
//! them stand the rules for what flags say: `--consumes`, `--keeps`, `--blocking`, `--bare`, `--cstr`, `--trust`.

pub(crate) mod consumes;
pub(crate) mod declared;
mod destroys;
pub(crate) mod keeps;
pub mod owned;
mod pairs;
mod user_data;

use crate::base::diag::Result;
use crate::model::{Conventions, Said, Signatures};

/// The conventions that signatures follow; `frees` says whether the library has [`owned::FREE`], `pairs` whether pointers and their lengths are one,
/// `keeps` which functions keep the function pointers that they are given, and `pool` how many Go functions of one type there can be where no user data
/// tells them apart.
pub fn conventions(
    read: &Signatures,
    frees: bool,
    pairs: bool,
    keeps: &Said,
    pool: u32,
) -> Result<Conventions> {
    let user_data = user_data::find(read);
    let destroyed = destroys::find(read, &user_data);
    Ok(Conventions {
        owned: owned::find(read, frees)?,
        pairs: match pairs {
            true => pairs::find(read, &user_data),
            false => Vec::new(),
        },
        kept: keeps::find(read, &destroyed, keeps),
        destroyed,
        pool,
        user_data,
    })
}
