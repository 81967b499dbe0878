//! Whether the status flags still matter at an instruction.

use iced_x86::{FlowControl, Instruction, Mnemonic, RflagsBits};

/// The flags that arithmetic leaves.
const STATUS: u32 = RflagsBits::OF
    | RflagsBits::SF
    | RflagsBits::ZF
    | RflagsBits::AF
    | RflagsBits::CF
    | RflagsBits::PF;

/// Whether the status flags may be lost before the first of `code`: all are written before any is read. Functions expect none when they are
/// called, and leave none (psABI 3.2.1); but a jump out of sight may go to another part of the same function.
pub(super) fn are_dead<'a>(code: impl Iterator<Item = &'a Instruction>) -> bool {
    let mut written = 0;
    let mut next = None;
    for i in code {
        if next.is_some_and(|ip| ip != i.ip()) || i.rflags_read() & STATUS & !written != 0 {
            return false;
        }
        if !keeps_sometimes(i) {
            written |= i.rflags_modified() & STATUS;
        }
        if written == STATUS {
            return true;
        }
        match i.flow_control() {
            FlowControl::Next => next = Some(i.next_ip()),
            FlowControl::Return | FlowControl::Call | FlowControl::IndirectCall => return true,
            _ => return false,
        }
    }
    false
}

/// Shifts by a number that may be 0, and repetitions that may be none, leave the flags as they are then.
fn keeps_sometimes(i: &Instruction) -> bool {
    use Mnemonic::*;
    let shifts = matches!(
        i.mnemonic(),
        Shl | Shr | Sar | Sal | Rol | Ror | Rcl | Rcr | Shld | Shrd
    );
    shifts || i.has_rep_prefix() || i.has_repne_prefix()
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions};

    fn dead(code: &[u8]) -> bool {
        let code: Vec<_> = Decoder::new(64, code, DecoderOptions::NONE)
            .iter()
            .collect();
        are_dead(code.iter())
    }

    #[test]
    fn flags_are_dead_when_all_are_written_first() {
        // mov rax, rbx; test rax, rax
        assert!(dead(&[0x48, 0x89, 0xd8, 0x48, 0x85, 0xc0]));
        // mov rax, rbx; ret
        assert!(dead(&[0x48, 0x89, 0xd8, 0xc3]));
        // call
        assert!(dead(&[0xe8, 0, 0, 0, 0]));
        // xor eax, eax; sete al: what it reads was written behind the first.
        assert!(dead(&[0x31, 0xc0, 0x0f, 0x94, 0xc0]));
    }

    #[test]
    fn flags_are_alive_when_any_is_read_or_may_be() {
        // sete al; test rax, rax
        assert!(!dead(&[0x0f, 0x94, 0xc0, 0x48, 0x85, 0xc0]));
        // adc rax, rbx
        assert!(!dead(&[0x48, 0x11, 0xd8]));
        // je
        assert!(!dead(&[0x74, 0]));
        // jmp: out of sight
        assert!(!dead(&[0xeb, 0, 0x48, 0x85, 0xc0]));
        // inc eax (keeps the carry); jb
        assert!(!dead(&[0xff, 0xc0, 0x72, 0]));
        // shl eax, cl; sete al
        assert!(!dead(&[0xd3, 0xe0, 0x0f, 0x94, 0xc0]));
        // repe cmpsb; sete al
        assert!(!dead(&[0xf3, 0xa6, 0x0f, 0x94, 0xc0]));
        // What follows is not known.
        assert!(!dead(&[0x48, 0x89, 0xd8]));
    }
}
