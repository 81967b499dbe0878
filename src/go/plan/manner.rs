//! What calls are to Go's scheduler.

/// What calls are to Go's scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Go code that runs, until they wait or Go wants the thread: then system calls.
    Polite,
    /// Go code that runs.
    Bare,
    /// System calls.
    Blocking,
}
