//! AArch64, little endian (GOARCH arm64): instructions of 32 bits, addresses in two of them, branches that reach 128 MiB.
//! Sources: "Arm Architecture Reference Manual for A-profile architecture" (Arm ARM), "ELF for the Arm 64-bit Architecture" (AAELF64),
//! "Procedure Call Standard for the Arm 64-bit Architecture" (AAPCS64).

use super::groups::{Group, Relocated};
use super::reloc::Howto;
use super::thread_pointer::{Code as UsingCode, Detours};
use super::{
    Analysis, Arch, Arguments, Calling, Code, GoFunction, KeptCalls, Linking, Stub, Thunk,
};
use crate::model::goabi::Frame;
use crate::model::uses::Uses;
use crate::model::{Api, Function};
use gimli::write::CommonInformationEntry;

pub mod abi;
pub mod callback;
mod classes;
mod constants;
mod encoding;
mod frames;
pub mod groups;
mod handles;
mod pool;
pub mod relax;
pub mod reloc;
pub mod stub;
pub mod syscall;
#[cfg(test)]
mod tests;
pub mod thread_pointer;
pub mod tls;
pub mod wrapper;
mod writer;

/// The backend.
#[derive(Debug)]
pub struct Arm64;

impl Arch for Arm64 {
    fn goarch(&self) -> &'static str {
        "arm64"
    }
    fn rust_target(&self) -> &'static str {
        "aarch64-unknown-linux-gnu"
    }
    fn machine(&self) -> u16 {
        object::elf::EM_AARCH64.0
    }
    fn object_architecture(&self) -> object::Architecture {
        object::Architecture::Aarch64
    }
}

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

impl Analysis for Arm64 {
    fn c_calls(&self, code: &[u8], refs: &[u64]) -> Vec<Arguments> {
        syscall::c_calls(code, refs)
    }
    fn reads_second_argument(&self, code: &[u8], offset: u32) -> bool {
        syscall::reads_second_argument(code, offset)
    }
    fn large_frames(&self, code: &[u8], over: u64) -> Vec<(u64, u64)> {
        frames::large(code, over)
    }
    fn system_calls(&self, code: &[u8]) -> Vec<Arguments> {
        syscall::instructions(code)
    }
    fn waiting_call(&self, number: u64) -> Option<&'static str> {
        syscall::name(number)
    }
}

impl Calling for Arm64 {
    fn wrapper(
        &self,
        api: &Api,
        function: &Function,
        frame: &Frame,
        codes: &[String],
        uses: &Uses,
    ) -> Result<Code, String> {
        match uses {
            Uses::Freed => handles::closing(frame, &function.symbol, api.keeps()),
            _ => wrapper::emit(api, function, frame, codes, uses),
        }
    }
    fn go_function(&self, api: &Api, function: &GoFunction<'_>) -> Result<Code, String> {
        callback::emit(api, function)
    }
    fn c_abi_names(&self) -> &'static [&'static str] {
        &[]
    }
    fn pool(&self, api: &Api) -> Result<Code, String> {
        pool::emit(api)
    }
    fn jump(&self, symbol: &str) -> Result<Code, String> {
        wrapper::jump(symbol)
    }
    fn address(&self, symbol: &str) -> Result<Code, String> {
        wrapper::address(symbol)
    }
    fn frame_at_entry(&self) -> (CommonInformationEntry, u32) {
        (wrapper::frame_at_entry(), reloc::R_PREL32)
    }
    fn away(&self, go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String {
        stub::away(go_on, depart, keeps)
    }
    fn landing(&self, name: &str, then: &str) -> String {
        stub::landing(name, then)
    }
    fn stub(&self, stub: &Stub<'_>) -> String {
        stub::print(stub)
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
