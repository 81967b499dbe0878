//! memcpy and its kin, on SSE2, which every x86-64 has. `find` has those that search, `wide` what long lengths gain on newer processors.
//!
//! They are assembly for one reason above speed: a compiler turns byte loops into calls of these very functions.
//! Short lengths are done with two loads of the same width that overlap in the middle, so that no length needs a loop
//! below 129 bytes; long ones are done with 64 bytes a round, to an aligned destination.
//! Very long ones go to `rep movsb`/`rep stosb` where the processor says that it is fast at it ("ERMS", Intel's optimization
//! manual, "Enhanced REP MOVSB and STOSB operation").

use core::arch::naked_asm;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::wide::{self, WIDE};

/// Not zero once [`detect`] has found that string instructions are fast.
pub static FAST_STRINGS: AtomicU8 = AtomicU8::new(0);

/// Bytes from which on string instructions win, against SSE2 and against AVX2.
const STRING_MIN: usize = 2 * 1024;
const STRING_MIN_WIDE: usize = 8 * 1024;

/// Looks at the processor. Until it is called, the functions work without string instructions, and on SSE2.
pub fn detect() {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    let has_leaf_7 = __cpuid(0).eax >= 7;
    let features = if has_leaf_7 {
        __cpuid_count(7, 0).ebx
    } else {
        0
    };
    // Bit 9 is ERMS.
    FAST_STRINGS.store((features >> 9 & 1) as u8, Relaxed);
    wide::detect(features);
}

/// Forgets what [`detect`] found.
#[cfg(test)]
pub fn undetect() {
    FAST_STRINGS.store(0, Relaxed);
    WIDE.store(0, Relaxed);
}

/// Copies rdx bytes from rsi to rdi, which may overlap; returns rdi. Everything of a short range is loaded before anything is stored.
macro_rules! copy {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As in C.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
            naked_asm!(
                "mov rax, rdi",
                "cmp rdx, 16",
                "jb 20f",
                "cmp rdx, 32",
                "ja 2f",
                // 16 to 32
                "movups xmm0, [rsi]",
                "movups xmm1, [rsi + rdx - 16]",
                "movups [rdi], xmm0",
                "movups [rdi + rdx - 16], xmm1",
                "ret",
                "2:",
                "cmp rdx, 64",
                "ja 3f",
                // 33 to 64
                "movups xmm0, [rsi]",
                "movups xmm1, [rsi + 16]",
                "movups xmm2, [rsi + rdx - 32]",
                "movups xmm3, [rsi + rdx - 16]",
                "movups [rdi], xmm0",
                "movups [rdi + 16], xmm1",
                "movups [rdi + rdx - 32], xmm2",
                "movups [rdi + rdx - 16], xmm3",
                "ret",
                "3:",
                "cmp rdx, 128",
                "ja 4f",
                // 65 to 128
                "movups xmm0, [rsi]",
                "movups xmm1, [rsi + 16]",
                "movups xmm2, [rsi + 32]",
                "movups xmm3, [rsi + 48]",
                "movups xmm4, [rsi + rdx - 64]",
                "movups xmm5, [rsi + rdx - 48]",
                "movups xmm6, [rsi + rdx - 32]",
                "movups xmm7, [rsi + rdx - 16]",
                "movups [rdi], xmm0",
                "movups [rdi + 16], xmm1",
                "movups [rdi + 32], xmm2",
                "movups [rdi + 48], xmm3",
                "movups [rdi + rdx - 64], xmm4",
                "movups [rdi + rdx - 48], xmm5",
                "movups [rdi + rdx - 32], xmm6",
                "movups [rdi + rdx - 16], xmm7",
                "ret",
                "4:",
                // From 129 on. If the destination begins inside the source, go backwards.
                "mov rcx, rdi",
                "sub rcx, rsi",
                "cmp rcx, rdx",
                "jb 10f",
                "cmp byte ptr [rip + {is_wide}], 0",
                "jne 30f",
                "cmp rdx, {string_min}",
                "jae 8f",
                // Forwards: the last 64 bytes and the first 16 are loaded now and stored at the end.
                "5:",
                "movups xmm4, [rsi + rdx - 64]",
                "movups xmm5, [rsi + rdx - 48]",
                "movups xmm6, [rsi + rdx - 32]",
                "movups xmm7, [rsi + rdx - 16]",
                "movups xmm8, [rsi]",
                "lea r8, [rdi + rdx - 64]",
                // To the next multiple of 16 of the destination, 1 to 16 bytes on.
                "lea r9, [rdi + 16]",
                "and r9, -16",
                "mov rcx, r9",
                "sub rcx, rdi",
                "add rsi, rcx",
                ".p2align 4",
                "6:",
                "movups xmm0, [rsi]",
                "movups xmm1, [rsi + 16]",
                "movups xmm2, [rsi + 32]",
                "movups xmm3, [rsi + 48]",
                "add rsi, 64",
                "movaps [r9], xmm0",
                "movaps [r9 + 16], xmm1",
                "movaps [r9 + 32], xmm2",
                "movaps [r9 + 48], xmm3",
                "add r9, 64",
                "cmp r9, r8",
                "jb 6b",
                "movups [r8], xmm4",
                "movups [r8 + 16], xmm5",
                "movups [r8 + 32], xmm6",
                "movups [r8 + 48], xmm7",
                "movups [rax], xmm8",
                "ret",
                "8:",
                "cmp byte ptr [rip + {fast}], 0",
                "je 5b",
                // String moves crawl when the source begins shortly after the destination.
                "neg rcx",
                "cmp rcx, 64",
                "jb 5b",
                "mov rcx, rdx",
                "rep movsb",
                "ret",
                "30:",
                "cmp rdx, {string_min_wide}",
                "jb {forwards}",
                "cmp byte ptr [rip + {fast}], 0",
                "je {forwards}",
                "neg rcx",
                "cmp rcx, 64",
                "jb {forwards}",
                "mov rcx, rdx",
                "rep movsb",
                "ret",
                // Backwards: the first 64 bytes and the last 16 are loaded now and stored at the end.
                "10:",
                "cmp byte ptr [rip + {is_wide}], 0",
                "jne {backwards}",
                "movups xmm4, [rsi]",
                "movups xmm5, [rsi + 16]",
                "movups xmm6, [rsi + 32]",
                "movups xmm7, [rsi + 48]",
                "movups xmm8, [rsi + rdx - 16]",
                "lea r8, [rdi + 64]",
                "lea r9, [rdi + rdx]",
                "lea r10, [r9 - 16]",
                // To the multiple of 16 of the destination before its end, 1 to 16 bytes back.
                "dec r9",
                "and r9, -16",
                "mov rcx, r9",
                "sub rcx, rdi",
                "add rsi, rcx",
                ".p2align 4",
                "11:",
                "movups xmm0, [rsi - 16]",
                "movups xmm1, [rsi - 32]",
                "movups xmm2, [rsi - 48]",
                "movups xmm3, [rsi - 64]",
                "sub rsi, 64",
                "movaps [r9 - 16], xmm0",
                "movaps [r9 - 32], xmm1",
                "movaps [r9 - 48], xmm2",
                "movaps [r9 - 64], xmm3",
                "sub r9, 64",
                "cmp r9, r8",
                "ja 11b",
                "movups [rdi], xmm4",
                "movups [rdi + 16], xmm5",
                "movups [rdi + 32], xmm6",
                "movups [rdi + 48], xmm7",
                "movups [r10], xmm8",
                "ret",
                // Below 16.
                "20:",
                "cmp edx, 8",
                "jb 21f",
                "mov rcx, [rsi]",
                "mov r8, [rsi + rdx - 8]",
                "mov [rdi], rcx",
                "mov [rdi + rdx - 8], r8",
                "ret",
                "21:",
                "cmp edx, 4",
                "jb 22f",
                "mov ecx, [rsi]",
                "mov r8d, [rsi + rdx - 4]",
                "mov [rdi], ecx",
                "mov [rdi + rdx - 4], r8d",
                "ret",
                "22:",
                "cmp edx, 1",
                "jb 24f",
                "movzx ecx, byte ptr [rsi]",
                "je 23f",
                "movzx r8d, word ptr [rsi + rdx - 2]",
                "mov [rdi + rdx - 2], r8w",
                "23:",
                "mov [rdi], cl",
                "24:",
                "ret",
                string_min = const STRING_MIN,
                string_min_wide = const STRING_MIN_WIDE,
                fast = sym FAST_STRINGS,
                is_wide = sym WIDE,
                forwards = sym wide::copy_forwards,
                backwards = sym wide::copy_backwards,
            )
        }
    };
}

copy!(
    /// memcpy(3); right for ranges that overlap, too.
    memcpy
);
copy!(
    /// memmove(3).
    memmove
);

/// memset(3).
///
/// # Safety
/// As in C.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        // Eight copies of the byte, then sixteen.
        "movzx esi, sil",
        "mov rcx, 0x0101010101010101",
        "imul rsi, rcx",
        "cmp rdx, 16",
        "jb 20f",
        "movq xmm0, rsi",
        "punpcklqdq xmm0, xmm0",
        "cmp rdx, 64",
        "ja 3f",
        // 16 to 64: two stores from each end.
        "movups [rdi], xmm0",
        "movups [rdi + rdx - 16], xmm0",
        "cmp rdx, 32",
        "jbe 2f",
        "movups [rdi + 16], xmm0",
        "movups [rdi + rdx - 32], xmm0",
        "2:",
        "ret",
        "3:",
        "cmp byte ptr [rip + {is_wide}], 0",
        "jne 8f",
        "cmp rdx, {string_min}",
        "jae 6f",
        // From 65 on: the first 16 bytes, aligned rounds, the last 64.
        "4:",
        "lea r8, [rdi + rdx - 64]",
        "movups [rdi], xmm0",
        "lea r9, [rdi + 16]",
        "and r9, -16",
        "cmp r9, r8",
        "jae 7f",
        ".p2align 4",
        "5:",
        "movaps [r9], xmm0",
        "movaps [r9 + 16], xmm0",
        "movaps [r9 + 32], xmm0",
        "movaps [r9 + 48], xmm0",
        "add r9, 64",
        "cmp r9, r8",
        "jb 5b",
        "7:",
        "movups [r8], xmm0",
        "movups [r8 + 16], xmm0",
        "movups [r8 + 32], xmm0",
        "movups [r8 + 48], xmm0",
        "ret",
        "8:",
        "cmp rdx, {string_min_wide}",
        "jb {set}",
        "cmp byte ptr [rip + {fast}], 0",
        "je {set}",
        "jmp 9f",
        "6:",
        "cmp byte ptr [rip + {fast}], 0",
        "je 4b",
        "9:",
        "mov r8, rax",
        "mov eax, esi",
        "mov rcx, rdx",
        "rep stosb",
        "mov rax, r8",
        "ret",
        // Below 16.
        "20:",
        "cmp edx, 8",
        "jb 21f",
        "mov [rdi], rsi",
        "mov [rdi + rdx - 8], rsi",
        "ret",
        "21:",
        "cmp edx, 4",
        "jb 22f",
        "mov [rdi], esi",
        "mov [rdi + rdx - 4], esi",
        "ret",
        "22:",
        "cmp edx, 1",
        "jb 23f",
        "mov [rdi], sil",
        "je 23f",
        "mov [rdi + rdx - 2], si",
        "23:",
        "ret",
        string_min = const STRING_MIN,
        string_min_wide = const STRING_MIN_WIDE,
        fast = sym FAST_STRINGS,
        is_wide = sym WIDE,
        set = sym wide::set,
    )
}

/// Compares rdx bytes at rdi and rsi; eax is the difference of the first two bytes that differ, or a number of its sign.
macro_rules! compare {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As in C.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(a: *const u8, b: *const u8, len: usize) -> i32 {
            naked_asm!(
                "cmp rdx, 16",
                "jb 20f",
                "xor ecx, ecx",
                "mov r8, rdx",
                "sub r8, 64",
                "jb 4f",
                "cmp byte ptr [rip + {is_wide}], 0",
                "jne {wide}",
                // 64 bytes a round, while that many are left.
                ".p2align 4",
                "2:",
                "movups xmm0, [rdi + rcx]",
                "movups xmm1, [rdi + rcx + 16]",
                "movups xmm2, [rdi + rcx + 32]",
                "movups xmm3, [rdi + rcx + 48]",
                "movups xmm4, [rsi + rcx]",
                "movups xmm5, [rsi + rcx + 16]",
                "movups xmm6, [rsi + rcx + 32]",
                "movups xmm7, [rsi + rcx + 48]",
                "pcmpeqb xmm0, xmm4",
                "pcmpeqb xmm1, xmm5",
                "pcmpeqb xmm2, xmm6",
                "pcmpeqb xmm3, xmm7",
                "pand xmm0, xmm1",
                "pand xmm2, xmm3",
                "pand xmm0, xmm2",
                "pmovmskb eax, xmm0",
                "cmp eax, 0xffff",
                // A difference in these 64: the next loop finds it.
                "jne 4f",
                "add rcx, 64",
                "cmp rcx, r8",
                "jbe 2b",
                // 16 bytes a round; the last round ends at the end.
                "4:",
                "lea r8, [rdx - 16]",
                "5:",
                "cmp rcx, r8",
                "jae 6f",
                "movups xmm0, [rdi + rcx]",
                "movups xmm1, [rsi + rcx]",
                "pcmpeqb xmm0, xmm1",
                "pmovmskb eax, xmm0",
                "xor eax, 0xffff",
                "jnz 7f",
                "add rcx, 16",
                "jmp 5b",
                "6:",
                "mov rcx, r8",
                "movups xmm0, [rdi + rcx]",
                "movups xmm1, [rsi + rcx]",
                "pcmpeqb xmm0, xmm1",
                "pmovmskb eax, xmm0",
                "xor eax, 0xffff",
                "jnz 7f",
                "ret",
                // A bit in eax per byte that differs.
                "7:",
                "bsf eax, eax",
                "add rcx, rax",
                "movzx eax, byte ptr [rdi + rcx]",
                "movzx edx, byte ptr [rsi + rcx]",
                "sub eax, edx",
                "ret",
                // Below 16: as big-endian numbers, from either end.
                "20:",
                "cmp edx, 8",
                "jb 21f",
                "mov rax, [rdi]",
                "mov rcx, [rsi]",
                "cmp rax, rcx",
                "jne 26f",
                "mov rax, [rdi + rdx - 8]",
                "mov rcx, [rsi + rdx - 8]",
                "cmp rax, rcx",
                "jne 26f",
                "xor eax, eax",
                "ret",
                "21:",
                "cmp edx, 4",
                "jb 22f",
                "mov eax, [rdi]",
                "mov ecx, [rsi]",
                "cmp eax, ecx",
                "jne 26f",
                "mov eax, [rdi + rdx - 4]",
                "mov ecx, [rsi + rdx - 4]",
                "cmp eax, ecx",
                "jne 26f",
                "xor eax, eax",
                "ret",
                // 1 to 3: the first byte, the middle one and the last, as one number. Some are the same.
                "22:",
                "test edx, edx",
                "jz 25f",
                "mov ecx, edx",
                "shr ecx, 1",
                "movzx eax, byte ptr [rdi]",
                "movzx r8d, byte ptr [rsi]",
                "shl eax, 16",
                "shl r8d, 16",
                "movzx r9d, byte ptr [rdi + rcx]",
                "movzx r10d, byte ptr [rsi + rcx]",
                "shl r9d, 8",
                "shl r10d, 8",
                "or eax, r9d",
                "or r8d, r10d",
                "movzx r9d, byte ptr [rdi + rdx - 1]",
                "movzx r10d, byte ptr [rsi + rdx - 1]",
                "or eax, r9d",
                "or r8d, r10d",
                "sub eax, r8d",
                "ret",
                "25:",
                "xor eax, eax",
                "ret",
                // Of four bytes, the upper half of both registers is zero, and so is the lower half then: the order is the same.
                "26:",
                "bswap rax",
                "bswap rcx",
                "cmp rax, rcx",
                "sbb eax, eax",
                "or eax, 1",
                "ret",
                is_wide = sym WIDE,
                wide = sym wide::compare,
            )
        }
    };
}

compare!(
    /// memcmp(3).
    memcmp
);
compare!(
    /// bcmp(3): zero when equal.
    bcmp
);
