//! Sorting and searching: qsort, qsort_r, bsearch.

use core::ptr::null_mut;

use libc::{c_int, c_void, size_t};

type Compare = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;
type CompareWith = unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int;

/// Elements of any size, side by side.
struct Elements<F> {
    start: *mut u8,
    size: usize,
    compare: F,
}

impl<F: Fn(*const c_void, *const c_void) -> c_int> Elements<F> {
    fn at(&self, i: usize) -> *mut u8 {
        self.start.wrapping_add(i * self.size)
    }

    fn greater(&self, a: *const u8, b: *const u8) -> bool {
        (self.compare)(a.cast(), b.cast()) > 0
    }

    /// Merge sort, from runs of one element upwards: what compares equal keeps its order, which C does not promise but
    /// programs have come to count on. `spare` has room for all elements.
    ///
    /// # Safety
    /// `count` elements, and as much room.
    unsafe fn merge_sort(&self, count: usize, spare: *mut u8) {
        let (mut from, mut to) = (self.start, spare);
        let mut run = 1;
        while run < count {
            let mut first = 0;
            while first < count {
                let middle = (first + run).min(count);
                let end = (middle + run).min(count);
                // SAFETY: within the elements.
                unsafe { self.merge(from, to, first, middle, end) };
                first = end;
            }
            core::mem::swap(&mut from, &mut to);
            run = run.saturating_mul(2);
        }
        if from != self.start {
            // SAFETY: two blocks of the same size.
            unsafe { core::ptr::copy_nonoverlapping(from, self.start, count * self.size) };
        }
    }

    /// # Safety
    /// `first <= middle <= end` within both blocks.
    unsafe fn merge(&self, from: *mut u8, to: *mut u8, first: usize, middle: usize, end: usize) {
        let place = |i: usize| from.wrapping_add(i * self.size);
        let (mut left, mut right) = (first, middle);
        for out in first..end {
            let take_left =
                right >= end || left < middle && !self.greater(place(left), place(right));
            let next = if take_left { &mut left } else { &mut right };
            // SAFETY: within the elements; the blocks do not overlap.
            unsafe {
                core::ptr::copy_nonoverlapping(
                    place(*next),
                    to.wrapping_add(out * self.size),
                    self.size,
                )
            };
            *next += 1;
        }
    }

    /// Heap sort: needs no memory, for when there is none.
    ///
    /// # Safety
    /// `count` elements.
    unsafe fn heap_sort(&self, count: usize) {
        // SAFETY: within the elements.
        unsafe {
            for root in (0..count / 2).rev() {
                self.sift(root, count);
            }
            for last in (1..count).rev() {
                core::ptr::swap_nonoverlapping(self.at(0), self.at(last), self.size);
                self.sift(0, last);
            }
        }
    }

    /// Lets an element sink below those that are greater.
    ///
    /// # Safety
    /// `root < count`, `count` elements.
    unsafe fn sift(&self, mut root: usize, count: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= count {
                return;
            }
            if child + 1 < count && self.greater(self.at(child + 1), self.at(child)) {
                child += 1;
            }
            if !self.greater(self.at(child), self.at(root)) {
                return;
            }
            // SAFETY: two elements of the block.
            unsafe { core::ptr::swap_nonoverlapping(self.at(root), self.at(child), self.size) };
            root = child;
        }
    }
}

/// # Safety
/// `count` elements of `size` bytes.
unsafe fn sort(
    start: *mut c_void,
    count: usize,
    size: usize,
    compare: impl Fn(*const c_void, *const c_void) -> c_int,
) {
    if count < 2 || size == 0 {
        return;
    }
    let elements = Elements {
        start: start.cast(),
        size,
        compare,
    };
    // SAFETY: the elements are there, so that their bytes can be counted.
    unsafe {
        let spare: *mut u8 = libc::malloc(count * size).cast();
        match spare.is_null() {
            true => elements.heap_sort(count),
            false => elements.merge_sort(count, spare),
        }
        libc::free(spare.cast());
    }
}

c_fn! {
    /// qsort(3)
    fn qsort(start: *mut c_void, count: size_t, size: size_t, compare: Option<Compare>) {
        if let Some(compare) = compare {
            sort(start, count, size, |a, b| compare(a, b))
        }
    }

    /// qsort_r(3), GNU's.
    fn qsort_r(start: *mut c_void, count: size_t, size: size_t, compare: Option<CompareWith>, argument: *mut c_void) {
        if let Some(compare) = compare {
            sort(start, count, size, |a, b| compare(a, b, argument))
        }
    }

    /// bsearch(3)
    undeclared fn bsearch(key: *const c_void, start: *const c_void, count: size_t, size: size_t, compare: Compare) -> *mut c_void {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let element = start.wrapping_byte_add(middle * size);
            // SAFETY: the caller's: an element of his array.
            match unsafe { compare(key, element) } {
                0 => return element.cast_mut(),
                ..0 => high = middle,
                _ => low = middle + 1,
            }
        }
        null_mut()
    }

    /// lsearch(3), the half that only looks.
    undeclared fn lfind(key: *const c_void, start: *const c_void, count: *mut size_t, size: size_t, compare: Compare) -> *mut c_void {
        // SAFETY: the caller's: his array of that many elements.
        unsafe {
            let mut elements = (0..*count).map(|i| start.wrapping_byte_add(i * size));
            elements.find(|element| compare(key, *element) == 0).map_or(null_mut(), <*const c_void>::cast_mut)
        }
    }

    /// lsearch(3)
    undeclared fn lsearch(key: *const c_void, start: *mut c_void, count: *mut size_t, size: size_t, compare: Compare) -> *mut c_void {
        // SAFETY: the caller's: his array, with room for one more.
        unsafe {
            let found = lfind(key, start, count, size, compare);
            if !found.is_null() {
                return found;
            }
            let end = start.wrapping_byte_add(*count * size);
            core::ptr::copy_nonoverlapping::<u8>(key.cast(), end.cast(), size);
            *count += 1;
            end
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn by_first(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: elements of the tests' arrays.
        unsafe { (*a.cast::<[u8; 3]>())[0].cmp(&(*b.cast::<[u8; 3]>())[0]) as c_int }
    }

    unsafe extern "C" fn by_first_reversed(
        a: *const c_void,
        b: *const c_void,
        sign: *mut c_void,
    ) -> c_int {
        // SAFETY: as above.
        unsafe { by_first(a, b) * *sign.cast::<c_int>() }
    }

    fn numbers(count: usize) -> Vec<[u8; 3]> {
        let mut state = count as u32;
        (0..count)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [(state >> 24) as u8, (i >> 8) as u8, i as u8]
            })
            .collect()
    }

    #[test]
    fn sorted_and_stable() {
        for count in [0, 1, 2, 3, 7, 64, 1000, 5000] {
            let mut list = numbers(count);
            let mut wanted = list.clone();
            wanted.sort_by_key(|e| e[0]);
            // SAFETY: the list's own size.
            unsafe { qsort(list.as_mut_ptr().cast(), count, 3, Some(by_first)) };
            assert_eq!(list, wanted);

            let mut list = numbers(count);
            wanted.sort_by_key(|e| core::cmp::Reverse(e[0]));
            let mut sign: c_int = -1;
            // SAFETY: the list's own size.
            unsafe {
                qsort_r(
                    list.as_mut_ptr().cast(),
                    count,
                    3,
                    Some(by_first_reversed),
                    (&raw mut sign).cast(),
                )
            };
            assert_eq!(list, wanted);

            let mut list = numbers(count);
            // SAFETY: elements of the list.
            let compare = |a, b| unsafe { by_first(a, b) };
            let elements = Elements {
                start: list.as_mut_ptr().cast(),
                size: 3,
                compare,
            };
            // SAFETY: the list's own size.
            unsafe { elements.heap_sort(count) };
            assert!(list.is_sorted_by_key(|e| e[0]));
        }
    }

    #[test]
    fn found_or_not() {
        let list: Vec<[u8; 3]> = (0..100).map(|i| [2 * i, 0, i]).collect();
        for key in 0..=200u8 {
            let wanted = [key, 0, 0];
            // SAFETY: the list's own size.
            let found = unsafe {
                bsearch(
                    wanted.as_ptr().cast(),
                    list.as_ptr().cast(),
                    100,
                    3,
                    by_first,
                )
            };
            match key {
                key if key % 2 == 0 && key < 200 => {
                    // SAFETY: an element of the list.
                    assert_eq!(unsafe { (*found.cast::<[u8; 3]>())[2] }, key / 2)
                }
                _ => assert!(found.is_null()),
            }
        }
    }
}
