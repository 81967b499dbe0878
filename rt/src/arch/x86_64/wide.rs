//! The memory functions on AVX2: `mem` and `find` jump here, for lengths that gain by it, once [`detect`] has found that the processor and the system have it.
//!
//! As there, a search reads aligned blocks alone, and so touches no page that the range does not. Each way out clears the upper halves of the registers, without
//! which SSE instructions that follow are slow (Intel's optimization manual, "Mixing AVX code with SSE code").

use core::arch::{asm, naked_asm};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Not zero once [`detect`] has found AVX2.
pub static WIDE: AtomicU8 = AtomicU8::new(0);

/// Takes the features that leaf 7 of CPUID has in EBX.
pub fn detect(features: u32) {
    WIDE.store(has_avx2(features) as u8, Relaxed);
}

/// As Intel's manual has it (volume 1, "Detection of AVX2"): the processor has the instructions, and the system saves their registers.
fn has_avx2(features: u32) -> bool {
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    // BMI1 for `tzcnt`, and AVX2.
    const BMI1_AND_AVX2: u32 = 1 << 3 | 1 << 5;
    const XMM_AND_YMM: u32 = 0b110;
    if features & BMI1_AND_AVX2 != BMI1_AND_AVX2
        || core::arch::x86_64::__cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX
    {
        return false;
    }
    let saved: u32;
    // SAFETY: the system has XGETBV (OSXSAVE); it reads a register.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") saved, out("edx") _, options(nomem, nostack, preserves_flags))
    };
    saved & XMM_AND_YMM == XMM_AND_YMM
}

/// Copies rdx bytes, more than 128, from rsi to rdi, which does not begin inside of them; rax is kept.
#[unsafe(naked)]
pub unsafe extern "C" fn copy_forwards() {
    naked_asm!(
        // The last 128 bytes and the first 32 are loaded now and stored at the end.
        "vmovdqu ymm4, [rsi + rdx - 128]",
        "vmovdqu ymm5, [rsi + rdx - 96]",
        "vmovdqu ymm6, [rsi + rdx - 64]",
        "vmovdqu ymm7, [rsi + rdx - 32]",
        "vmovdqu ymm8, [rsi]",
        "lea r8, [rdi + rdx - 128]",
        // To the next multiple of 32 of the destination, 1 to 32 bytes on.
        "lea r9, [rdi + 32]",
        "and r9, -32",
        "mov rcx, r9",
        "sub rcx, rdi",
        "add rsi, rcx",
        "cmp r9, r8",
        "jae 3f",
        ".p2align 4",
        "2:",
        "vmovdqu ymm0, [rsi]",
        "vmovdqu ymm1, [rsi + 32]",
        "vmovdqu ymm2, [rsi + 64]",
        "vmovdqu ymm3, [rsi + 96]",
        "sub rsi, -128",
        "vmovdqa [r9], ymm0",
        "vmovdqa [r9 + 32], ymm1",
        "vmovdqa [r9 + 64], ymm2",
        "vmovdqa [r9 + 96], ymm3",
        "sub r9, -128",
        "cmp r9, r8",
        "jb 2b",
        "3:",
        "vmovdqu [r8], ymm4",
        "vmovdqu [r8 + 32], ymm5",
        "vmovdqu [r8 + 64], ymm6",
        "vmovdqu [r8 + 96], ymm7",
        "vmovdqu [rdi], ymm8",
        "vzeroupper",
        "ret",
    )
}

/// The same where the destination begins inside of the source.
#[unsafe(naked)]
pub unsafe extern "C" fn copy_backwards() {
    naked_asm!(
        // The first 128 bytes and the last 32 are loaded now and stored at the end.
        "vmovdqu ymm4, [rsi]",
        "vmovdqu ymm5, [rsi + 32]",
        "vmovdqu ymm6, [rsi + 64]",
        "vmovdqu ymm7, [rsi + 96]",
        "vmovdqu ymm8, [rsi + rdx - 32]",
        "lea r8, [rdi + 128]",
        "lea r9, [rdi + rdx]",
        "lea r10, [r9 - 32]",
        // To the multiple of 32 of the destination before its end, 1 to 32 bytes back.
        "dec r9",
        "and r9, -32",
        "mov rcx, r9",
        "sub rcx, rdi",
        "add rsi, rcx",
        "cmp r9, r8",
        "jbe 3f",
        ".p2align 4",
        "2:",
        "vmovdqu ymm0, [rsi - 32]",
        "vmovdqu ymm1, [rsi - 64]",
        "vmovdqu ymm2, [rsi - 96]",
        "vmovdqu ymm3, [rsi - 128]",
        "add rsi, -128",
        "vmovdqa [r9 - 32], ymm0",
        "vmovdqa [r9 - 64], ymm1",
        "vmovdqa [r9 - 96], ymm2",
        "vmovdqa [r9 - 128], ymm3",
        "add r9, -128",
        "cmp r9, r8",
        "ja 2b",
        "3:",
        "vmovdqu [rdi], ymm4",
        "vmovdqu [rdi + 32], ymm5",
        "vmovdqu [rdi + 64], ymm6",
        "vmovdqu [rdi + 96], ymm7",
        "vmovdqu [r10], ymm8",
        "vzeroupper",
        "ret",
    )
}

/// Sets rdx bytes at rdi, more than 64, to those of xmm0; rax is kept.
#[unsafe(naked)]
pub unsafe extern "C" fn set() {
    naked_asm!(
        "vinserti128 ymm0, ymm0, xmm0, 1",
        "vmovdqu [rdi], ymm0",
        "vmovdqu [rdi + 32], ymm0",
        "vmovdqu [rdi + rdx - 64], ymm0",
        "vmovdqu [rdi + rdx - 32], ymm0",
        "cmp rdx, 128",
        "jbe 3f",
        "vmovdqu [rdi + 64], ymm0",
        "vmovdqu [rdi + 96], ymm0",
        "vmovdqu [rdi + rdx - 128], ymm0",
        "vmovdqu [rdi + rdx - 96], ymm0",
        "cmp rdx, 256",
        "jbe 3f",
        // Aligned rounds between the first 128 bytes and the last.
        "lea r8, [rdi + rdx - 128]",
        "lea r9, [rdi + 128]",
        "and r9, -32",
        ".p2align 4",
        "2:",
        "vmovdqa [r9], ymm0",
        "vmovdqa [r9 + 32], ymm0",
        "vmovdqa [r9 + 64], ymm0",
        "vmovdqa [r9 + 96], ymm0",
        "sub r9, -128",
        "cmp r9, r8",
        "jb 2b",
        "3:",
        "vzeroupper",
        "ret",
    )
}

/// Compares rdx bytes, 64 or more, at rdi and rsi; eax is the difference of the first two bytes that differ.
#[unsafe(naked)]
pub unsafe extern "C" fn compare() {
    naked_asm!(
        "xor ecx, ecx",
        "mov r8, rdx",
        "sub r8, 128",
        "jb 3f",
        // 128 bytes a round, while that many are left.
        ".p2align 4",
        "2:",
        "vmovdqu ymm0, [rdi + rcx]",
        "vmovdqu ymm1, [rdi + rcx + 32]",
        "vmovdqu ymm2, [rdi + rcx + 64]",
        "vmovdqu ymm3, [rdi + rcx + 96]",
        "vpcmpeqb ymm0, ymm0, [rsi + rcx]",
        "vpcmpeqb ymm1, ymm1, [rsi + rcx + 32]",
        "vpcmpeqb ymm2, ymm2, [rsi + rcx + 64]",
        "vpcmpeqb ymm3, ymm3, [rsi + rcx + 96]",
        "vpand ymm0, ymm0, ymm1",
        "vpand ymm2, ymm2, ymm3",
        "vpand ymm0, ymm0, ymm2",
        "vpmovmskb eax, ymm0",
        // A difference in these 128: the next loop finds it.
        "inc eax",
        "jnz 3f",
        "sub rcx, -128",
        "cmp rcx, r8",
        "jbe 2b",
        // 32 bytes a round; the last round ends at the end.
        "3:",
        "lea r8, [rdx - 32]",
        "4:",
        "cmp rcx, r8",
        "jae 5f",
        "vmovdqu ymm0, [rdi + rcx]",
        "vpcmpeqb ymm0, ymm0, [rsi + rcx]",
        "vpmovmskb eax, ymm0",
        "not eax",
        "test eax, eax",
        "jnz 6f",
        "add rcx, 32",
        "jmp 4b",
        "5:",
        "mov rcx, r8",
        "vmovdqu ymm0, [rdi + rcx]",
        "vpcmpeqb ymm0, ymm0, [rsi + rcx]",
        "vpmovmskb eax, ymm0",
        "not eax",
        "test eax, eax",
        "jnz 6f",
        "vzeroupper",
        "ret",
        // A bit in eax per byte that differs.
        "6:",
        "tzcnt eax, eax",
        "add rcx, rax",
        "movzx eax, byte ptr [rdi + rcx]",
        "movzx edx, byte ptr [rsi + rcx]",
        "sub eax, edx",
        "vzeroupper",
        "ret",
    )
}

/// As strlen(3).
#[unsafe(naked)]
pub unsafe extern "C" fn length() {
    naked_asm!(
        "vpxor xmm0, xmm0, xmm0",
        "mov rax, rdi",
        "and rax, -32",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        // What lies before the string in its first block does not count; a shift counts modulo 32.
        "mov ecx, edi",
        "shr edx, cl",
        "test edx, edx",
        "jz 2f",
        "tzcnt eax, edx",
        "vzeroupper",
        "ret",
        // Blocks, up to a multiple of 128.
        "2:",
        "add rax, 32",
        "test al, 127",
        "jz 3f",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        "test edx, edx",
        "jz 2b",
        "jmp 5f",
        // Four blocks a round.
        ".p2align 4",
        "3:",
        "vmovdqa ymm1, [rax]",
        "vmovdqa ymm2, [rax + 64]",
        "vpminub ymm1, ymm1, [rax + 32]",
        "vpminub ymm2, ymm2, [rax + 96]",
        "vpminub ymm1, ymm1, ymm2",
        "vpcmpeqb ymm1, ymm0, ymm1",
        "vpmovmskb edx, ymm1",
        "sub rax, -128",
        "test edx, edx",
        "jz 3b",
        "add rax, -128",
        // One of these four has it.
        "4:",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        "test edx, edx",
        "jnz 5f",
        "add rax, 32",
        "jmp 4b",
        "5:",
        "tzcnt edx, edx",
        "add rax, rdx",
        "sub rax, rdi",
        "vzeroupper",
        "ret",
    )
}

/// As memchr(3), for a length that is not zero.
#[unsafe(naked)]
pub unsafe extern "C" fn find() {
    naked_asm!(
        "vmovd xmm0, esi",
        "vpbroadcastb ymm0, xmm0",
        // r8 = the end; a length beyond the address space means "it is there".
        "mov r8, rdi",
        "add r8, rdx",
        "jnc 2f",
        "mov r8, -1",
        "2:",
        "mov rax, rdi",
        "and rax, -32",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        // What lies before the range in its first block does not count; a shift counts modulo 32.
        "mov ecx, edi",
        "shr edx, cl",
        "shl edx, cl",
        "test edx, edx",
        "jnz 7f",
        // Blocks, up to a multiple of 128.
        "3:",
        "add rax, 32",
        "cmp rax, r8",
        "jae 9f",
        "test al, 127",
        "jz 4f",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        "test edx, edx",
        "jz 3b",
        "jmp 7f",
        // Four blocks a round, as long as they begin in the range.
        ".p2align 4",
        "4:",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpcmpeqb ymm2, ymm0, [rax + 32]",
        "vpcmpeqb ymm3, ymm0, [rax + 64]",
        "vpcmpeqb ymm4, ymm0, [rax + 96]",
        "vpor ymm5, ymm1, ymm2",
        "vpor ymm6, ymm3, ymm4",
        "vpor ymm5, ymm5, ymm6",
        "vpmovmskb edx, ymm5",
        "test edx, edx",
        "jnz 6f",
        "sub rax, -128",
        "cmp rax, r8",
        "jb 4b",
        "jmp 9f",
        // One of these four has it.
        "5:",
        "add rax, 32",
        "6:",
        "vpcmpeqb ymm1, ymm0, [rax]",
        "vpmovmskb edx, ymm1",
        "test edx, edx",
        "jz 5b",
        "7:",
        "tzcnt edx, edx",
        "add rax, rdx",
        "cmp rax, r8",
        "jae 9f",
        "vzeroupper",
        "ret",
        "9:",
        "xor eax, eax",
        "vzeroupper",
        "ret",
    )
}

/// As [`first_difference`](super::find::first_difference).
#[unsafe(naked)]
pub unsafe extern "C" fn difference() {
    naked_asm!(
        "xor eax, eax",
        "vpxor xmm0, xmm0, xmm0",
        // The first 32 bytes by themselves: most strings are short.
        "mov ecx, edi",
        "mov r8d, esi",
        "and ecx, 4095",
        "and r8d, 4095",
        "cmp ecx, r8d",
        "cmovb ecx, r8d",
        "test rdx, rdx",
        "jnz 3f",
        "vzeroupper",
        "ret",
        ".p2align 4",
        "2:",
        "cmp rax, rdx",
        "jae 9f",
        // How far the next bytes lie in their page, of the string that is further.
        "lea ecx, [rdi + rax]",
        "lea r8d, [rsi + rax]",
        "and ecx, 4095",
        "and r8d, 4095",
        "cmp ecx, r8d",
        "cmovb ecx, r8d",
        "cmp ecx, 3968",
        "ja 3f",
        // 128 bytes at once. Zero where the strings differ, and where the first ends.
        "vmovdqu ymm1, [rdi + rax]",
        "vmovdqu ymm2, [rdi + rax + 32]",
        "vmovdqu ymm3, [rdi + rax + 64]",
        "vmovdqu ymm4, [rdi + rax + 96]",
        "vpcmpeqb ymm5, ymm1, [rsi + rax]",
        "vpcmpeqb ymm6, ymm2, [rsi + rax + 32]",
        "vpcmpeqb ymm7, ymm3, [rsi + rax + 64]",
        "vpcmpeqb ymm8, ymm4, [rsi + rax + 96]",
        "vpminub ymm1, ymm1, ymm5",
        "vpminub ymm2, ymm2, ymm6",
        "vpminub ymm3, ymm3, ymm7",
        "vpminub ymm4, ymm4, ymm8",
        "vpminub ymm1, ymm1, ymm2",
        "vpminub ymm3, ymm3, ymm4",
        "vpminub ymm1, ymm1, ymm3",
        "vpcmpeqb ymm1, ymm1, ymm0",
        "vpmovmskb r8d, ymm1",
        "sub rax, -128",
        "test r8d, r8d",
        "jz 2b",
        "add rax, -128",
        // One of these four blocks has it.
        "6:",
        "vmovdqu ymm1, [rdi + rax]",
        "vpcmpeqb ymm5, ymm1, [rsi + rax]",
        "vpminub ymm1, ymm1, ymm5",
        "vpcmpeqb ymm1, ymm1, ymm0",
        "vpmovmskb r8d, ymm1",
        "test r8d, r8d",
        "jnz 4f",
        "add rax, 32",
        "jmp 6b",
        // 32 bytes, unless they reach into the next page.
        "3:",
        "cmp ecx, 4064",
        "ja 5f",
        "vmovdqu ymm1, [rdi + rax]",
        "vpcmpeqb ymm5, ymm1, [rsi + rax]",
        "vpminub ymm1, ymm1, ymm5",
        "vpcmpeqb ymm1, ymm1, ymm0",
        "vpmovmskb r8d, ymm1",
        "test r8d, r8d",
        "jnz 4f",
        "add rax, 32",
        "jmp 2b",
        "4:",
        "tzcnt r8d, r8d",
        "add rax, r8",
        "cmp rax, rdx",
        "cmova rax, rdx",
        "vzeroupper",
        "ret",
        "5:",
        "movzx ecx, byte ptr [rdi + rax]",
        "cmp cl, [rsi + rax]",
        "jne 8f",
        "test ecx, ecx",
        "jz 8f",
        "inc rax",
        "jmp 2b",
        "9:",
        "mov rax, rdx",
        "8:",
        "vzeroupper",
        "ret",
    )
}
