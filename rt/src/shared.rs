//! What the linker and the runtime agree on: the shape of a lane and of the parameter block.
//!
//! This file is compiled into both (the tool includes it by path), so that neither can drift from the other.
//!
//! A *lane* is an address-space region of `lane_size` bytes (a power of two) aligned to its own size:
//!
//! ```text
//!                          base                                                                                base + lane_size
//! | guard (OUTER_GUARD_SIZE) | guard (GUARD_SIZE) | stack, grows down  <-| control block | thread-local block | signal stack |
//!                                                                         ^ control_offset  ^ tls_offset
//! ```
//!
//! The guards are never accessible, but for the inner one while a panic is raised (`room.rs`): code that runs there is still in the lane.
//!
//! The address of the control block is the initial stack pointer of a call, and is 64-byte aligned. Any code that runs
//! in a lane finds both blocks from `SP & -lane_size`.

/// Bytes at the bottom of a lane that its stack may not use.
pub const GUARD_SIZE: u64 = 64 * 1024;

/// Bytes below a lane that are reserved with it: code compiled without stack probes whose frame is smaller cannot jump over them.
pub const OUTER_GUARD_SIZE: u64 = 1024 * 1024;

/// Bytes at the top of a lane on which signals are handled that a thread of Rust's own causes by a fault. Go's threads have such stacks
/// already. Room for the largest frame that the kernel writes there (AT_MINSIGSTKSZ, some 12 KiB with AMX), and then some.
pub const SIGNAL_STACK_SIZE: u64 = 32 * 1024;

/// Bytes of the control block. What the offsets below name belongs to the wrappers; the rest is the runtime's.
pub const CONTROL_SIZE: u64 = 1024;

/// Where in the control block a wrapper saves the goroutine's stack pointer before it switches to the lane.
pub const CONTROL_GO_SP: u64 = 0;

/// Where in the control block a wrapper saves the goroutine's frame pointer.
pub const CONTROL_GO_BP: u64 = 8;

/// Where in the control block a wrapper saves the address of the Go function to go on in, on the goroutine's stack, if the call does not
/// return (`depart.rs`).
pub const CONTROL_GO_LANDING: u64 = 16;

/// Where in the control block a wrapper writes which handles the call uses: [`USES`] words, 0 or the address of a cell (`rt/src/handles.rs`).
pub const CONTROL_USES: u64 = 24;

/// The most handles that a function may take.
pub const USES: usize = 8;

/// Where a handle of Go's leads to its cell.
pub const HANDLE_CELL: u64 = 0;
/// Where it holds the pointer of Rust's.
pub const HANDLE_RAW: u64 = 8;
/// Where it says whether the value belongs to another handle's.
pub const HANDLE_LENT: u64 = 16;

/// Where a cell holds the lane that has used it.
pub const CELL_LAST: u64 = 8;
/// Where it holds its state, of 32 bits.
pub const CELL_STATE: u64 = 16;
/// Where it counts uses that no lane shows, in 32 bits.
pub const CELL_PINS: u64 = 20;

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

/// Facts about one image, written by the linker at the symbol `__rsyso_params`, in the image's read-only part.
/// All fields are 64-bit; "offset" means bytes from the start of the image, whose address is the symbol `__rsyso_image`.
/// Nothing here is a pointer: the block can be read before the image's fix-ups ran.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Bytes of the whole image.
    pub image_size: u64,
    /// Offset of the writable part; page-aligned. It reaches to the end of the image.
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
    /// function, offset of its name, bytes of the name), sorted. The names are UTF-8.
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
    /// Offset of the array of what does not begin as zeros there, and its length: triples of 64-bit words (offset in the image, offset in that
    /// memory, bytes), to be copied after the fix-ups.
    pub far_copies_offset: u64,
    /// See `far_copies_offset`.
    pub far_copies_count: u64,
    /// Offset and bytes of the executable part (function addresses lie in it).
    pub code_offset: u64,
    /// See `code_offset`.
    pub code_size: u64,
}

impl Params {
    /// Bytes of the block.
    pub const SIZE: usize = core::mem::size_of::<Params>();
}
