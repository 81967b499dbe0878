//! What the linker and the runtime agree on: symbols, the shape of a lane, the parameter block, and the structs that generated Go code sees.
//! This file is compiled into both (the tool includes it by path), so that neither can drift from the other. What Go declares is made from it ([`GoStruct`]).
//!
//! A *lane* is an address-space region of `lane_size` bytes (a power of two) aligned to its own size:
//!
//! ```text
//!                          base                                                                                base + lane_size
//! | guard (OUTER_GUARD_SIZE) | guard (GUARD_SIZE) | stack, grows down  <-| control block | thread-local block | signal stack |
//!                                                                         ^ control_offset  ^ tls_offset
//! ```
//!
//! The guards are never accessible, but for the inner one while a panic is raised (`lane/guard.rs`): code that runs there is still in the lane.
//!
//! The address of the control block is the initial stack pointer of a call, and is 64-byte aligned. Any code that runs
//! in a lane finds both blocks from `SP & -lane_size`.

use core::ffi::c_void;
use core::mem::offset_of;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize};

// The offsets below are those of 64-bit targets: the tool must be built for such a machine, too.
const _: () = assert!(size_of::<usize>() == 8);

// The tool compiles this file, too, under another folder: the path is beside it in both.
#[path = "contract/symbols.rs"]
pub mod symbols;

/// Bytes at the bottom of a lane that its stack may not use.
pub const GUARD_SIZE: u64 = 64 * 1024;
/// Bytes below a lane that are reserved with it: code compiled without stack probes whose frame is smaller cannot jump over them.
pub const OUTER_GUARD_SIZE: u64 = 1024 * 1024;

/// Bytes at the top of a lane on which signals are handled that a thread of Rust's own causes by a fault. Go's threads have such stacks
/// already. Room for the largest frame that the kernel writes there (AT_MINSIGSTKSZ, some 12 KiB with AMX), and then some.
pub const SIGNAL_STACK_SIZE: u64 = 32 * 1024;

/// Bytes of the control block. What the offsets below name belongs to the wrappers; the rest is the runtime's.
pub const CONTROL_SIZE: u64 = 1536;

/// What wrappers and machine code read and write of a control block, which begins with it. A fresh lane has all of it zero.
#[repr(C)]
pub struct Head {
    /// The goroutine's stack pointer, saved by a wrapper before it switches to the lane.
    pub go_sp: usize,
    /// The goroutine's frame pointer.
    pub go_bp: usize,
    /// The Go function to go on in, on the goroutine's stack, if the call does not return (`leave/departure.rs`), or is to become a system call of
    /// Go's (`leave/polite.rs`); with [`LANDING_STAYS`], if not the latter. 0 while no call of Go's runs on the lane.
    pub go_landing: usize,
    /// Which handles the call uses: 0, or the address of a [`Cell`] (`leave/handles.rs`).
    pub uses: [AtomicUsize; USES],
    /// What Go is shown of a Go function that it is to call.
    pub shown: Shown,
    /// The lane's stack pointer while the call is away in such a function.
    pub away_sp: usize,
    /// The thread of Go's, its `m`, that a call runs on which takes Go functions.
    pub m: usize,
    /// Where a call goes on once it is a system call of Go's: a stack pointer of the lane, or what a signal has interrupted.
    pub polite_at: usize,
    /// What counts such calls, if it was a signal that made the call one; else null.
    pub polite_count: *const AtomicUsize,
    /// The goroutine's stack pointer as the stub has it, whatever `go_sp` is: where the stack may move, wrappers find their frame by it.
    pub frame_sp: usize,
    /// Not 0 while the library is unwound because a function that it keeps did not return.
    pub unwinding: usize,
    /// Of a thread of Rust's own: not 0 while a goroutine runs on its lane, and it waits (`leave/adopt.rs`).
    pub lent: AtomicU32,
    /// Its stack pointer when it has the lane again; before that, the one it waits with.
    pub thread_sp: usize,
}

/// In the place of the number of a kept function: it is not called, but destroyed.
pub const KEPT_DESTROY: u64 = u32::MAX as u64;
/// The same: Go is to begin to serve threads of Rust's own.
pub const KEPT_SERVE: u64 = KEPT_DESTROY - 1;
/// In the place of the user data of a kept function: the library calls it by its name. No number that Go gives is so small.
pub const KEPT_BY_NAME: u64 = 1;
/// The first of those that say in the same place which piece of code the library has called, where it gives no user data. They are small, too.
pub const KEPT_POOL: u64 = KEPT_BY_NAME + 1;

/// Set in a landing whose call Go is not to take for a system call: it does so already, or never.
pub const LANDING_STAYS: u64 = 1;

/// Where in the control block a wrapper saves the goroutine's stack pointer before it switches to the lane.
pub const CONTROL_GO_SP: u64 = offset_of!(Head, go_sp) as u64;

/// Where in the control block a wrapper saves the goroutine's frame pointer.
pub const CONTROL_GO_BP: u64 = offset_of!(Head, go_bp) as u64;

/// Where in the control block a wrapper saves the address of the Go function to go on in if the call does not return.
pub const CONTROL_GO_LANDING: u64 = offset_of!(Head, go_landing) as u64;

/// Where in the control block a wrapper saves the stack pointer by which it finds its frame again.
pub const CONTROL_FRAME_SP: u64 = offset_of!(Head, frame_sp) as u64;

/// What a wrapper clears at the end of a call.
pub const CONTROL_UNWINDING: u64 = offset_of!(Head, unwinding) as u64;

/// Where in the control block a wrapper writes which handles the call uses.
pub const CONTROL_USES: u64 = offset_of!(Head, uses) as u64;

/// The most handles that a function may take.
pub const USES: usize = 8;

/// A struct that generated Go code declares like the runtime: its fields in order, which Go lays out as C does.
#[derive(Clone, Copy, Debug)]
pub struct GoStruct {
    /// Its name in Go.
    pub name: &'static str,
    /// Name and Go type of each field.
    pub fields: &'static [(&'static str, &'static str)],
}

/// Defines structs and what Go calls them.
macro_rules! go_structs {
    ($($(#[$doc:meta])* $name:ident = $go:literal {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $go_ty:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $name {
            /// The struct in Go.
            pub const GO: GoStruct = GoStruct {
                name: $go,
                fields: &[$((stringify!($field), $go_ty),)*],
            };
        }
    )*};
}

/// Go's string (reflect.StringHeader).
#[repr(C)]
pub struct GoString {
    /// Its first byte.
    pub data: *const u8,
    /// How many.
    pub bytes: usize,
}

/// Go's slice (reflect.SliceHeader).
#[repr(C)]
pub struct GoSlice<T> {
    /// Its first element.
    pub data: *const T,
    /// How many there are.
    pub len: usize,
    /// For how many there is room.
    pub capacity: usize,
}

go_structs! {
    /// What Go is told of a call that does not return. The texts are the runtime's until it is given back.
    Departure = "rsysoDeparture" {
        /// What happened. UTF-8 as far as the library's strings are.
        message: GoString = "string",
        /// The Rust source file; empty when it is not known.
        file: GoString = "string",
        /// Its line, or 0.
        line: usize = "int",
        /// Whether the program is to end.
        fatal: bool = "bool",
        /// Whether it stays where it is: Go does not give it back.
        kept: bool = "bool",
        /// Whether the call has not begun, for what it was given: the Go panic is the message alone.
        refused: bool = "bool",
    }

    /// What Go is shown of a Go function that it is to call.
    Shown = "rsysoCallback" {
        /// The number of the function.
        which: usize = "int",
        /// Its arguments, and room for its result.
        frame: *mut c_void = "unsafe.Pointer",
        /// Set by Go: the function did not return.
        unwind: bool = "bool",
        /// The user data of a function that the library keeps; 0 for the others.
        user: usize = "uintptr",
    }

    /// What a handle of Go's begins with.
    Handle = "rsysoHandle" {
        /// What all handles of the value share; null for one that was made without.
        cell: *mut Cell = "*rsysoCell",
        /// The pointer of Rust's.
        raw: *mut c_void = "unsafe.Pointer",
        /// Whether the value belongs to another one, that of the cell.
        lent: bool = "bool",
    }

    /// What all handles of one Rust value share. It lies in Go's heap, and is kept alive by the handle of each call that uses it.
    Cell = "rsysoCell" {
        /// The pointer of Rust's.
        raw: *mut c_void = "unsafe.Pointer",
        /// The lane that has used it; [`CELL_MANY`] if there was another, 0 if there was none.
        last: AtomicUsize = "uintptr",
        /// [`CELL_OPEN`] and so on.
        state: AtomicU32 = "atomic.Uint32",
        /// Uses that no lane shows.
        pins: AtomicI32 = "atomic.Int32",
        /// What drops the value, once it was asked for.
        free: AtomicUsize = "uintptr",
    }

    /// A cell of state [`CELL_JOINT`]: of a handle that is lent by several others.
    Joint = "rsysoJoint" {
        /// Its own.
        cell: Cell = "rsysoCell",
        /// Those of the others.
        of: GoSlice<*mut Cell> = "[]*rsysoCell",
    }
}

/// Where a handle of Go's leads to its cell.
pub const HANDLE_CELL: u64 = offset_of!(Handle, cell) as u64;
/// Where it holds the pointer of Rust's.
pub const HANDLE_RAW: u64 = offset_of!(Handle, raw) as u64;
/// Where it says whether the value belongs to another handle's.
pub const HANDLE_LENT: u64 = offset_of!(Handle, lent) as u64;

/// Where a cell holds the lane that has used it.
pub const CELL_LAST: u64 = offset_of!(Cell, last) as u64;
/// Where it holds its state, of 32 bits.
pub const CELL_STATE: u64 = offset_of!(Cell, state) as u64;
/// Where it counts uses that no lane shows, in 32 bits.
pub const CELL_PINS: u64 = offset_of!(Cell, pins) as u64;

/// In the place of the one lane that has used a cell: there are several.
pub const CELL_MANY: u64 = 1;

/// State of a cell whose value can be used.
pub const CELL_OPEN: u32 = 0;
/// A function has taken the value, or is about to.
pub const CELL_TAKEN: u32 = 1;
/// Closed; a call still uses the value.
pub const CELL_CLOSED: u32 = 2;
/// The value is dropped.
pub const CELL_GONE: u32 = 3;
/// The cell stands for several, all of which must be open.
pub const CELL_JOINT: u32 = 4;

/// The functions of std that take a lock of std's own. Each has a front in the runtime, which looks for room on the stack before it goes on
/// in std's (`lane/guard.rs`): a name, the front as a function and as a symbol, and the symbol by which the front knows std's.
macro_rules! fronts {
    ($then:ident) => {
        $then! {
            print rsyso_room_print "rsyso_room_print" "rsyso_std_print"
            eprint rsyso_room_eprint "rsyso_room_eprint" "rsyso_std_eprint"
            stdout_lock rsyso_room_stdout_lock "rsyso_room_stdout_lock" "rsyso_std_stdout_lock"
            stdout_write rsyso_room_stdout_write "rsyso_room_stdout_write" "rsyso_std_stdout_write"
            stdout_write_vectored rsyso_room_stdout_write_vectored "rsyso_room_stdout_write_vectored" "rsyso_std_stdout_write_vectored"
            stdout_write_all rsyso_room_stdout_write_all "rsyso_room_stdout_write_all" "rsyso_std_stdout_write_all"
            stdout_write_all_vectored rsyso_room_stdout_write_all_vectored "rsyso_room_stdout_write_all_vectored" "rsyso_std_stdout_write_all_vectored"
            stdout_write_fmt rsyso_room_stdout_write_fmt "rsyso_room_stdout_write_fmt" "rsyso_std_stdout_write_fmt"
            stdout_flush rsyso_room_stdout_flush "rsyso_room_stdout_flush" "rsyso_std_stdout_flush"
            stderr_lock rsyso_room_stderr_lock "rsyso_room_stderr_lock" "rsyso_std_stderr_lock"
            stderr_write rsyso_room_stderr_write "rsyso_room_stderr_write" "rsyso_std_stderr_write"
            stderr_write_vectored rsyso_room_stderr_write_vectored "rsyso_room_stderr_write_vectored" "rsyso_std_stderr_write_vectored"
            stderr_write_all rsyso_room_stderr_write_all "rsyso_room_stderr_write_all" "rsyso_std_stderr_write_all"
            stderr_write_all_vectored rsyso_room_stderr_write_all_vectored "rsyso_room_stderr_write_all_vectored" "rsyso_std_stderr_write_all_vectored"
            stderr_write_fmt rsyso_room_stderr_write_fmt "rsyso_room_stderr_write_fmt" "rsyso_std_stderr_write_fmt"
            stdin_lock rsyso_room_stdin_lock "rsyso_room_stdin_lock" "rsyso_std_stdin_lock"
            stdin_read_line rsyso_room_stdin_read_line "rsyso_room_stdin_read_line" "rsyso_std_stdin_read_line"
            backtrace_lock rsyso_room_backtrace_lock "rsyso_room_backtrace_lock" "rsyso_std_backtrace_lock"
            backtrace_create rsyso_room_backtrace_create "rsyso_room_backtrace_create" "rsyso_std_backtrace_create"
            backtrace_frames rsyso_room_backtrace_frames "rsyso_room_backtrace_frames" "rsyso_std_backtrace_frames"
            backtrace_display rsyso_room_backtrace_display "rsyso_room_backtrace_display" "rsyso_std_backtrace_display"
            backtrace_debug rsyso_room_backtrace_debug "rsyso_room_backtrace_debug" "rsyso_std_backtrace_debug"
            set_hook rsyso_room_set_hook "rsyso_room_set_hook" "rsyso_std_set_hook"
            take_hook rsyso_room_take_hook "rsyso_room_take_hook" "rsyso_std_take_hook"
            var rsyso_room_var "rsyso_room_var" "rsyso_std_var"
            var_os rsyso_room_var_os "rsyso_room_var_os" "rsyso_std_var_os"
            vars_os rsyso_room_vars_os "rsyso_room_vars_os" "rsyso_std_vars_os"
            setenv rsyso_room_setenv "rsyso_room_setenv" "rsyso_std_setenv"
            unsetenv rsyso_room_unsetenv "rsyso_room_unsetenv" "rsyso_std_unsetenv"
        }
    };
}
pub(crate) use fronts;

macro_rules! list_fronts {
    ($($name:ident $front:ident $symbol:literal $real:literal)*) => {
        /// [`fronts!`] as symbols: the front, and std's own.
        pub const FRONTS: &[(&str, &str)] = &[$(($symbol, $real)),*];
    };
}
fronts! { list_fronts }

/// Bytes of stack that a front looks for: as much as printing may need, the locks of the runtime included.
pub const FRONT_STACK: usize = 32 * 1024;

/// Where above the stack pointer a stub of a function that takes Go functions has its result: a return address and a pointer lie between.
pub const CALLBACK_RESULT: u64 = 16;

/// The lane table has `1 << LANE_TABLE_BITS` slots of two words: the address of Go's `m`, and the lane's control block.
/// A slot with `m == 0` is free. A lane's slot is only ever written by the thread that runs that `m`.
pub const LANE_TABLE_BITS: u32 = 15;

/// The home slot of `m` is `(low32(m) * LANE_HASH) >> (32 - LANE_TABLE_BITS)`, in 32-bit arithmetic; collisions probe upwards, cyclically.
pub const LANE_HASH: u32 = 0x9E37_79B1;

/// Offset of `m` in Go's `g`, the same in every release from 1.21 to 1.27 (runtime/runtime2.go).
pub const GO_G_M: u64 = 0x30;

/// Offset of `g0` in Go's `m` (runtime/runtime2.go).
pub const GO_M_G0: u64 = 0;

/// Set in the length of a name that the library may look up if it is the runtime's (`Params::lookup_offset`).
pub const LOOKUP_OF_RUNTIME: u32 = 1 << 31;

/// Facts about one image, written by the linker at the symbol `__rsyso_params`, in the image's read-only part.
/// All fields are 64-bit; "offset" means bytes from the start of the image, whose address is the symbol `__rsyso_image`.
/// Nothing here is a pointer: the block can be read before the image's fix-ups ran.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Bytes of the whole image.
    pub image_size: u64,
    /// Offset of the writable part; page-aligned. It reaches to the end of the image. Before it, and at its end, the largest page of the machine is kept free but for
    /// the smallest one.
    pub rw_offset: u64,
    /// Offset and number of the 64-bit words of the packed RELATIVE fix-ups, in the RELR encoding of the ELF gABI
    /// (an even word is the offset of a place; an odd word is a bitmap of the 63 places that follow). Every place is an aligned
    /// 64-bit word that holds an offset, to which the image's address is to be added, once.
    pub relr_offset: u64,
    /// See `relr_offset`.
    pub relr_count: u64,
    /// Offset of the array of 32-bit offsets of places that are not 8-byte aligned (rare), and its length.
    pub unaligned_offset: u64,
    /// See `unaligned_offset`.
    pub unaligned_count: u64,
    /// Offset of the thread-local template; its first `tls_file_size` bytes are copied, the rest up to `tls_mem_size` is zero.
    /// The template may hold fixed-up pointers, so it lies in the writable part.
    pub tls_offset: u64,
    /// See `tls_offset`.
    pub tls_file_size: u64,
    /// See `tls_offset`.
    pub tls_mem_size: u64,
    /// Bytes of a lane; a power of two.
    pub lane_size: u64,
    /// Bytes from a lane's base to its control block; 64-byte aligned.
    pub lane_control: u64,
    /// Bytes from a lane's base to its thread-local block; aligned as the template asks.
    pub lane_tls: u64,
    /// Offset and number of the pointers of `.init_array`: functions of (argc, argv, envp), to be called once after the fix-ups, in order.
    pub init_offset: u64,
    /// See `init_offset`.
    pub init_count: u64,
    /// Offset and bytes of `.eh_frame` (ends with a zero terminator). PC-relative encodings only.
    pub eh_frame_offset: u64,
    /// See `eh_frame_offset`.
    pub eh_frame_size: u64,
    /// Offset of the sorted lookup table: `eh_table_count` pairs of 32-bit offsets from the start of the image
    /// (the first byte of a function, its FDE), by function.
    pub eh_table_offset: u64,
    /// See `eh_table_offset`.
    pub eh_table_count: u64,
    /// Offset of the names of the code, for messages: `names_count` triples of 32-bit numbers by place (offset of the first byte of a
    /// function, offset of its name, bytes of the name), sorted. The names are UTF-8, and a zero follows each.
    pub names_offset: u64,
    /// See `names_offset`.
    pub names_count: u64,
    /// Offset and bytes of those writable data that have bytes in the image and change while the program runs: all else there is written by the
    /// fix-ups alone, or begins as zeros.
    pub vars_offset: u64,
    /// See `vars_offset`.
    pub vars_size: u64,
    /// Bytes and alignment of the memory for statics that lie outside the image; 0 if there are none. It is mapped at the first use.
    pub far_size: u64,
    /// See `far_size`.
    pub far_align: u64,
    /// Offset of the array of 32-bit offsets of words in the image that hold an offset in that memory, to which its address is to be added,
    /// and its length.
    pub far_fixups_offset: u64,
    /// See `far_fixups_offset`.
    pub far_fixups_count: u64,
    /// Offset of the array of what does not begin as zeros there: triples of words (offset in the image, offset there, bytes), copied after the fix-ups.
    pub far_copies_offset: u64,
    /// See `far_copies_offset`.
    pub far_copies_count: u64,
    /// Offset of the names that dlsym finds: sorted triples of 32-bit numbers (offset of the name, its bytes and [`LOOKUP_OF_RUNTIME`], offset of what it names).
    pub lookup_offset: u64,
    /// See `lookup_offset`.
    pub lookup_count: u64,
    /// Offset and bytes of the executable part (function addresses lie in it).
    pub code_offset: u64,
    /// See `code_offset`.
    pub code_size: u64,
}

impl Params {
    /// Bytes of the block.
    pub const SIZE: usize = core::mem::size_of::<Params>();
}
