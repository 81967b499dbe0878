//! Rewriting of instructions that load an address from a cell (psABI B.2, "Optimize GOTPCRELX Relocations").

/// Instructions that replace others, with at most one 32-bit field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    /// Where they begin, in the section.
    pub start: u64,
    /// The instructions.
    pub bytes: Vec<u8>,
    /// Where the field lies, in the section; None when there is nothing to fill in.
    pub field: Option<u64>,
}

/// Rewrites the instruction whose 32-bit displacement lies at `offset`, so that it reaches the symbol itself:
///
/// ```text
/// mov  foo@GOTPCREL(%rip), %reg  ->  lea  foo(%rip), %reg
/// call *foo@GOTPCREL(%rip)       ->  addr32 call foo
/// jmp  *foo@GOTPCREL(%rip)       ->  jmp foo; nop
/// ```
///
/// None when the instruction is another one (`cmp`, `push`, `test`, ...): it needs a cell.
pub(super) fn cell_load(code: &[u8], offset: u64) -> Option<Rewrite> {
    let at = usize::try_from(offset).ok()?;
    let opcode = *code.get(at.checked_sub(2)?)?;
    let modrm = *code.get(at - 1)?;
    code.get(at..at.checked_add(4)?)?;
    match (opcode, modrm) {
        (0x8b, m) if m & 0xc7 == 0x05 => Some(Rewrite {
            start: offset - 2,
            bytes: vec![0x8d],
            field: Some(offset),
        }),
        (0xff, 0x15) => Some(Rewrite {
            start: offset - 2,
            bytes: vec![0x67, 0xe8],
            field: Some(offset),
        }),
        (0xff, 0x25) => Some(Rewrite {
            start: offset - 2,
            bytes: vec![0xe9, 0, 0, 0, 0, 0x90],
            field: Some(offset - 1),
        }),
        _ => None,
    }
}

/// Rewrites the instruction whose 32-bit displacement lies at `offset`, so that it loads what it has computed:
///
/// ```text
/// lea  foo(%rip), %reg  ->  mov  cell(%rip), %reg
/// ```
///
/// None when it is another instruction.
pub(super) fn address(code: &[u8], offset: u64) -> Option<Rewrite> {
    /// REX.W, without and with REX.R: 64 bits, to a register of either half. Neither REX.X nor REX.B mean anything here.
    const WIDE: [u8; 2] = [0x48, 0x4c];
    let at = usize::try_from(offset).ok()?;
    let [rex, opcode, modrm] = *code.get(at.checked_sub(3)?..at)? else {
        return None;
    };
    code.get(at..at.checked_add(4)?)?;
    (WIDE.contains(&rex) && opcode == 0x8d && modrm & 0xc7 == 0x05).then(|| Rewrite {
        start: offset - 2,
        bytes: vec![0x8b],
        field: Some(offset),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_loaded_where_they_were_computed() {
        // lea r15, [rip+0] -> mov r15, [rip+0]
        let r = address(&[0x4c, 0x8d, 0x3d, 0, 0, 0, 0], 3).expect("rewritten");
        assert_eq!((r.start, r.bytes, r.field), (1, vec![0x8b], Some(3)));
        for other in [
            &[0x48, 0x8b, 0x05, 0, 0, 0, 0][..], // mov rax, [rip+0]
            &[0x90, 0x8d, 0x05, 0, 0, 0, 0],     // lea eax, [rip+0]
            &[0x48, 0x8d, 0x80, 0, 0, 0, 0],     // lea rax, [rax+0]
            &[0x48, 0x8d, 0x05, 0, 0],
        ] {
            assert_eq!(address(other, 3), None);
        }
        assert_eq!(address(&[0x8d, 0x05, 0, 0, 0, 0], 2), None);
    }

    /// (before, after, field), the displacement at offset 3 or 2. Made with `as` and `objdump -d`.
    #[test]
    fn instructions_are_rewritten_as_the_psabi_says() {
        let rows: &[(&[u8], u64, &[u8], u64)] = &[
            // mov rax, [rip+0] -> lea rax, [rip+0]
            (
                &[0x48, 0x8b, 0x05, 0, 0, 0, 0],
                3,
                &[0x48, 0x8d, 0x05, 0, 0, 0, 0],
                3,
            ),
            // mov r15, [rip+0] -> lea r15, [rip+0]
            (
                &[0x4c, 0x8b, 0x3d, 0, 0, 0, 0],
                3,
                &[0x4c, 0x8d, 0x3d, 0, 0, 0, 0],
                3,
            ),
            // call [rip+0] -> addr32 call
            (&[0xff, 0x15, 0, 0, 0, 0], 2, &[0x67, 0xe8, 0, 0, 0, 0], 2),
            // jmp [rip+0] -> jmp; nop
            (&[0xff, 0x25, 0, 0, 0, 0], 2, &[0xe9, 0, 0, 0, 0, 0x90], 1),
        ];
        for (before, offset, after, field) in rows {
            let r = cell_load(before, *offset).expect("rewritten");
            let mut code = before.to_vec();
            let start = r.start as usize;
            code[start..start + r.bytes.len()].copy_from_slice(&r.bytes);
            assert_eq!(&code, after);
            assert_eq!(r.field, Some(*field));
        }
    }

    #[test]
    fn other_instructions_and_cut_off_code_are_left_alone() {
        assert_eq!(cell_load(&[0x48, 0x3b, 0x05, 0, 0, 0, 0], 3), None); // cmp rax, [rip+0]
        assert_eq!(cell_load(&[0xff, 0x35, 0, 0, 0, 0], 2), None); // push [rip+0]
        assert_eq!(cell_load(&[0x48, 0x8b, 0x05, 0, 0], 3), None);
        assert_eq!(cell_load(&[0x8b], 1), None);
        assert_eq!(cell_load(&[], u64::MAX), None);
    }
}
