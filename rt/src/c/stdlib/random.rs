//! rand and random: numbers that are the same for the same seed, as C promises; not for secrets. The generator is
//! SplitMix64, whose state is one word.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libc::{c_int, c_long, c_uint, c_void, size_t};

static STATE: AtomicU64 = AtomicU64::new(1);

/// The next number of the sequence.
fn next() -> u64 {
    let state = STATE.fetch_add(STEP, Relaxed).wrapping_add(STEP);
    mix(state)
}

/// The golden ratio in 64 bits (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

c_fn! {
    /// rand(3): 0 to RAND_MAX, 31 bits.
    fn rand() -> c_int {
        (next() >> 33) as c_int
    }

    /// rand(3)
    fn srand(seed: c_uint) {
        STATE.store(seed.into(), Relaxed);
    }

    /// arc4random(3): from the kernel, for secrets too.
    undeclared fn arc4random() -> u32 {
        let mut random = [0; size_of::<u32>()];
        // SAFETY: the buffer's own size.
        unsafe { arc4random_buf(random.as_mut_ptr().cast(), random.len()) };
        u32::from_ne_bytes(random)
    }

    /// arc4random(3)
    undeclared fn arc4random_buf(to: *mut c_void, length: size_t) {
        let mut done = 0;
        while done < length {
            let n = (length - done).min(256);
            // SAFETY: the caller's memory. The function has no way to fail.
            if unsafe { crate::c::process::getentropy(to.wrapping_byte_add(done), n) } != 0 {
                crate::sys::die::fatal("the kernel gives no random numbers (getrandom failed)");
            }
            done += n;
        }
    }

    /// rand_r(3)
    undeclared fn rand_r(state: *mut c_uint) -> c_int {
        *state = (*state).wrapping_add(STEP as c_uint);
        (mix((*state).into()) >> 33) as c_int
    }

    /// random(3): 31 bits.
    undeclared fn random() -> c_long {
        (next() >> 33) as c_long
    }

    /// random(3)
    undeclared fn srandom(seed: c_uint) {
        STATE.store(seed.into(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers() {
        // One test uses them, so that nobody takes numbers in between.
        // SAFETY: no memory is touched but the state of our own.
        unsafe {
            let take = |seed| {
                srand(seed);
                [rand(), rand(), rand()]
            };
            assert_eq!(take(7), take(7));
            assert_ne!(take(7), take(8));
            assert!(take(9).iter().all(|n| *n >= 0));
            let (mut a, mut b) = (5, 5);
            assert_eq!(rand_r(&mut a), rand_r(&mut b));
            assert_ne!(rand_r(&mut a), rand_r(&mut a));
        }
    }
}
