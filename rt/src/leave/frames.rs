//! Unwind tables of code that was made at run time, as `c/frames.rs` was given them.

use core::ffi::c_void;
use core::ptr::null_mut;

use gimli::{BaseAddresses, CieOrFde, EhFrame, NativeEndian, UnwindSection};

use crate::sys::die::fatal;
use crate::sys::lock::Lock;

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
        // SAFETY: by the function's own condition each record is followed by another, or the end.
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
pub(crate) unsafe fn register(section: *const u8, object: *mut c_void) {
    // SAFETY: the section ends, by the function's own condition; plain allocation.
    unsafe {
        let size = size_of_section(section);
        if size == 4 {
            return;
        }
        let node: *mut Node = libc::malloc(size_of::<Node>()).cast();
        if node.is_null() {
            fatal("out of memory for an unwind table (__register_frame)");
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
pub(crate) fn deregister(section: *const u8) -> *mut c_void {
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
