//! Frames that functions make on the stack.

use super::constants::walk;

/// Where code takes more than `over` bytes of stack in one step. What probes the stack takes a page at a time.
pub fn large(code: &[u8], over: u64) -> Vec<(u64, u64)> {
    let words = || code.chunks_exact(4).filter_map(|c| c.first_chunk());
    if !words().any(|w| step(u32::from_le_bytes(*w)).is_some()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    walk(code, |at, word, known| {
        let bytes = match step(word) {
            Some(Step::By(bytes)) => Some(bytes),
            Some(Step::Register(register)) => known.get(register),
            None => None,
        };
        found.extend(bytes.filter(|n| *n > over).map(|n| (at, n)));
    });
    found
}

/// What is taken off the stack pointer.
enum Step {
    By(u64),
    Register(u32),
}

/// sub sp, sp, #imm, lsl 12; sub sp, sp, Xm (Arm ARM, C6.2). An immediate without a shift is below 4096.
fn step(word: u32) -> Option<Step> {
    if word & 0xffc0_03ff == 0xd140_03ff {
        return Some(Step::By(u64::from(word >> 10 & 0xfff) << 12));
    }
    (word & 0xffe0_ffff == 0xcb20_63ff).then_some(Step::Register(word >> 16 & 31))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::arm64::encoding::bytes;

    #[test]
    fn large_steps_are_found() {
        // stp x29, x30, [sp, #-16]!; sub sp, sp, #0x200, lsl 12; sub sp, sp, #0x10; ret
        let code = bytes(&[0xa9bf_7bfd, 0xd148_03ff, 0xd100_43ff, 0xd65f_03c0]);
        assert_eq!(large(&code, 1 << 20), [(4, 2 << 20)]);
        assert_eq!(large(&code, 2 << 20), []);
        // mov x16, #0x300000; sub sp, sp, x16
        let code = bytes(&[0xd2a0_0610, 0xcb30_63ff]);
        assert_eq!(large(&code, 1 << 20), [(4, 3 << 20)]);
        // sub x9, sp, #0x200, lsl 12: a probe follows.
        assert_eq!(large(&bytes(&[0xd148_03e9]), 1 << 20), []);
    }
}
