//! The memory functions against naive ones: every length to 300, every alignment to 32, overlapping, and long.

use super::find::*;
use super::mem::*;
use std::vec;
use std::vec::Vec;

/// A small generator of numbers, the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

const LENGTHS_LONG: [usize; 12] = [
    511,
    512,
    1000,
    2047,
    4096,
    8191,
    8192,
    8193,
    16_384,
    65_537,
    300_001,
    1 << 20,
];

fn lengths() -> impl Iterator<Item = usize> {
    (0..=300).chain(LENGTHS_LONG)
}

/// Runs `test` without and with what the processor has beyond what all have. Tests that run at the same time may see either.
fn both_ways(test: impl Fn()) {
    undetect();
    test();
    detect();
    test();
}

type Copy = unsafe extern "C" fn(*mut u8, *const u8, usize) -> *mut u8;

/// Copies within one buffer and compares all of it with what `copy_within` makes of it.
fn check_copy(copy: Copy, buffer: &[u8], to: usize, from: usize, len: usize) {
    let mut expected = buffer.to_vec();
    expected.copy_within(from..from + len, to);
    let mut got = buffer.to_vec();
    let base = got.as_mut_ptr();
    // SAFETY: both ranges lie in the buffer.
    let result = unsafe { copy(base.add(to), base.add(from), len) };
    assert_eq!(result as usize, base as usize + to);
    assert!(got == expected, "to {to}, from {from}, {len} bytes");
}

#[test]
fn copies_of_every_length_and_alignment() {
    let mut numbers = Numbers(1);
    both_ways(|| {
        let buffer = Numbers(2).bytes(1024);
        for len in 0..=300 {
            for to in 0..33 {
                for from in [0, 1, 2, 7, 15, 16, 17, 30, 31, 32] {
                    check_copy(memcpy, &buffer, to, 400 + from, len);
                }
            }
        }
    });
    let buffer = numbers.bytes((2 << 20) + 64);
    for len in LENGTHS_LONG {
        for (to, from) in [(0, 0), (1, 7), (5, 16), (16, 3)] {
            check_copy(memcpy, &buffer, to, (1 << 20) + 32 + from, len);
            check_copy(memcpy, &buffer, (1 << 20) + 32 + to, from, len);
        }
    }
}

#[test]
fn moves_that_overlap() {
    both_ways(|| {
        let buffer = Numbers(3).bytes(1000);
        for len in 0..=300 {
            for distance in 0..=160 {
                for copy in [memmove as Copy, memcpy] {
                    check_copy(copy, &buffer, 3, 3 + distance, len);
                    check_copy(copy, &buffer, 5 + distance, 5, len);
                }
            }
        }
        let buffer = Numbers(4).bytes((1 << 20) + 70_000);
        for len in LENGTHS_LONG {
            for distance in [0, 1, 15, 16, 63, 64, 65, 4096, 65_537] {
                check_copy(memmove, &buffer, 1, 1 + distance, len);
                check_copy(memmove, &buffer, 1 + distance, 1, len);
            }
        }
    });
}

#[test]
fn sets_every_length_and_alignment() {
    both_ways(|| {
        for len in lengths() {
            for at in 0..33 {
                for byte in [0, 0x5a, -1, 0x1ff] {
                    let mut got = vec![7u8; len + 72];
                    // SAFETY: within the buffer.
                    let result = unsafe { memset(got.as_mut_ptr().add(at), byte, len) };
                    assert_eq!(result as usize, got.as_ptr() as usize + at);
                    let mut expected = vec![7u8; len + 72];
                    expected[at..at + len].fill(byte as u8);
                    assert!(got == expected, "at {at}, {len} bytes of {byte:#x}");
                }
            }
        }
    });
}

#[test]
fn compares_as_slices_do() {
    both_ways(comparing);
}

fn comparing() {
    let mut numbers = Numbers(5);
    for len in lengths() {
        for (shift_a, shift_b) in [(0, 0), (1, 0), (3, 11), (15, 16), (31, 32)] {
            let a = numbers.bytes(len + 40);
            let mut b = numbers.bytes(len + 40);
            b[shift_b..shift_b + len].copy_from_slice(&a[shift_a..shift_a + len]);
            let spots: Vec<usize> = if len <= 300 {
                (0..len).collect()
            } else {
                vec![0, 63, 64, len / 2, len - 17, len - 1]
            };
            let check = |b: &[u8]| {
                // SAFETY: within the buffers.
                let (pa, pb) = unsafe { (a.as_ptr().add(shift_a), b.as_ptr().add(shift_b)) };
                let expected = a[shift_a..shift_a + len].cmp(&b[shift_b..shift_b + len]);
                // SAFETY: within the buffers.
                let (order, differ) = unsafe { (memcmp(pa, pb, len), bcmp(pa, pb, len)) };
                assert_eq!(order.cmp(&0), expected, "{len} bytes");
                assert_eq!(differ != 0, expected.is_ne(), "{len} bytes");
            };
            check(&b);
            for spot in spots {
                let kept = b[shift_b + spot];
                b[shift_b + spot] = kept.wrapping_add(1 + (numbers.next() % 255) as u8);
                check(&b);
                // A later difference must not count.
                if spot + 1 < len {
                    let last = b[shift_b + len - 1];
                    b[shift_b + len - 1] = last.wrapping_add(1);
                    check(&b);
                    b[shift_b + len - 1] = last;
                }
                b[shift_b + spot] = kept;
            }
        }
    }
}

#[test]
fn finds_the_end_of_strings() {
    both_ways(finding_ends);
}

fn finding_ends() {
    for len in lengths() {
        for at in 0..130 {
            let mut buffer = vec![0x80u8; len + 200];
            buffer[at + len] = 0;
            if at > 0 {
                buffer[at - 1] = 0;
            }
            // SAFETY: a NUL lies in the buffer.
            assert_eq!(unsafe { strlen(buffer.as_ptr().add(at)) }, len);
        }
    }
}

#[test]
fn finds_bytes_from_either_end() {
    both_ways(finding_bytes);
}

fn finding_bytes() {
    for len in 0..=300usize {
        for at in (0..33).step_by(if len > 70 { 5 } else { 1 }) {
            for spot in (0..len).map(Some).chain([None]) {
                let mut buffer = vec![1u8; len + 64];
                // Bytes just outside the range must not be found.
                buffer[at + len] = 0xee;
                if at > 0 {
                    buffer[at - 1] = 0xee;
                }
                if let Some(spot) = spot {
                    buffer[at + spot] = 0xee;
                    if spot + 5 < len {
                        buffer[at + spot + 5] = 0xee;
                    }
                }
                let range = &buffer[at..at + len];
                let address = |i: Option<usize>| i.map_or(0, |i| range.as_ptr() as usize + i);
                // SAFETY: within the buffer.
                let (first, last) = unsafe {
                    (
                        memchr(range.as_ptr(), 0x1ee, len),
                        memrchr(range.as_ptr(), 0xee, len),
                    )
                };
                assert_eq!(
                    first as usize,
                    address(range.iter().position(|b| *b == 0xee))
                );
                assert_eq!(
                    last as usize,
                    address(range.iter().rposition(|b| *b == 0xee))
                );
            }
        }
    }
    // As rawmemchr: a length that runs past the address space.
    let buffer = [1u8, 2, 3];
    // SAFETY: the byte is there.
    let found = unsafe { memchr(buffer.as_ptr(), 3, usize::MAX) };
    assert_eq!(found as usize, buffer.as_ptr() as usize + 2);
}

/// Ranges that touch the last byte before, and the first byte after, a page that cannot be read.
#[test]
fn reads_no_page_that_the_range_does_not_touch() {
    both_ways(reading_at_edges);
}

fn reading_at_edges() {
    const PAGE: usize = 4096;
    // SAFETY: a fresh mapping; its outer pages are made unreadable.
    let page = unsafe {
        let map = libc::mmap(
            core::ptr::null_mut(),
            3 * PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert_ne!(map, libc::MAP_FAILED);
        assert_eq!(libc::mprotect(map, PAGE, libc::PROT_NONE), 0);
        let last = map.cast::<u8>().add(2 * PAGE);
        assert_eq!(libc::mprotect(last.cast(), PAGE, libc::PROT_NONE), 0);
        map.cast::<u8>().add(PAGE)
    };
    let mut copy = Numbers(6).bytes(PAGE);
    for len in 0..=PAGE {
        if len > 300 && len % 61 != 0 && len != PAGE {
            continue;
        }
        for start in [0, PAGE - len] {
            // SAFETY: the range lies in the middle page.
            unsafe {
                let range = page.add(start);
                memset(range, 1, len);
                assert!(memchr(range, 2, len).is_null());
                assert!(memrchr(range, 2, len).is_null());
                memcpy(range, copy.as_ptr(), len);
                assert_eq!(memcmp(range, copy.as_ptr(), len), 0);
                memmove(page, range, len);
                if len > 0 && start > 0 {
                    memset(range, 1, len);
                    range.add(len - 1).write(0);
                    assert_eq!(strlen(range), len - 1);
                    let same = copy.as_mut_ptr();
                    memcpy(same, range, len);
                    assert_eq!(first_difference(range, same, usize::MAX), len - 1);
                    assert_eq!(first_difference(same, range, len), len - 1);
                    assert_eq!(first_difference(range, same, len - 1), len - 1);
                }
            }
        }
    }
}

#[test]
fn strings_differ_where_they_first_do() {
    for len in 0..=300usize {
        for (shift_a, shift_b) in [(0, 0), (1, 0), (3, 11), (15, 16), (31, 4)] {
            for spot in 0..=len {
                let mut a = vec![0x81u8; len + 64];
                let mut b = vec![0x81u8; len + 64];
                a[shift_a + len] = 0;
                b[shift_b + len] = 0;
                // A difference, or the end of both; a later one must not count.
                if spot < len {
                    b[shift_b + spot] = 0x80;
                    b[shift_b + len - 1] = 7;
                }
                // SAFETY: a NUL lies in both buffers.
                let at = |limit| unsafe {
                    first_difference(a.as_ptr().add(shift_a), b.as_ptr().add(shift_b), limit)
                };
                assert_eq!(at(usize::MAX), spot);
                assert_eq!(at(spot), spot);
                assert_eq!(at(spot / 2), spot / 2);
            }
        }
    }
}
