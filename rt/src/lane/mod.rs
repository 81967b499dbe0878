//! Lanes: the stack, thread-locals and control block of one thread as Rust sees it. `contract.rs` has the picture.
//!
//! Each of Go's threads (`m`) gets a lane on its first call into the image, and keeps it; each thread that Rust spawns
//! gets one too. The lane *is* the thread as Rust sees it. A Go thread's end is not seen here (Go ends few: those that a goroutine had locked):
//! its lane is found again later ([`ended`]). Two Go threads that come one after the other at one address of `m` may be one thread to Rust.
//!
//! - [`control`](mod@control): the control block. [`table`]: the lanes of Go's threads. [`list`]: all lanes.
//! - [`pool`]: lanes for threads. [`seat`]: which lane serves a thread of Go's.
//! - [`guard`]: room on the stack. [`heap`]: memory of the runtime's own. [`locals`]: values and destructors of a thread.

pub mod control;
pub mod ended;
#[cfg(not(test))]
pub mod guard;
#[cfg(not(test))]
pub mod heap;
pub mod list;
pub mod locals;
pub mod pool;
pub mod seat;
pub mod table;

pub(crate) use control::{
    Control, Faults, FrameHeader, base_of, control, errno, errno_location, in_guard, init_tls,
    map_fresh, set_errno,
};
pub(crate) use list::{containing, guarded, register};
pub(crate) use pool::{NEWS, SPAWNED, acquire, discard, release, tell};
