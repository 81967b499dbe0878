//! Functions of equal instructions, which LLVM merges.

#[repr(C)]
pub struct Point {
    pub x: u32,
}

/// The first.
#[unsafe(no_mangle)]
pub extern "C" fn m_first(a: u32, p: &Point) -> u32 {
    a.wrapping_mul(3) ^ p.x
}

/// The second: signed.
#[unsafe(no_mangle)]
pub extern "C" fn m_second(b: i32, q: &Point) -> i32 {
    b.wrapping_mul(3) ^ q.x as i32
}

pub mod inner {
    /// The third: a type that no other function of this module names.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_third(b: i32, q: &super::Point) -> i32 {
        b.wrapping_mul(3) ^ q.x as i32
    }
}
