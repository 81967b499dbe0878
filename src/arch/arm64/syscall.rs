//! What machine code tells about its system calls: the number and the arguments, as far as they are constants.
//!
//! The registers of a C call: AAPCS64 6.8.2. Those of the instruction `svc`: syscall(2), "Architecture calling conventions". The numbers: the kernel's
//! include/uapi/asm-generic/unistd.h.

use super::constants::{Flow, flow, walk};
use super::encoding::{rd, rn, word};
use crate::arch::Arguments;

/// The system calls that can wait.
const NAMES: &[(u64, &str)] = &[
    (4, "io_getevents"),
    (22, "epoll_pwait"),
    (25, "fcntl"),
    (32, "flock"),
    (56, "openat"),
    (63, "read"),
    (64, "write"),
    (65, "readv"),
    (66, "writev"),
    (67, "pread64"),
    (68, "pwrite64"),
    (69, "preadv"),
    (70, "pwritev"),
    (71, "sendfile"),
    (72, "pselect6"),
    (73, "ppoll"),
    (75, "vmsplice"),
    (76, "splice"),
    (77, "tee"),
    (81, "sync"),
    (82, "fsync"),
    (83, "fdatasync"),
    (84, "sync_file_range"),
    (95, "waitid"),
    (98, "futex"),
    (101, "nanosleep"),
    (115, "clock_nanosleep"),
    (133, "rt_sigsuspend"),
    (137, "rt_sigtimedwait"),
    (182, "mq_timedsend"),
    (183, "mq_timedreceive"),
    (188, "msgrcv"),
    (189, "msgsnd"),
    (192, "semtimedop"),
    (193, "semop"),
    (202, "accept"),
    (203, "connect"),
    (206, "sendto"),
    (207, "recvfrom"),
    (211, "sendmsg"),
    (212, "recvmsg"),
    (227, "msync"),
    (242, "accept4"),
    (243, "recvmmsg"),
    (260, "wait4"),
    (267, "syncfs"),
    (269, "sendmmsg"),
    (285, "copy_file_range"),
    (286, "preadv2"),
    (287, "pwritev2"),
    (292, "io_pgetevents"),
    (426, "io_uring_enter"),
    (437, "openat2"),
    (441, "epoll_pwait2"),
    (449, "futex_waitv"),
    (455, "futex_wait"),
];

/// The name of a system call that can wait; None for every other.
pub fn name(number: u64) -> Option<&'static str> {
    // The kernel looks at 32 bits of the number.
    let number = number & 0xffff_ffff;
    let found = NAMES.iter().find(|(n, _)| *n == number);
    found.map(|(_, name)| *name)
}

/// x0 to x3.
const C_CALL: [u32; 4] = [0, 1, 2, 3];
/// The number, and three arguments.
const KERNEL: [u32; 4] = [8, 0, 1, 2];
/// svc #0
const SVC: u32 = 0xd400_0001;

/// The first arguments of the calls of a C function, to which the relocations at `refs` refer. A reference that is not a call, such as the
/// function's address, counts as a call of which nothing is known.
pub fn c_calls(code: &[u8], refs: &[u64]) -> Vec<Arguments> {
    let mut found = Vec::new();
    walk(code, |at, word, known| {
        let is_call = matches!(flow(word), Flow::Call | Flow::Jump);
        if is_call && refs.contains(&at) {
            found.push(known.of(C_CALL));
        }
    });
    found.resize(refs.len(), Arguments::default());
    found
}

/// The numbers and arguments of the instructions `svc` in the code.
pub fn instructions(code: &[u8]) -> Vec<Arguments> {
    let mut found = Vec::new();
    let is = |c: &[u8]| c == SVC.to_le_bytes();
    if code.chunks_exact(4).any(is) {
        walk(code, |_, word, known| {
            if word == SVC {
                found.push(known.of(KERNEL));
            }
        });
    }
    found
}

/// Whether a function reads the word at `[x1 + offset]`, x1 as it came in or copied, before it calls or jumps anywhere.
pub fn reads_second_argument(code: &[u8], offset: u32) -> bool {
    let mut holders = vec![1];
    for at in (0..code.len() as u64).step_by(4) {
        let Some(word) = word(code, at) else {
            return false;
        };
        if reads(word, offset) && holders.contains(&rn(word)) {
            return true;
        }
        if flow(word) != Flow::Next {
            return false;
        }
        // mov Xd, Xm
        let copied = (word & 0xffe0_ffe0 == 0xaa00_03e0).then_some(word >> 16 & 31);
        let copies = copied.is_some_and(|from| holders.contains(&from));
        holders.retain(|held| !super::constants::writes(word, *held));
        if copies {
            holders.push(rd(word));
        }
    }
    false
}

/// Whether an instruction loads the word at an offset from its base: `ldr` of 64 bits, or `ldp`.
fn reads(word: u32, offset: u32) -> bool {
    let single = word & 0xffc0_0000 == 0xf940_0000 && (word >> 10 & 0xfff) * 8 == offset;
    let first = (word >> 15 & 0x7f) * 8;
    let pair = word & 0xffc0_0000 == 0xa940_0000 && (first == offset || first + 8 == offset);
    single || pair
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::arm64::encoding::bytes;

    // Made with `as` and `objdump -d`.
    const MOV_W0_98: u32 = 0x5280_0c40;
    const MOV_W2_129: u32 = 0x5280_1022;
    const BL: u32 = 0x9400_0000;

    #[test]
    fn constants_are_told() {
        let code = bytes(&[MOV_W0_98, MOV_W2_129, BL]);
        let calls = c_calls(&code, &[8]);
        assert_eq!(calls, [Arguments([Some(98), None, Some(129), None])]);
        assert_eq!(name(98), Some("futex"));
        // What another call may change, and what a branch may bring, is not known: cbz x1, the second.
        let code = bytes(&[MOV_W0_98, BL, BL]);
        assert_eq!(c_calls(&code, &[8]), [Arguments::default()]);
        let code = bytes(&[0xb400_0041, MOV_W0_98, MOV_W2_129, BL]);
        let calls = c_calls(&code, &[12]);
        assert_eq!(calls, [Arguments([None, None, Some(129), None])]);
        // A reference that is no call: adrp.
        assert_eq!(
            c_calls(&bytes(&[0x9000_0000]), &[0]),
            [Arguments::default()]
        );
    }

    #[test]
    fn instructions_tell_their_number() {
        // mov x8, #101; svc #0; svc #0
        let code = bytes(&[0xd280_0ca8, SVC, SVC]);
        let calls = instructions(&code);
        assert_eq!(calls[0].0[0].and_then(name), Some("nanosleep"));
        assert_eq!(calls.len(), 2);
    }

    #[test]
    fn a_table_is_read_or_it_is_none() {
        // mov x19, x1; ldr x8, [x19, #32]
        assert!(reads_second_argument(
            &bytes(&[0xaa01_03f3, 0xf940_1268]),
            32
        ));
        // ldp x8, x9, [x1, #24]
        assert!(reads_second_argument(&bytes(&[0xa941_a428]), 32));
        assert!(!reads_second_argument(&bytes(&[0xa941_a428]), 16));
        // mov x1, x0; ldr x8, [x1, #32]
        assert!(!reads_second_argument(
            &bytes(&[0xaa00_03e1, 0xf940_1028]),
            32
        ));
        // blr x1; ldr x8, [x1, #32]
        assert!(!reads_second_argument(
            &bytes(&[0xd63f_0020, 0xf940_1028]),
            32
        ));
    }

    #[test]
    fn numbers_are_sorted_and_each_stands_once() {
        assert!(NAMES.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(name(278), None, "getrandom");
    }
}
