//! The sizes of blocks that a thread keeps for itself: every multiple of 16 up to 512 bytes, then four per doubling.
//!
//! Sizes count the block's header. A request is rounded up to the size of its class; a block goes to the largest class that it can serve,
//! for the heap may give a little more than was asked for.

use super::{ALIGN, HEADER};

/// The smallest block of the heap, and the largest that is kept.
pub(super) const MIN: usize = 32;
pub(super) const MAX: usize = 16 * 1024;

/// Up to this size there is a class for every multiple of 16.
const FINE_MAX: usize = 512;
const FINE: usize = (FINE_MAX - MIN) / ALIGN + 1;
const FINE_LOG: usize = FINE_MAX.ilog2() as usize;

/// How many classes there are.
pub(super) const COUNT: usize = FINE + 4 * (MAX.ilog2() as usize - FINE_LOG);

/// The class for a request of `size` bytes; None when blocks of that size are not kept.
#[inline(always)]
pub(super) fn of_request(size: usize) -> Option<usize> {
    if size > MAX - HEADER {
        return None;
    }
    let block = size + HEADER;
    if block <= FINE_MAX {
        return Some((block.max(MIN) - MIN).div_ceil(ALIGN));
    }
    let log = (block - 1).ilog2() as usize;
    let quarter = (block - 1) >> (log - 2);
    Some(FINE + (log - FINE_LOG) * 4 + quarter - 4)
}

/// The largest class that a block can serve; None when blocks of that size are not kept. Blocks have at least `MIN` bytes.
#[inline(always)]
pub(super) fn of_block(block: usize) -> Option<usize> {
    if block <= FINE_MAX {
        return Some(block.wrapping_sub(MIN) / ALIGN);
    }
    // The heap does not split off less than the smallest block.
    if block >= MAX + MIN {
        return None;
    }
    let log = block.ilog2() as usize;
    let quarter = block >> (log - 2);
    Some(FINE + (log - FINE_LOG) * 4 + quarter - 5)
}

/// The block size of a class.
pub(super) const fn size(class: usize) -> usize {
    if class < FINE {
        MIN + class * ALIGN
    } else {
        let log = FINE_LOG + (class - FINE) / 4;
        ((class - FINE) % 4 + 5) << (log - 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_gets_the_smallest_class_that_fits() {
        for request in 0..=MAX - HEADER {
            let class = of_request(request).unwrap();
            assert!(class < COUNT);
            assert!(size(class) >= request + HEADER, "{request}");
            assert!(
                class == 0 || size(class - 1) < request + HEADER,
                "{request}"
            );
        }
        assert_eq!(of_request(MAX - HEADER + 1), None);
        assert_eq!(of_request(usize::MAX), None);
    }

    #[test]
    fn every_block_goes_to_the_largest_class_that_it_serves() {
        for block in (MIN..MAX + MIN).step_by(ALIGN) {
            let class = of_block(block).unwrap();
            assert!(size(class) <= block, "{block}");
            assert!(class + 1 == COUNT || size(class + 1) > block, "{block}");
        }
        assert_eq!(of_block(MAX + MIN), None);
    }

    #[test]
    fn a_block_of_a_class_returns_to_it() {
        for class in 0..COUNT {
            assert_eq!(of_block(size(class)), Some(class));
            assert_eq!(size(class) % ALIGN, 0);
        }
        assert_eq!(size(COUNT - 1), MAX);
    }
}
