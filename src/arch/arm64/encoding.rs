//! Instructions, as 32-bit words (Arm ARM, C4.1 "A64 instruction set encoding").

use crate::arch::groups::Site;

/// A relocation, with its index and the instruction that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use<'a> {
    pub n: usize,
    pub site: &'a Site,
    pub word: u32,
}

/// The word at an offset; None where there is none that is aligned and whole.
pub(super) fn word(code: &[u8], at: u64) -> Option<u32> {
    let at = usize::try_from(at).ok().filter(|at| at % 4 == 0)?;
    let bytes = code.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Words as bytes.
pub(super) fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// The register in bits 0 to 4: the destination of most instructions.
pub(super) const fn rd(word: u32) -> u32 {
    word & 31
}

/// The register in bits 5 to 9: the first source, the base of loads and stores.
pub(super) const fn rn(word: u32) -> u32 {
    word >> 5 & 31
}

/// adrp (C6.2.13)
pub(super) const fn is_adrp(word: u32) -> bool {
    word & 0x9f00_0000 == 0x9000_0000
}

/// ldr Xt, [Xn, #imm] (C6.2.194, unsigned offset)
pub(super) const fn is_ldr(word: u32) -> bool {
    word & 0xffc0_0000 == 0xf940_0000
}

/// add Xd, Xn, #imm, without a shift (C6.2.4)
pub(super) const fn is_add(word: u32) -> bool {
    word & 0xffc0_0000 == 0x9100_0000
}

/// blr Xn (C6.2.37)
pub(super) const fn is_blr(word: u32) -> bool {
    word & 0xffff_fc1f == 0xd63f_0000
}

/// add Xd, Xn, #0
pub(super) const fn add(rd: u32, rn: u32) -> u32 {
    0x9100_0000 | rn << 5 | rd
}

/// ldr Xt, [Xn]
pub(super) const fn ldr(rt: u32, rn: u32) -> u32 {
    0xf940_0000 | rn << 5 | rt
}

/// movz Xd, #0, lsl 16
pub(super) const fn movz_high(rd: u32) -> u32 {
    0xd2a0_0000 | rd
}

/// movk Xd, #0
pub(super) const fn movk_low(rd: u32) -> u32 {
    0xf280_0000 | rd
}

/// nop
pub(super) const NOP: u32 = 0xd503_201f;
