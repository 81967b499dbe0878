//! A function without parameters beside one that has some.

#[unsafe(no_mangle)]
pub extern "C" fn l_none() {}

#[unsafe(no_mangle)]
pub extern "C" fn l_some(a: u32, b: &u8) -> u32 {
    a + u32::from(*b)
}
