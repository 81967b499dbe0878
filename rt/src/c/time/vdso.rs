//! Finding a function in the vDSO: an ELF image that the kernel maps into each process, with a dynamic symbol table.
//! The System V gABI, chapter 5 ("Dynamic Section", "Hash Table"), has the layout.

use core::ffi::CStr;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_NULL: i64 = 0;
const DT_HASH: i64 = 4;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const SHN_UNDEF: u16 = 0;

#[repr(C)]
struct FileHeader {
    ident: [u8; 16],
    kind: u16,
    machine: u16,
    version: u32,
    entry: u64,
    segments: u64,
    sections: u64,
    flags: u32,
    size: u16,
    segment_size: u16,
    segment_count: u16,
}

#[repr(C)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical: u64,
    file_size: u64,
    memory_size: u64,
    alignment: u64,
}

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: u64,
}

#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

/// The address of a function of the vDSO.
pub fn symbol(name: &CStr) -> Option<usize> {
    let base =
        crate::c::process::auxiliary(u64::from(linux_raw_sys::auxvec::AT_SYSINFO_EHDR))? as usize;
    if base == 0 {
        return None;
    }
    // SAFETY: the kernel says that its image lies there, whole and well-formed.
    unsafe { find(base, name) }
}

/// # Safety
/// A well-formed ELF image of this machine's class must lie at `base`.
unsafe fn find(base: usize, name: &CStr) -> Option<usize> {
    // SAFETY: the caller's; all tables lie in the image, at the places that it states.
    unsafe {
        let header = &*(base as *const FileHeader);
        if &header.ident[..4] != b"\x7fELF" {
            return None;
        }
        let segments = core::slice::from_raw_parts(
            (base + header.segments as usize) as *const Segment,
            header.segment_count.into(),
        );
        let load = segments.iter().find(|segment| segment.kind == PT_LOAD)?;
        let bias = base
            .wrapping_add(load.offset as usize)
            .wrapping_sub(load.address as usize);
        let dynamic = segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
        let mut entry = (base + dynamic.offset as usize) as *const Dynamic;
        let (mut hash, mut strings, mut symbols) = (None, None, None);
        while (*entry).tag != DT_NULL {
            let place = bias.wrapping_add((*entry).value as usize);
            match (*entry).tag {
                DT_HASH => hash = Some(place as *const u32),
                DT_STRTAB => strings = Some(place as *const core::ffi::c_char),
                DT_SYMTAB => symbols = Some(place as *const Symbol),
                _ => {}
            }
            entry = entry.add(1);
        }
        let (strings, symbols) = (strings?, symbols?);
        // The hash table's second word is the number of symbols. Newer kernels may leave it out for DT_GNU_HASH; then
        // the symbol table ends where the strings begin, as in every vDSO so far, and a wrong guess finds no name.
        let count = match hash {
            Some(hash) => *hash.add(1) as usize,
            None => (strings as usize).checked_sub(symbols as usize)? / size_of::<Symbol>(),
        };
        core::slice::from_raw_parts(symbols, count)
            .iter()
            .find(|symbol| {
                symbol.section != SHN_UNDEF
                    && CStr::from_ptr(strings.add(symbol.name as usize)) == name
            })
            .map(|symbol| bias.wrapping_add(symbol.value as usize))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_has_a_clock() {
        let address =
            super::symbol(crate::arch::vdso::CLOCK_GETTIME).expect("a vDSO with clock_gettime");
        assert_ne!(address, 0);
        assert_eq!(super::symbol(c"__vdso_no_such_function"), None);
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a place of our own.
        // SAFETY: a place of our own.
        let result = unsafe { crate::c::time::clock_gettime(libc::CLOCK_REALTIME, &mut now) };
        assert_eq!(result, 0);
        let host = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        assert!(host.as_secs().abs_diff(now.tv_sec as u64) <= 1);
    }
}
