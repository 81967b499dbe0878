//! drand48 and its kin (drand48(3)): the sequences are laid down by POSIX, x' = a x + c mod 2^48.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libc::{c_double, c_long, c_ushort};

/// The words of `srand48(0)` are what POSIX leaves open and glibc begins with 0.
static STATE: AtomicU64 = AtomicU64::new(0);

const MASK: u64 = (1 << 48) - 1;

fn step(x: u64) -> u64 {
    x.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & MASK
}

/// The next of the process's own sequence.
fn next() -> u64 {
    let update = STATE.fetch_update(Relaxed, Relaxed, |x| Some(step(x)));
    step(update.unwrap_or_else(|x| x))
}

/// The next of the caller's sequence, whose words are the lowest first.
///
/// # Safety
/// Three words.
unsafe fn next_of(state: *mut c_ushort) -> u64 {
    // SAFETY: three words, as this function demands.
    let words = unsafe { &mut *state.cast::<[c_ushort; 3]>() };
    let x = step(words.iter().rev().fold(0, |x, w| x << 16 | u64::from(*w)));
    *words = [x as u16, (x >> 16) as u16, (x >> 32) as u16];
    x
}

/// 0 to 1.
fn fraction(x: u64) -> c_double {
    x as f64 / (1u64 << 48) as f64
}

/// 31 bits.
fn natural(x: u64) -> c_long {
    (x >> 17) as c_long
}

/// 32 bits and a sign.
fn integer(x: u64) -> c_long {
    ((x >> 16) as i32).into()
}

c_fn! {
    /// drand48(3)
    undeclared fn drand48() -> c_double {
        fraction(next())
    }

    /// drand48(3)
    undeclared fn erand48(state: *mut c_ushort) -> c_double {
        fraction(next_of(state))
    }

    /// drand48(3)
    undeclared fn lrand48() -> c_long {
        natural(next())
    }

    /// drand48(3)
    undeclared fn nrand48(state: *mut c_ushort) -> c_long {
        natural(next_of(state))
    }

    /// drand48(3)
    undeclared fn mrand48() -> c_long {
        integer(next())
    }

    /// drand48(3)
    undeclared fn jrand48(state: *mut c_ushort) -> c_long {
        integer(next_of(state))
    }

    /// drand48(3): the upper 32 bits; the lower 16 are laid down.
    undeclared fn srand48(seed: c_long) {
        STATE.store((seed as u32 as u64) << 16 | 0x330e, Relaxed);
    }
}
