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

    /// Another name.
    pub type Alias = super::Point;

    /// One of two, which the source does not tell.
    #[cfg(target_os = "linux")]
    pub type Either = super::Point;
    /// The other.
    #[cfg(not(target_os = "linux"))]
    pub type Either = super::Described;

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

    /// A type by another name.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_alias(b: i32, q: &Alias) -> i32 {
        b.wrapping_mul(3) ^ q.x as i32
    }

    /// The fourth: a type that is not certain.
    #[unsafe(no_mangle)]
    pub extern "C" fn m_third(b: i32, q: &Either) -> i32 {
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

macro_rules! prefix {
    ($name:ident) => {
        stringify!($name)
    };
}

/// A macro makes its symbol.
#[cfg_attr(all(), unsafe(export_name = prefix!(m_by_macro)))]
pub extern "C" fn m_by_macro(n: i64, d: Described) -> i64 {
    n.rotate_left(9) ^ d.a as i64
}
