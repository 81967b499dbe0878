//! `__register_frame` and its kin: unwind tables of code that was made at run time.
//!
//! As libgcc has them (unwind-dw2-fde.c): what is registered is a whole `.eh_frame` section, which ends with a zero length. Not libunwind's,
//! which registers a single FDE under the same name; a section of one FDE is both.

use core::ptr::null_mut;

use gimli::{BaseAddresses, CieOrFde, EhFrame, NativeEndian, UnwindSection};
use libc::c_void;

use crate::lock::Lock;

/// A registered section, and the next.
struct Node {
    section: *const u8,
    size: usize,
    /// What `__register_frame_info` was given, to be given back.
    object: *mut c_void,
    next: *mut Node,
}

/// The list of all.
struct List(*mut Node);

// SAFETY: memory that no thread owns.
unsafe impl Send for List {}

static REGISTERED: Lock<List> = Lock::new(List(null_mut()));

/// Bytes of a section up to and with the length of zero that ends it (LSB Core, "The .eh_frame section").
///
/// # Safety
/// It must end so.
unsafe fn size_of_section(section: *const u8) -> usize {
    const EXTENDED: u32 = u32::MAX;
    let mut size = 0;
    loop {
        // SAFETY: the caller's: each record is followed by another, or the end.
        unsafe {
            let at = section.add(size);
            size += match at.cast::<u32>().read_unaligned() {
                0 => return size + 4,
                EXTENDED => 12 + at.add(4).cast::<u64>().read_unaligned() as usize,
                length => 4 + length as usize,
            };
        }
    }
}

/// An FDE that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    /// The address of its section.
    pub section: usize,
    /// The first byte of its function.
    pub function: usize,
    /// Its own address.
    pub fde: usize,
}

/// The registered FDE of the function that `pc` lies in.
pub(crate) fn find(pc: usize) -> Option<Registered> {
    let list = REGISTERED.lock();
    let mut node = list.0;
    // SAFETY: nodes live while they are in the list, which is locked; sections while they are registered.
    while let Some(known) = unsafe { node.as_ref() } {
        // SAFETY: registered with that size, by `size_of_section`.
        let bytes = unsafe { core::slice::from_raw_parts(known.section, known.size) };
        if let Some(found) = find_in(bytes, pc) {
            return Some(found);
        }
        node = known.next;
    }
    None
}

fn find_in(section: &[u8], pc: usize) -> Option<Registered> {
    let start = section.as_ptr() as usize;
    let bases = BaseAddresses::default().set_eh_frame(start as u64);
    let frames = EhFrame::new(section, NativeEndian);
    let mut entries = frames.entries(&bases);
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        let Ok(fde) = partial.parse(EhFrame::cie_from_offset) else {
            continue;
        };
        if (pc as u64).wrapping_sub(fde.initial_address()) < fde.len() {
            return Some(Registered {
                section: start,
                function: fde.initial_address() as usize,
                fde: start + fde.offset(),
            });
        }
    }
    None
}

/// Adds a section; an empty one says nothing.
///
/// # Safety
/// A section that ends with a zero, and stays until it is taken out.
unsafe fn register(section: *const u8, object: *mut c_void) {
    // SAFETY: the caller's; plain allocation.
    unsafe {
        let size = size_of_section(section);
        if size == 4 {
            return;
        }
        let node: *mut Node = libc::malloc(size_of::<Node>()).cast();
        if node.is_null() {
            crate::die::fatal("out of memory for an unwind table (__register_frame)");
        }
        let mut list = REGISTERED.lock();
        node.write(Node {
            section,
            size,
            object,
            next: list.0,
        });
        list.0 = node;
    }
}

/// Takes a section out; what it was registered with.
fn deregister(section: *const u8) -> *mut c_void {
    let mut list = REGISTERED.lock();
    let mut link = &raw mut list.0;
    // SAFETY: links and nodes of the list, which is locked; each node was allocated.
    unsafe {
        while let Some(node) = (*link).as_ref() {
            if node.section == section {
                let (next, object) = (node.next, node.object);
                libc::free((*link).cast());
                *link = next;
                return object;
            }
            link = &raw mut (**link).next;
        }
    }
    null_mut()
}

c_fn! {
    /// Makes unwind tables known to the unwinder.
    undeclared fn __register_frame(section: *const c_void) {
        // SAFETY: the caller's.
        unsafe { register(section.cast(), null_mut()) }
    }

    /// The same; `object` is memory for libgcc's own notes, of which there are none here.
    undeclared fn __register_frame_info(section: *const c_void, object: *mut c_void) {
        // SAFETY: the caller's.
        unsafe { register(section.cast(), object) }
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
