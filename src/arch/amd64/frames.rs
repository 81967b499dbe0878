//! Frames that functions make on the stack.

use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind, Register};

/// Where code takes more than `over` bytes of stack in one step. What probes the stack takes a page at a time.
pub fn large(code: &[u8], over: u64) -> Vec<(u64, u64)> {
    // sub rsp, imm32
    const STEP: [u8; 3] = [0x48, 0x81, 0xec];
    let large = |at: usize| {
        let bytes = code.get(at + STEP.len()..)?.first_chunk()?;
        (i64::from(i32::from_le_bytes(*bytes)) > over as i64).then_some(())
    };
    if !memchr::memmem::find_iter(code, &STEP).any(|at| large(at).is_some()) {
        return Vec::new();
    }
    // The bytes may be a piece of something else.
    Decoder::new(64, code, DecoderOptions::NONE)
        .into_iter()
        .filter(|i| {
            i.mnemonic() == Mnemonic::Sub
                && i.op0_kind() == OpKind::Register
                && i.op0_register() == Register::RSP
                && i.op1_kind() == OpKind::Immediate32to64
        })
        .map(|i| (i.ip(), i.immediate(1)))
        .filter(|(_, bytes)| *bytes > over && *bytes <= i32::MAX as u64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_steps_are_found() {
        // push rbp; sub rsp, 0x200000; sub rsp, 0x1000; ret
        let code = [
            0x55, 0x48, 0x81, 0xec, 0, 0, 0x20, 0, 0x48, 0x81, 0xec, 0, 0x10, 0, 0, 0xc3,
        ];
        assert_eq!(large(&code, 1 << 20), [(1, 2 << 20)]);
        assert_eq!(large(&code, 2 << 20), []);
        // mov rax, the same bytes
        let data = [0x48, 0xb8, 0x48, 0x81, 0xec, 0, 0, 0x20, 0, 0];
        assert_eq!(large(&data, 1 << 20), []);
    }
}
