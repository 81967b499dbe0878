//! The sizes of blocks that a thread keeps for itself: every multiple of 16 up to 512 bytes, then four per doubling.
//!
//! Sizes count the block's header. A request is rounded up to the size of its class.

use super::{ALIGN, HEADER};

/// The smallest block, and the largest of a class.
pub(super) const MIN: usize = 32;
pub(super) const MAX: usize = 16 * 1024;

/// Up to this size there is a class for every multiple of 16.
const FINE_MAX: usize = 512;
const FINE: usize = (FINE_MAX - MIN) / ALIGN + 1;
const FINE_LOG: usize = FINE_MAX.ilog2() as usize;

/// How many classes there are.
pub(super) const COUNT: usize = FINE + 4 * (MAX.ilog2() as usize - FINE_LOG);

/// The class for a request of `size` bytes; None when there is none for it.
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
    fn sizes_keep_blocks_aligned() {
        for class in 0..COUNT {
            assert_eq!(of_request(size(class) - HEADER), Some(class));
            assert_eq!(size(class) % ALIGN, 0);
        }
        assert_eq!(size(COUNT - 1), MAX);
    }
}
