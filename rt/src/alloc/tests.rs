//! The heap under many threads, against what each of them wrote.

use super::system::System;
use super::*;
use dlmalloc::Dlmalloc;
use std::cell::RefCell;
use std::sync::mpsc;
use std::vec::Vec;

/// A thread's cache, given back when the thread ends.
struct Own(Cache);

impl Drop for Own {
    fn drop(&mut self) {
        self.0.flush();
    }
}

std::thread_local! {
    static CACHE: RefCell<Own> = const { RefCell::new(Own(Cache::new())) };
}

fn with<T>(f: impl FnOnce(&mut Cache) -> T) -> T {
    CACHE.with_borrow_mut(|own| f(&mut own.0))
}

/// A block, and what it was filled with.
struct Block(*mut u8, usize, u8);

// SAFETY: a block has one owner.
unsafe impl Send for Block {}

impl Block {
    fn new(memory: *mut u8, size: usize, byte: u8) -> Self {
        assert!(!memory.is_null());
        assert_eq!(memory as usize % ALIGN, 0);
        // SAFETY: a live block of that size or more.
        unsafe {
            assert!(usable_size(memory) >= size);
            // All that it says is usable.
            memory.write_bytes(byte, usable_size(memory));
        }
        Block(memory, size, byte)
    }

    fn check(&self) {
        // SAFETY: a live block.
        let bytes = unsafe { core::slice::from_raw_parts(self.0, self.1) };
        assert!(bytes.iter().all(|b| *b == self.2), "{} bytes", self.1);
    }

    fn free(self) {
        self.check();
        // SAFETY: live, and not used any more.
        with(|c| unsafe { c.free(self.0) });
    }
}

fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize
}

fn some_size(state: &mut u64) -> usize {
    match next(state) % 100 {
        0..70 => next(state) % 200,
        70..95 => next(state) % 3000,
        95..99 => next(state) % 100_000,
        _ => next(state) % 1_000_000,
    }
}

#[test]
fn blocks_are_aligned_and_distinct() {
    let mut blocks = Vec::new();
    for size in 0..3000 {
        blocks.push(Block::new(with(|c| c.malloc(size)), size, size as u8));
    }
    blocks.iter().for_each(Block::check);
    blocks.into_iter().rev().for_each(Block::free);
}

#[test]
fn requests_that_cannot_be_met_give_null() {
    for size in [usize::MAX, usize::MAX - 15, usize::MAX / 2, 1 << 47] {
        assert!(with(|c| c.malloc(size)).is_null());
        assert!(with(|c| c.calloc(size)).is_null());
        assert!(memalign(4096, size).is_null());
        let block = Block::new(with(|c| c.malloc(50)), 50, 9);
        // SAFETY: a live block.
        assert!(with(|c| unsafe { c.realloc(block.0, size) }).is_null());
        block.free();
    }
    assert!(memalign(1 << 61, 1).is_null());
}

#[test]
fn fresh_zeroed_blocks_are_zero_even_where_others_were() {
    for size in [1, 24, 25, 500, 1000, 1016, 1017, 5000, 300_000, 2_000_000] {
        for _ in 0..50 {
            let memory = with(|c| c.calloc(size));
            // SAFETY: a live block.
            let bytes = unsafe { core::slice::from_raw_parts(memory, size) };
            assert!(bytes.iter().all(|b| *b == 0));
            Block::new(memory, size, 0xff).free();
        }
    }
}

#[test]
fn alignments_hold() {
    let mut state = 11;
    let mut blocks = Vec::new();
    for shift in 5..18 {
        for _ in 0..20 {
            let size = some_size(&mut state);
            let memory = memalign(1 << shift, size);
            assert_eq!(memory as usize % (1 << shift), 0);
            blocks.push(Block::new(memory, size, shift as u8));
        }
    }
    blocks.into_iter().for_each(Block::free);
}

#[test]
fn realloc_keeps_the_bytes() {
    let mut state = 12;
    for _ in 0..20_000 {
        let (old, new) = (some_size(&mut state), some_size(&mut state));
        let memory = with(|c| c.malloc(old));
        // SAFETY: live blocks of these sizes.
        unsafe {
            for i in 0..old.min(5000) {
                memory.add(i).write((i % 251) as u8);
            }
            let memory = with(|c| c.realloc(memory, new));
            for i in 0..old.min(new).min(5000) {
                assert_eq!(memory.add(i).read(), (i % 251) as u8);
            }
            Block::new(memory, new, 1).free();
        }
    }
}

/// Eight threads allocate, and hand half of their blocks to each other to be freed.
#[test]
fn threads_share_the_heap() {
    const THREADS: usize = 8;
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
    std::thread::scope(|scope| {
        for (i, receiver) in receivers.into_iter().enumerate() {
            let senders = senders.clone();
            scope.spawn(move || {
                let mut state = 100 + i as u64;
                let mut own: Vec<Block> = Vec::new();
                for round in 0..30_000 {
                    let size = some_size(&mut state) % 20_000;
                    let block = Block::new(with(|c| c.malloc(size)), size, round as u8);
                    match next(&mut state) % 4 {
                        0 => senders[next(&mut state) % THREADS].send(block).unwrap(),
                        1 if !own.is_empty() => {
                            let index = next(&mut state) % own.len();
                            own.swap_remove(index).free();
                            own.push(block);
                        }
                        2 if !own.is_empty() => {
                            let index = next(&mut state) % own.len();
                            let Block(memory, old, byte) = own.swap_remove(index);
                            let size = some_size(&mut state) % 20_000;
                            // SAFETY: a live block.
                            let memory = with(|c| unsafe { c.realloc(memory, size) });
                            Block(memory, size.min(old), byte).check();
                            own.push(Block::new(memory, size, byte));
                            block.free();
                        }
                        _ if own.len() < 500 => own.push(block),
                        _ => block.free(),
                    }
                    receiver.try_iter().for_each(|b: Block| b.free());
                }
                drop(senders);
                own.into_iter().for_each(Block::free);
                receiver.iter().for_each(|b: Block| b.free());
            });
        }
        drop(senders);
    });
}

/// What this module knows of dlmalloc's header. `free` asserts that a block is at least as large as said, and at most 64 bytes larger.
#[test]
fn the_header_is_as_dlmalloc_has_it() {
    let mut heap = Dlmalloc::new_with_allocator(System::new());
    for size in (0..2000).chain([100_000, 300_000, 5_000_000]) {
        // SAFETY: a heap of its own; sizes as asked for.
        unsafe {
            let memory = heap.c_malloc(size);
            assert!(!is_mapping(header(memory)));
            let usable = usable_size(memory);
            assert!((size..=size + 40).contains(&usable), "{usable} for {size}");
            heap.free(memory, usable, ALIGN);
        }
    }
}

#[test]
fn large_blocks_are_mappings() {
    let mut block = Block::new(with(|c| c.malloc(mapping::MIN)), mapping::MIN, 1);
    for size in [
        mapping::MIN * 3,
        mapping::MIN * 50,
        mapping::MIN + 5,
        mapping::MIN / 2,
        100,
        3 * mapping::MIN,
    ] {
        let Block(memory, old, byte) = block;
        // SAFETY: a live block.
        let memory = with(|c| unsafe { c.realloc(memory, size) });
        // SAFETY: a live block.
        let is_large = is_mapping(unsafe { header(memory) });
        assert_eq!(is_large, size >= mapping::MIN / 2);
        Block(memory, old.min(size), byte).check();
        block = Block::new(memory, size, byte + 1);
    }
    block.free();
}

/// Bytes of the process that lie in memory (proc(5), `statm`).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Waits until the process has no more than that in memory. There is no bound but patience: the machine may be busy.
fn wait_for_resident(most: usize) {
    for _ in 0..600 {
        if resident() <= most {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} MB in memory, not {}", resident() >> 20, most >> 20);
}

#[test]
fn free_memory_goes_back_though_nobody_calls() {
    const TOTAL: usize = 200 << 20;
    const KEPT: usize = 40 << 20;
    for size in [40, 1000, 10_000, 200_000, 5_000_000] {
        let before = resident();
        let blocks: Vec<Block> = (0..TOTAL / size)
            .map(|i| Block::new(with(|c| c.malloc(size)), size, i as u8))
            .collect();
        assert!(resident() >= before + TOTAL / 2);
        // What stays in use is whole when the rest has gone.
        let mut kept = Vec::new();
        for (i, block) in blocks.into_iter().enumerate() {
            match i % 10_000 == 9_999 {
                true => kept.push(block),
                false => block.free(),
            }
        }
        wait_for_resident(before + KEPT);
        kept.into_iter().for_each(Block::free);
    }
}

#[test]
fn freed_mappings_are_used_again_and_hold_what_they_should() {
    let mut state = 15;
    let mut blocks: Vec<Block> = Vec::new();
    for i in 0..400 {
        let size = mapping::MIN + next(&mut state) % (3 << 20);
        match next(&mut state) % 4 {
            0 if blocks.len() < 12 => {
                let memory = with(|c| c.calloc(size));
                // SAFETY: a live block.
                let bytes = unsafe { core::slice::from_raw_parts(memory, size) };
                assert!(bytes.iter().all(|b| *b == 0));
                blocks.push(Block::new(memory, size, i as u8));
            }
            1 if blocks.len() < 12 => {
                blocks.push(Block::new(
                    memalign(1 << (next(&mut state) % 18 + 5), size),
                    size,
                    i as u8,
                ));
            }
            2 if !blocks.is_empty() => {
                let at = next(&mut state) % blocks.len();
                let Block(memory, old, byte) = blocks.swap_remove(at);
                // SAFETY: a live block.
                let memory = with(|c| unsafe { c.realloc(memory, size) });
                Block(memory, old.min(size), byte).check();
                blocks.push(Block::new(memory, size, byte));
            }
            _ if !blocks.is_empty() => {
                let at = next(&mut state) % blocks.len();
                blocks.swap_remove(at).free();
            }
            _ => {}
        }
    }
    blocks.into_iter().for_each(Block::free);
}
