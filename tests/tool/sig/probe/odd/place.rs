/// Found by `#[path]`.
#[repr(C)]
pub struct Odd {
    pub bytes: [u8; 8],
}

#[unsafe(no_mangle)]
pub extern "C" fn p_odd(odd: Odd) -> u8 {
    odd.bytes[3]
}
