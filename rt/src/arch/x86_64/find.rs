//! strlen, memchr and memrchr, on SSE2. They read whole 16-byte blocks, aligned, and so never touch a page that the range does not.

use core::arch::naked_asm;

/// strlen(3).
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    naked_asm!(
        "pxor xmm0, xmm0",
        "mov rax, rdi",
        "and rax, -16",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        // What lies before the string in its first block does not count.
        "mov ecx, edi",
        "and ecx, 15",
        "shr edx, cl",
        "test edx, edx",
        "jz 2f",
        "bsf eax, edx",
        "ret",
        ".p2align 4",
        "2:",
        "add rax, 16",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        "test edx, edx",
        "jz 2b",
        "bsf edx, edx",
        "add rax, rdx",
        "sub rax, rdi",
        "ret",
    )
}

/// memchr(3).
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memchr(from: *const u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "test rdx, rdx",
        "jz 9f",
        // Sixteen copies of the byte.
        "movd xmm0, esi",
        "punpcklbw xmm0, xmm0",
        "pshuflw xmm0, xmm0, 0",
        "punpcklqdq xmm0, xmm0",
        // r8 = the end; a length beyond the address space means "it is there".
        "mov r8, rdi",
        "add r8, rdx",
        "jnc 2f",
        "mov r8, -1",
        "2:",
        "mov rax, rdi",
        "and rax, -16",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        "mov ecx, edi",
        "and ecx, 15",
        "shr edx, cl",
        "shl edx, cl",
        "test edx, edx",
        "jnz 4f",
        ".p2align 4",
        "3:",
        "add rax, 16",
        "cmp rax, r8",
        "jae 9f",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        "test edx, edx",
        "jz 3b",
        "4:",
        "bsf edx, edx",
        "add rax, rdx",
        "cmp rax, r8",
        "jae 9f",
        "ret",
        "9:",
        "xor eax, eax",
        "ret",
    )
}

/// memrchr(3).
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memrchr(from: *const u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "test rdx, rdx",
        "jz 9f",
        "movd xmm0, esi",
        "punpcklbw xmm0, xmm0",
        "pshuflw xmm0, xmm0, 0",
        "punpcklqdq xmm0, xmm0",
        // The block of the last byte, without what comes after that.
        "lea rax, [rdi + rdx - 1]",
        "mov ecx, eax",
        "and rax, -16",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        "not ecx",
        "and ecx, 15",
        "shl edx, cl",
        "movzx edx, dx",
        "shr edx, cl",
        "test edx, edx",
        "jnz 4f",
        ".p2align 4",
        "3:",
        "cmp rax, rdi",
        "jbe 9f",
        "sub rax, 16",
        "movdqa xmm1, [rax]",
        "pcmpeqb xmm1, xmm0",
        "pmovmskb edx, xmm1",
        "test edx, edx",
        "jz 3b",
        "4:",
        "bsr edx, edx",
        "add rax, rdx",
        "cmp rax, rdi",
        "jb 9f",
        "ret",
        "9:",
        "xor eax, eax",
        "ret",
    )
}
