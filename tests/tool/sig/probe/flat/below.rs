/// Below.
#[repr(C)]
pub struct Below {
    /// One.
    pub a: u8,
}
