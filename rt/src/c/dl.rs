//! Dynamic linking: there is none. The library was linked when it was converted, and nothing can be loaded or looked up
//! by name. What can be said is which object the library is in, which is how Rust's backtraces find names.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libc::{Dl_info, c_char, c_int, c_void, dl_phdr_info, size_t};

use crate::c::file::Lines;
use linux_raw_sys::general::PATH_MAX;

/// Whether a call failed since the last `dlerror`. One for all threads: the sentence is always the same.
static FAILED: AtomicBool = AtomicBool::new(false);

c_fn! {
    /// dlopen(3): nothing can be loaded.
    fn dlopen(_file: *const c_char, _flags: c_int) -> *mut c_void {
        FAILED.store(true, Relaxed);
        core::ptr::null_mut()
    }

    /// dlsym(3): no name is known. Rust's std asks it for newer functions, and does without.
    fn dlsym(_handle: *mut c_void, _name: *const c_char) -> *mut c_void {
        FAILED.store(true, Relaxed);
        core::ptr::null_mut()
    }

    /// dlclose(3): no handle is one.
    fn dlclose(_handle: *mut c_void) -> c_int {
        FAILED.store(true, Relaxed);
        -1
    }

    /// dlerror(3)
    fn dlerror() -> *mut c_char {
        match FAILED.swap(false, Relaxed) {
            true => c"dynamic loading is not available: the library is part of a Go program".as_ptr().cast_mut(),
            false => core::ptr::null_mut(),
        }
    }

    /// dladdr(3): no address belongs to a loaded object.
    fn dladdr(_address: *const c_void, _info: *mut Dl_info) -> c_int {
        0
    }

    /// dl_iterate_phdr(3): the one object that matters here, the program or shared library that the image was linked into.
    /// Rust's backtraces find its symbols through it. It has a path, unlike the C library's first object.
    fn dl_iterate_phdr(
        visit: Option<unsafe extern "C" fn(*mut dl_phdr_info, size_t, *mut c_void) -> c_int>,
        data: *mut c_void,
    ) -> c_int {
        let mut path = [0; PATH_MAX as usize];
        match (visit, object_around(here(), &mut path)) {
            // SAFETY: the caller's function, which may look at the description during the call.
            (Some(visit), Some(mut info)) => unsafe { visit(&mut info, size_of::<dl_phdr_info>(), data) },
            _ => 0,
        }
    }
}

/// An address in the image.
fn here() -> usize {
    #[cfg(test)]
    return here as *const () as usize;
    #[cfg(not(test))]
    return crate::image::base();
}

/// A line of /proc/self/maps (proc_pid_maps(5)).
struct Mapping<'a> {
    start: usize,
    end: usize,
    offset: u64,
    path: &'a [u8],
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        // Range, permissions, offset, device, inode; then spaces, and the path, which may have spaces itself.
        let mut fields = line.splitn(6, |&b| b == b' ');
        let range = fields.next()?;
        let dash = range.iter().position(|&b| b == b'-')?;
        let offset = fields.nth(1)?;
        let path = fields.nth(2)?.trim_ascii_start();
        Some(Mapping {
            start: hexadecimal(range.get(..dash)?)? as usize,
            end: hexadecimal(range.get(dash + 1..)?)? as usize,
            offset: hexadecimal(offset)?,
            path,
        })
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

/// Describes the ELF object that an address lies in, by its headers in memory; its path goes to `path`.
fn object_around(address: usize, path: &mut [u8; PATH_MAX as usize]) -> Option<dl_phdr_info> {
    let mut lines = Lines::<{ PATH_MAX as usize + 128 }>::open(c"/proc/self/maps").ok()?;
    // Where the file's own start is mapped, and how long its path is.
    let (mut header, mut length) = (0, 0);
    loop {
        let mapping = lines.next().and_then(Mapping::parse)?;
        let fits = mapping.path.first() == Some(&b'/') && mapping.path.len() < path.len();
        if mapping.offset == 0 && fits {
            header = mapping.start;
            length = mapping.path.len();
            path[..length].copy_from_slice(mapping.path);
            path[length] = 0;
        }
        if (mapping.start..mapping.end).contains(&address) {
            if length == 0 || mapping.path != &path[..length] {
                return None;
            }
            break;
        }
    }
    // SAFETY: the start of a file that is mapped as a program, which the kernel or a loader did after they had looked at
    // it. Its program headers are in its first segment (gABI, "Program Header": PT_PHDR; Go's linker and GNU's do so).
    unsafe {
        let elf = &*(header as *const libc::Elf64_Ehdr);
        if elf.e_ident[..4] != *b"\x7fELF" {
            return None;
        }
        let table = (header + elf.e_phoff as usize) as *const libc::Elf64_Phdr;
        let first = core::slice::from_raw_parts(table, elf.e_phnum.into())
            .iter()
            .find(|h| h.p_type == libc::PT_LOAD)?;
        let mut info: dl_phdr_info = core::mem::zeroed();
        info.dlpi_addr = (header as u64).wrapping_sub(first.p_vaddr.wrapping_sub(first.p_offset));
        info.dlpi_name = path.as_ptr().cast();
        info.dlpi_phdr = table;
        info.dlpi_phnum = elf.e_phnum;
        Some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the description of the object that `here` lies in.
    unsafe extern "C" fn note(info: *mut dl_phdr_info, _: size_t, data: *mut c_void) -> c_int {
        // SAFETY: whoever calls gives a description, and the test a place.
        unsafe {
            let info = &*info;
            let found = (0..info.dlpi_phnum.into())
                .map(|i| &*info.dlpi_phdr.add(i))
                .filter(|h| h.p_type == libc::PT_LOAD)
                .any(|h| (here() as u64).wrapping_sub(info.dlpi_addr + h.p_vaddr) < h.p_memsz);
            if found {
                *data.cast() = (info.dlpi_addr, info.dlpi_phdr as usize, info.dlpi_phnum);
            }
            found.into()
        }
    }

    #[test]
    fn the_object_is_the_one_that_the_host_knows() {
        let mut host = (0u64, 0usize, 0u16);
        let mut ours = host;
        // SAFETY: as the manual page demands.
        unsafe {
            assert_eq!(libc::dl_iterate_phdr(Some(note), (&raw mut host).cast()), 1);
            assert_eq!(dl_iterate_phdr(Some(note), (&raw mut ours).cast()), 1);
        }
        assert_eq!(ours, host);
        let mut path = [0; PATH_MAX as usize];
        let info = object_around(here(), &mut path).expect("it is mapped");
        // SAFETY: a C string of ours.
        let name = unsafe { core::ffi::CStr::from_ptr(info.dlpi_name) };
        let program = std::env::current_exe().expect("there is one");
        assert_eq!(name.to_str().ok(), program.to_str());
        // The stack is in no file.
        let here = 0u8;
        assert!(object_around(&raw const here as usize, &mut path).is_none());
    }

    #[test]
    fn lines_of_maps() {
        let line = b"7f00-7fff r-xp 0001a000 fe:01 123                        /a path/with spaces (deleted)";
        let mapping = Mapping::parse(line).expect("a line");
        assert_eq!(
            (mapping.start, mapping.end, mapping.offset),
            (0x7f00, 0x7fff, 0x1a000)
        );
        assert_eq!(mapping.path, b"/a path/with spaces (deleted)");
        let mapping = Mapping::parse(b"10-20 rw-p 00000000 00:00 0 ").expect("a line");
        assert_eq!(mapping.path, b"");
        for bad in [&b""[..], b"10", b"10-x rw-p 0 0 0 /", b"10-20 rw-p"] {
            assert!(Mapping::parse(bad).is_none());
        }
    }
}
