//! Much at once, for long: programs under load, and what calls cost.
//!
//! One program for all of it, since each links the whole tool: `cargo test --test load bench::` runs one module.

#[path = "../common/mod.rs"]
mod common;

mod bench;
mod blocked;
mod lasting;
mod placed;
mod soak;
mod storm;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held by all tests of this program: by those that measure how responsive a program is, alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// Together with others.
fn among_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing else of this program runs meanwhile.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}
