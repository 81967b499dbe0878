/// In a file under an inline module.
#[repr(C)]
pub struct Inline {
    pub b: u8,
}
