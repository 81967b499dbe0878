//! `__register_frame` and its kin: unwind tables of code that was made at run time.
//!
//! As libgcc has them (unwind-dw2-fde.c): what is registered is a whole `.eh_frame` section, which ends with a zero length. Not libunwind's,
//! which registers a single FDE under the same name; a section of one FDE is both.

use core::ptr::null_mut;

use libc::c_void;

use crate::leave::frames::{deregister, register};

c_fn! {
    /// Makes unwind tables known to the unwinder.
    undeclared fn __register_frame(section: *const c_void) {
        register(section.cast(), null_mut())
    }

    /// The same; `object` is memory for libgcc's own notes, of which there are none here.
    undeclared fn __register_frame_info(section: *const c_void, object: *mut c_void) {
        register(section.cast(), object)
    }

    /// Takes them out again.
    undeclared fn __deregister_frame(section: *const c_void) {
        deregister(section.cast());
    }

    /// The same; gives `object` back.
    undeclared fn __deregister_frame_info(section: *const c_void) -> *mut c_void {
        deregister(section.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leave::frames::{Registered, find};

    /// A CIE, and an FDE for so many bytes from `function` on, by absolute address; then the end.
    fn table(function: u64, bytes: u64) -> Vec<u8> {
        let mut cie = vec![0, 0, 0, 0, 1, 0, 1, 0x78, 16];
        cie.resize(12, 0);
        let mut fde = Vec::new();
        fde.extend_from_slice(&(4 + 12 + 4_u32).to_le_bytes());
        fde.extend_from_slice(&function.to_le_bytes());
        fde.extend_from_slice(&bytes.to_le_bytes());
        let mut all = Vec::new();
        for record in [cie, fde] {
            all.extend_from_slice(&(record.len() as u32).to_le_bytes());
            all.extend_from_slice(&record);
        }
        all.extend_from_slice(&[0; 4]);
        all
    }

    #[test]
    fn code_is_known_while_its_table_is_registered() {
        let tables = [table(0x1000, 0x10), table(0x2000, 0x20)];
        let mut object = 0u64;
        // SAFETY: tables that end with a zero, and outlive the test.
        unsafe {
            __register_frame(tables[0].as_ptr().cast());
            __register_frame_info(tables[1].as_ptr().cast(), (&raw mut object).cast());
            __register_frame([0u8; 4].as_ptr().cast());
            for (pc, function, table) in [
                (0x1000, 0x1000, 0),
                (0x100f, 0x1000, 0),
                (0x201f, 0x2000, 1),
            ] {
                let section = tables[table].as_ptr() as usize;
                let fde = section + 16;
                assert_eq!(
                    find(pc),
                    Some(Registered {
                        section,
                        function,
                        fde
                    })
                );
            }
            for pc in [0xfff, 0x1010, 0x2020] {
                assert_eq!(find(pc), None);
            }
            __deregister_frame(tables[0].as_ptr().cast());
            assert_eq!(find(0x1000), None);
            assert_eq!(
                __deregister_frame_info(tables[1].as_ptr().cast()),
                (&raw mut object).cast()
            );
            assert_eq!(find(0x2000), None);
            assert!(__deregister_frame_info(tables[1].as_ptr().cast()).is_null());
        }
    }
}
