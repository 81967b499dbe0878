//! How much work a conversion is, counted without a clock: blocks of memory, their bytes, and how many of these are held at once. What copies
//! its input, or makes a table of what is never asked for, shows here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::common::{archive, scratch};

/// Ceilings, a little above what a conversion takes: a change that exceeds one is to lower its cost, or to say why it is worth it.
const MOST: &[(&str, Work)] = &[(
    "text",
    Work {
        blocks: 200_000,
        bytes: 66_000_000,
        held: 0,
        most: 23_000_000,
    },
)];

/// What a thread has asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// Blocks, those that were made longer included.
    blocks: usize,
    /// Their bytes.
    bytes: usize,
    /// Bytes that are held.
    held: isize,
    /// The most that were.
    most: isize,
}

thread_local! {
    static WORK: Cell<Work> = const {
        Cell::new(Work {
            blocks: 0,
            bytes: 0,
            held: 0,
            most: 0,
        })
    };
}

/// The system's allocator, with each thread's blocks counted.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn note(asked: usize, freed: usize) {
    let mut work = WORK.get();
    if asked > 0 {
        work.blocks += 1;
        work.bytes += asked;
    }
    work.held += asked as isize - freed as isize;
    work.most = work.most.max(work.held);
    WORK.set(work);
}

// SAFETY: all blocks come from the system's allocator and go back to it, with what the caller says of them; the counters of a thread are a constant
// at first and have no destructor, so to count needs no memory and works until the thread is gone.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller's promises are those that this function asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: as above; the block is the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Converts a fixture on one thread, and counts.
fn conversion(fixture: &str) -> Work {
    let convert = || {
        let out = scratch();
        let library = archive(fixture);
        let before = Work {
            held: 0,
            most: 0,
            ..WORK.get()
        };
        WORK.set(before);
        let made = rsyso::Convert::new(&library).out_dir(out.path()).run();
        let after = WORK.get();
        made.unwrap();
        Work {
            blocks: after.blocks - before.blocks,
            bytes: after.bytes - before.bytes,
            ..after
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    // The first one parses the runtime, for all.
    pool.build().unwrap().install(|| [convert(), convert()][1])
}

#[test]
fn a_conversion_is_no_more_work_than_it_was() {
    for (fixture, most) in MOST {
        let work = conversion(fixture);
        let of_file = work.most as f64 / std::fs::metadata(archive(fixture)).unwrap().len() as f64;
        println!("{fixture}: {work:?}, {of_file:.2} of the file held at once");
        let within = |took: usize, most: usize| {
            // A ceiling that is far away guards nothing.
            assert!(took <= most && most / 3 * 2 < took, "{fixture}: {work:?}");
        };
        within(work.blocks, most.blocks);
        within(work.bytes, most.bytes);
        within(work.most as usize, most.most as usize);
    }
}
