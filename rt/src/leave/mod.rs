//! The ways out of a lane: for a Go function that Rust calls ([`callback`]), and for good, with a panic or a fault ([`panics`], [`fault`]).
//! [`trap`]: the library's own handlers of faults. [`actions`]: which those are.
//!
//! - [`kept`]: Go functions that outlive the call that they were given to.
//!   [`adopt`]: goroutines that run on for threads of Rust's own which call them.
//! - [`polite`]: calls that become system calls of Go's while they run. [`dump`]: what Go shows of calls when it shows its goroutines.
//! - [`departure`]: what Go is told of a call that does not return. [`line`]: its texts. [`handles`]: which handles of Go's a call uses until it ends.
//! - [`report`]: the text that std prints about a panic. [`payload`], [`told`]: what a panic carries, and what is known of it beside.
//!   [`counts`]: std's counts of panics, where LTO left out what keeps them. [`buffer`]: text that grows.
//! - [`unwind`]: the unwinder's tables, those of code made at run time included ([`frames`]). [`catch`]: where exceptions end.

pub mod actions;
#[cfg(not(test))]
pub mod adopt;
#[cfg(not(test))]
mod buffer;
#[cfg(not(test))]
pub mod callback;
#[cfg(not(test))]
mod catch;
#[cfg(not(test))]
mod counts;
#[cfg(not(test))]
pub mod departure;
#[cfg(not(test))]
pub mod dump;
#[cfg(not(test))]
pub mod fault;
pub mod frames;
#[cfg(not(test))]
pub mod handlers;
#[cfg(not(test))]
pub mod handles;
#[cfg(not(test))]
mod kept;
#[cfg(not(test))]
mod line;
#[cfg(not(test))]
pub mod panics;
#[cfg(not(test))]
mod payload;
#[cfg(not(test))]
pub mod polite;
pub mod report;
#[cfg(not(test))]
mod told;
#[cfg(not(test))]
mod trap;
#[cfg(not(test))]
pub mod unwind;
