//! Thread-local sequences (psABI 3.12.1 "General Dynamic", and local dynamic, in "ELF Handling For Thread-Local Storage").
//!
//! A lane is aligned to its own size, so the thread-local block lies at a fixed distance from `SP & -size`:
//!
//! ```text
//! 66 48 8d 3d <x@tlsgd>        data16 lea x@tlsgd(%rip), %rdi       mov %rsp, %rax
//! 66 66 48 e8 <__tls_get_addr> data16 data16 rex64 call       ->    and $-size, %rax
//!                                                                    add $x, %rax ; nop
//! ```

use super::relax::Rewrite;

/// The two models whose sequences call `__tls_get_addr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// One variable.
    General,
    /// The block; offsets follow.
    Local,
}

/// mov rax, rsp; and rax, imm32
fn lane_base(lane_size: u64) -> Option<Vec<u8>> {
    let mask = i32::try_from(-i64::try_from(lane_size).ok()?).ok()?;
    let mut code = vec![0x48, 0x89, 0xe0, 0x48, 0x25];
    code.extend(mask.to_le_bytes());
    Some(code)
}

/// Replaces the sequence whose `lea` has its displacement at `offset`. `call` is the offset of the relocation to
/// `__tls_get_addr` that belongs to it. None when the code is not one of the sequences that compilers emit.
pub(super) fn access(
    model: Model,
    code: &[u8],
    offset: u64,
    call: u64,
    lane_size: u64,
) -> Option<Rewrite> {
    let at = usize::try_from(offset).ok()?;
    let after = code.get(at.checked_add(4)?..)?;
    let gap = call.checked_sub(offset)?;
    match model {
        Model::General => {
            let start = at.checked_sub(4)?;
            let lea = code.get(start..at)? == [0x66, 0x48, 0x8d, 0x3d];
            // The second form is gcc's -fno-plt: call *__tls_get_addr@GOTPCREL(%rip).
            let calls = after.starts_with(&[0x66, 0x66, 0x48, 0xe8])
                || after.starts_with(&[0x66, 0x48, 0xff, 0x15]);
            if !lea || !calls || gap != 8 || after.len() < 8 {
                return None;
            }
            let mut bytes = lane_base(lane_size)?;
            bytes.extend([0x48, 0x05, 0, 0, 0, 0, 0x90]); // add rax, imm32; nop
            Some(Rewrite {
                start: start as u64,
                bytes,
                field: Some(start as u64 + 11),
            })
        }
        Model::Local => {
            let start = at.checked_sub(3)?;
            if code.get(start..at)? != [0x48, 0x8d, 0x3d] {
                return None;
            }
            let mut bytes = lane_base(lane_size)?;
            match after {
                [0xe8, _, _, _, _, ..] if gap == 5 => bytes.extend([0x0f, 0x1f, 0x00]), // nop
                [0xff, 0x15, _, _, _, _, ..] | [0x67, 0xe8, _, _, _, _, ..] if gap == 6 => {
                    bytes.extend([0x0f, 0x1f, 0x40, 0x00]); // nop
                }
                _ => return None,
            }
            Some(Rewrite {
                start: start as u64,
                bytes,
                field: None,
            })
        }
    }
}

/// Rewrites the load of an offset from a cell, whose displacement lies at `offset` (psABI B.2 and "Initial Exec to Local Exec"):
///
/// ```text
/// mov x@gottpoff(%rip), %reg  ->  mov $x, %reg
/// add x@gottpoff(%rip), %reg  ->  add $x, %reg
/// ```
pub(super) fn offset_load(code: &[u8], offset: u64) -> Option<Rewrite> {
    const REX_W: u8 = 0x48;
    let at = usize::try_from(offset).ok()?;
    code.get(at..at.checked_add(4)?)?;
    let start = at.checked_sub(3)?;
    let [rex, opcode, modrm] = *code.get(start..at)? else {
        return None;
    };
    // The register moves from the field `reg` to `rm`, and so its fourth bit from REX.R to REX.B.
    let new_rex = match rex {
        0x48 => REX_W,
        0x4c => REX_W | 1,
        _ => return None,
    };
    if modrm & 0xc7 != 0x05 {
        return None;
    }
    let opcode = match opcode {
        0x8b => 0xc7,
        0x03 => 0x81,
        _ => return None,
    };
    let modrm = 0xc0 | (modrm >> 3) & 7;
    Some(Rewrite {
        start: start as u64,
        bytes: vec![new_rex, opcode, modrm, 0, 0, 0, 0],
        field: Some(offset),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

    fn disassemble(code: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        for instruction in Decoder::with_ip(64, code, 0, DecoderOptions::NONE).iter() {
            let mut text = String::new();
            IntelFormatter::new().format(&instruction, &mut text);
            out.push(text);
        }
        out
    }

    fn rewritten(model: Model, code: &[u8], offset: u64, call: u64) -> Vec<String> {
        let r = access(model, code, offset, call, 8 << 20).expect("rewritten");
        assert_eq!(
            (r.start, r.bytes.len()),
            (0, code.len()),
            "the sequence is replaced whole"
        );
        disassemble(&r.bytes)
    }

    #[test]
    fn every_form_of_the_sequences_is_replaced() {
        let gd = [
            0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0,
        ];
        let gd_no_plt = [
            0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x48, 0xff, 0x15, 0, 0, 0, 0,
        ];
        let want = [
            "mov rax,rsp",
            "and rax,0FFFFFFFFFF800000h",
            "add rax,0",
            "nop",
        ];
        assert_eq!(rewritten(Model::General, &gd, 4, 12), want);
        assert_eq!(rewritten(Model::General, &gd_no_plt, 4, 12), want);
        let ld = [0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0];
        let ld_no_plt = [0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xff, 0x15, 0, 0, 0, 0];
        for (code, call) in [(&ld[..], 8), (&ld_no_plt[..], 9)] {
            let text = rewritten(Model::Local, code, 3, call);
            assert_eq!(text[..2], want[..2]);
            assert!(text[2].starts_with("nop"));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(access(Model::General, &[0x90; 16], 4, 12, 1 << 20), None);
        assert_eq!(
            access(
                Model::Local,
                &[0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x90],
                3,
                8,
                1 << 20
            ),
            None
        );
        assert_eq!(access(Model::General, &[], u64::MAX, 0, 1 << 20), None);
        let gd = [
            0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0,
        ];
        assert_eq!(
            access(Model::General, &gd, 4, 13, 1 << 20),
            None,
            "the call's relocation is elsewhere"
        );
    }
}
