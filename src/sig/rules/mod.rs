//! What types and names mean beyond C, each rule by itself: memory that changes hands, pairs of pointer and length, user data of callbacks. Beside
//! them stand the rules for what flags say: `--consumes`, `--keeps`, `--user-data`, `--blocking`, `--bare`, `--cstr`, `--trust`.

pub(crate) mod consumes;
pub(crate) mod declared;
mod destroys;
pub(crate) mod keeps;
pub mod owned;
mod pairs;
pub(crate) mod user_data;

use crate::base::diag::Result;
use crate::base::options::DEFAULT_POOL;
use crate::model::{Conventions, Said, Signatures};

/// What flags say of conventions.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whether pointers and their lengths are one.
    pub pairs: bool,
    /// Which functions keep the function pointers that they are given.
    pub keeps: Said,
    /// Which functions take user data in front of the function pointer.
    pub user_data: Said,
    /// How many Go functions of one type there can be where no user data tells them apart.
    pub pool: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            pairs: true,
            keeps: Said::new(),
            user_data: Said::new(),
            pool: DEFAULT_POOL,
        }
    }
}

/// The conventions that signatures follow; `frees` says whether the library has [`owned::FREE`].
pub fn conventions(read: &Signatures, frees: bool, asked: &Asked) -> Result<Conventions> {
    let user_data = user_data::find(read, &asked.user_data);
    let destroyed = destroys::find(read, &user_data);
    Ok(Conventions {
        owned: owned::find(read, frees)?,
        pairs: match asked.pairs {
            true => pairs::find(read, &user_data),
            false => Vec::new(),
        },
        kept: keeps::find(read, &user_data, &destroyed, &asked.keeps),
        destroyed,
        pool: asked.pool,
        user_data,
    })
}
