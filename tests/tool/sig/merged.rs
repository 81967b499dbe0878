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
    use super::Point as Used;

    /// Another name, which is not looked up.
    pub type Alias = super::Point;

    /// The third: a type of the module above.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_above(b: i32, q: &super::Point) -> i32 {
        b.wrapping_mul(3) ^ q.x as i32
    }

    /// A type that a `use` names.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_used(b: i32, q: &Used) -> i32 {
        b.wrapping_mul(3) ^ q.x as i32
    }

    /// The fourth: a type that no other function of this module names so.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_third(b: i32, q: &Alias) -> i32 {
        b.wrapping_mul(3) ^ q.x as i32
    }
}

/// Described: takes a described type.
#[unsafe(no_mangle)]
pub extern "C" fn m_unsigned(n: u64, d: Described) -> u64 {
    n.rotate_left(9) ^ d.a
}

#[repr(C)]
pub struct Described {
    pub a: u64,
    pub b: i8,
}

/// Like the one before, by a type that only this function names: the debug information does not have it.
#[unsafe(no_mangle)]
pub extern "C" fn m_wholly_lost(n: u64, l: Lost) -> u64 {
    n.rotate_left(9) ^ l.a
}

/// Lost but for the source.
#[repr(C)]
pub struct Lost {
    /// First.
    pub a: u64,
    pub next: [u8; 4],
    pub c: bool,
}
