//! What Go looks at before Rust does: values that a Rust type does not have, ranges of memory that Rust takes to be apart.
//!
//! A Go string may hold any bytes, a Go enum any number, a Go pointer nil; Rust counts on UTF-8, on a variant, on a pointer, and anything else is
//! undefined behaviour (the Rust reference, "Behavior considered undefined"). So a function's body looks first, and panics. [`super::border_rules`] says, as
//! data, what each function has to look at; [`statements`] and [`helpers`] write it down. Handles see to themselves ([`super::handle_types`]).
//!
//! A `bool` needs no look: no Go program without package unsafe can make one that is neither 0 nor 1.

mod helpers;
mod statements;

pub(super) use helpers::{helpers, imports};
pub(super) use statements::{GoResult, Looks, checks, result};
