//! AArch64, little endian (GOARCH arm64): instructions of 32 bits, addresses in two of them, branches that reach 128 MiB.
//! Sources: "Arm Architecture Reference Manual for A-profile architecture" (Arm ARM), "ELF for the Arm 64-bit Architecture" (AAELF64),
//! "Procedure Call Standard for the Arm 64-bit Architecture" (AAPCS64).
//!
//! Only [`Linking`] is there: nothing is converted for this machine yet, so it is not among [`ALL`](super::ALL).

use super::groups::{Group, Relocated};
use super::reloc::Howto;
use super::thread_pointer::{Code as UsingCode, Detours};
use super::{Linking, Thunk};

mod encoding;
pub mod groups;
pub mod relax;
pub mod reloc;
#[cfg(test)]
mod tests;
pub mod thread_pointer;
pub mod tls;

/// The backend.
#[derive(Debug)]
pub struct Arm64;

impl Linking for Arm64 {
    fn page_size(&self) -> u64 {
        // Kernels have pages of 4, 16 or 64 KiB.
        4096
    }
    fn largest_page(&self) -> u64 {
        1 << 16
    }
    fn trap(&self) -> &'static [u8] {
        // brk #1, lowest byte first.
        &[0x20, 0x00, 0x20, 0xd4]
    }
    fn howto(&self, r_type: u32) -> Option<&'static Howto> {
        reloc::howto(r_type)
    }
    fn groups(&self, section: &Relocated<'_>) -> Vec<Group> {
        groups::claim(section)
    }
    fn meant(&self, _: &[u8], _: u64) -> &'static [i64] {
        &[0]
    }
    fn thunk(&self) -> Option<&'static Thunk> {
        Some(&THUNK)
    }
    fn uses_thread_pointer(&self, code: &[u8]) -> bool {
        thread_pointer::may_be_used(code)
    }
    fn replace_thread_pointer(&self, code: &UsingCode<'_>) -> Result<Detours, Vec<(u64, String)>> {
        thread_pointer::replace(code)
    }
}

/// Reaches 4 GiB, by the register that is free between a caller and its callee (AAPCS64 6.1.1, "IP0"):
///
/// ```text
/// adrp x16, S
/// add  x16, x16, :lo12:S
/// br   x16
/// ```
static THUNK: Thunk = Thunk {
    code: &[
        0x10, 0x00, 0x00, 0x90, 0x10, 0x02, 0x00, 0x91, 0x00, 0x02, 0x1f, 0xd6,
    ],
    align: 4,
    fields: &[(0, reloc::ADRP), (4, reloc::LOW)],
};
