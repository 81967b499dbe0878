//! Nothing here has a type: with full debug information or without, the DIEs look the same.

/// Counts.
#[unsafe(no_mangle)]
pub extern "C" fn t_tick() {
    unsafe { std::ptr::write_volatile(&raw mut TICKS, 1) }
}

#[unsafe(no_mangle)]
pub extern "C" fn t_tock() {
    unsafe { std::ptr::write_volatile(&raw mut TICKS, 2) }
}

static mut TICKS: u8 = 0;
