//! Deeper: a type with the same name as another.

/// Another point.
#[repr(C)]
pub struct Point {
    /// Only this.
    pub a: u8,
}

/// In the depth.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn p_deep(p: Point, q: &crate::model::Point) -> u32 {
    crate::p_inlined(p.a as u32, q) + q.x as u32
}
