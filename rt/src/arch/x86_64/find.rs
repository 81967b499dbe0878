//! strlen, memchr, memrchr and the comparison of strings, on SSE2 (on AVX2: `wide`). They read whole 16-byte blocks, aligned, and so never touch a page that the
//! range does not.

use core::arch::naked_asm;

use super::wide::{self, WIDE};

/// strlen(3).
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    naked_asm!(
        "cmp byte ptr [rip + {is_wide}], 0",
        "jne {wide}",
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
        is_wide = sym WIDE,
        wide = sym wide::length,
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
        "cmp byte ptr [rip + {is_wide}], 0",
        "jne {wide}",
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
        is_wide = sym WIDE,
        wide = sym wide::find,
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

/// The first place where two strings differ or end, or `limit` if that comes first.
///
/// # Safety
/// Both are C strings, or `limit` bytes long.
#[unsafe(naked)]
pub unsafe extern "C" fn first_difference(a: *const u8, b: *const u8, limit: usize) -> usize {
    naked_asm!(
        "cmp byte ptr [rip + {is_wide}], 0",
        "jne {wide}",
        "xor eax, eax",
        "pxor xmm0, xmm0",
        "2:",
        "cmp rax, rdx",
        "jae 9f",
        // Sixteen bytes at once, unless they reach into the next page of either.
        "lea ecx, [rdi + rax]",
        "lea r8d, [rsi + rax]",
        "and ecx, 4095",
        "and r8d, 4095",
        "cmp ecx, 4080",
        "ja 5f",
        "cmp r8d, 4080",
        "ja 5f",
        "movdqu xmm1, [rdi + rax]",
        "movdqu xmm2, [rsi + rax]",
        "pcmpeqb xmm2, xmm1",
        // Zero where they differ, and where the first ends.
        "pminub xmm2, xmm1",
        "pcmpeqb xmm2, xmm0",
        "pmovmskb ecx, xmm2",
        "add rax, 16",
        "test ecx, ecx",
        "jz 2b",
        "bsf ecx, ecx",
        "lea rax, [rax + rcx - 16]",
        "cmp rax, rdx",
        "cmova rax, rdx",
        "ret",
        "5:",
        "movzx ecx, byte ptr [rdi + rax]",
        "cmp cl, [rsi + rax]",
        "jne 8f",
        "test ecx, ecx",
        "jz 8f",
        "inc rax",
        "jmp 2b",
        "8:",
        "ret",
        "9:",
        "mov rax, rdx",
        "ret",
        is_wide = sym WIDE,
        wide = sym wide::difference,
    )
}
