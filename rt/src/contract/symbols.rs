//! Symbols by which the linker, the wrappers and the runtime know each other. All but one begin with `rsyso_` or `__rsyso_`, as no name of a library does.

/// The image's first byte; the linker's.
pub const IMAGE: &str = "__rsyso_image";
/// The [`Params`](super::Params); the linker's.
pub const PARAMS: &str = "__rsyso_params";
/// What the names of wrappers begin with inside the image, before the export's. No compiler's symbols have a colon.
pub const WRAPPER: &str = "rsyso:";
/// What stands between the parts of the name of what stands for a Go function: wrapper, number, parameter.
pub const PART: char = '.';

/// Defines names, and a list of them.
macro_rules! names {
    ($(#[$doc:meta])* $list:ident: $($(#[$m:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$m])* pub const $name: &str = $value;)*
        $(#[$doc])*
        pub const $list: &[&str] = &[$($name),*];
    };
}

names! {
    /// What the runtime provides to the linker and the wrappers.
    RUNTIME:
    /// A word: the address of the lane table; 0 until the first use of the image.
    LANE_TABLE = "rsyso_lane_table";
    /// The word that says which copy of the package the image serves.
    LANE_OWNER = "rsyso_lane_owner";
    /// The slow path of a wrapper: finds or makes the lane of the running `m`. Its protocol is the backend's.
    LANE_SLOW = "rsyso_lane_slow";
    /// The personality of the wrappers: exceptions that arrive there are handed to Go.
    PERSONALITY = "rsyso_personality";
    /// Frees a [`Departure`](super::Departure).
    FORGET = "rsyso_forget";
    /// Called by a wrapper before a function that takes Go functions: (control block, `m`, what stands for the first of them) gives the call's mark.
    CALLBACKS_BEGIN = "rsyso_callbacks_begin";
    /// Called by it at the end: (lane's control block).
    CALLBACKS_END = "rsyso_callbacks_end";
    /// Called by what stands for a Go function: (its frame, its number, what stands for the first one, the user data or 0) returns with its result.
    CALLBACK = "rsyso_callback";
    /// As [`CALLBACK`], for a function that the library keeps: (its frame, its number, its own address, the user data that came back).
    KEPT = "rsyso_kept";
    /// What Go goes on in, once a kept function has returned.
    KEPT_RESUME = "rsyso_kept_resume";
    /// What Go calls when a kept function has not returned.
    KEPT_UNWIND = "rsyso_kept_unwind";
    /// Gives the user data of a kept function that was destroyed on a thread of Rust's own, or 0.
    KEPT_DUE = "rsyso_kept_due";
    /// From now on threads of Rust's own are served that call kept functions. Gives whether Go is to begin with that, 1 or 0.
    KEPT_BEGIN = "rsyso_kept_begin";
    /// Gives what the next of those threads calls, or null when there is none for now.
    KEPT_NEXT = "rsyso_kept_next";
    /// A word: the stack protector's value.
    PROTECTOR = "__stack_chk_guard";
    /// What Go calls with the result of a Go function.
    RESUME = "rsyso_resume";
    /// What Go calls once it takes a call for a system call: goes on with that.
    GO_ON = "rsyso_go_on";
    /// Called by a wrapper for a handle that is not in order: (control block, which of the lane's uses, the handle, its note: three C strings, what
    /// comes before the type's name, the name, what comes after) returns if the call may go on.
    HANDLE_USE = "rsyso_handle_use";
    /// The same for a handle that is taken for good.
    HANDLE_TAKE = "rsyso_handle_take";
    /// Called with a cell at the end of a call that used it, when it is open no more: gives a value to be dropped and what drops it, or null.
    HANDLE_USED = "rsyso_handle_used";
    /// Gives the next such value.
    HANDLE_DUE = "rsyso_handle_due";
    /// Called with a cell that is to be closed, and what drops its value: gives both if nothing uses it, or null.
    HANDLE_CLOSE = "rsyso_handle_close";
    /// Stands in front of `_Unwind_RaiseException`.
    RAISE = "rsyso_raise_exception";
    /// Stands in front of [`STD_PANIC_CANNOT_UNWIND`].
    PANIC_CANNOT_UNWIND = "rsyso_panic_cannot_unwind";
    /// Stands in front of [`STD_PANIC_CLEANUP`].
    PANIC_CAUGHT = "rsyso_panic_caught";
    /// Stands in front of [`STD_PANIC_PAYLOAD`].
    PANIC_PAYLOAD = "rsyso_panic_payload";
    /// Stands in front of [`STD_PANIC_WITH_HOOK`].
    PANIC_WITH_HOOK = "rsyso_panic_with_hook";
    /// Stands in front of [`STD_DISPLAY_BACKTRACE`] in an image that is to do without.
    NO_BACKTRACE = "rsyso_no_backtrace";
}

names! {
    /// What the linker finds in the library's std by Rust names, for the runtime; weak. More are in [`fronts!`](super::fronts).
    STD:
    /// Ends the program when a panic is about to leave a function that cannot unwind.
    STD_PANIC_CANNOT_UNWIND = "rsyso_std_panic_cannot_unwind";
    /// The end of a catch: takes the exception, gives the payload, and ends the thread's state of panicking.
    STD_PANIC_CLEANUP = "rsyso_std_panic_cleanup";
    /// What that calls.
    STD_PANIC_PAYLOAD = "rsyso_std_panic_payload";
    /// Gives memory back.
    STD_DEALLOC = "rsyso_std_dealloc";
    /// Raises an exception with a given payload.
    STD_RESUME_UNWIND = "rsyso_std_resume_unwind";
    /// What a panic begins with.
    STD_PANIC_WITH_HOOK = "rsyso_std_panic_with_hook";
    /// The text of a payload.
    STD_PAYLOAD_AS_STR = "rsyso_std_payload_as_str";
    /// What [`STD_RESUME_UNWIND`] calls.
    STD_START_PANIC = "rsyso_std_start_panic";
    /// Counts the panics of all threads.
    STD_GLOBAL_PANIC_COUNT = "rsyso_std_global_panic_count";
    /// Counts those of a thread; a thread-local.
    STD_LOCAL_PANIC_COUNT = "rsyso_std_local_panic_count";
}
/// Writes the backtrace of a report: found in the same way, and never called by what stands in front.
pub const STD_DISPLAY_BACKTRACE: &str = "rsyso_std_display_backtrace";
