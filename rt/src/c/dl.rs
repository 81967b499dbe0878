//! Dynamic linking: there is none. The library was linked when it was converted, and nothing can be loaded. What can be looked up is what
//! is in the image: the names that the linker put into its table (`Params::lookup_offset`), and the functions that addresses lie in.
//! The C library is in the image too, as far as it is used: its libraries are "loaded" by their names.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use libc::{Dl_info, c_char, c_int, c_void, dl_phdr_info, size_t};

use crate::c::file::Lines;
use crate::c::string::bytes;
use crate::contract::LOOKUP_OF_RUNTIME;
use linux_raw_sys::general::PATH_MAX;

/// What failed since the thread's last `dlerror`.
const NOTHING: u8 = 0;
const LOAD: u8 = 1;
const LOOK_UP: u8 = 2;
const HANDLE: u8 = 3;

/// Libraries that the runtime stands in for.
const LIBRARIES: &[&[u8]] = &[
    b"libc.so.6",
    b"libdl.so.2",
    b"libgcc_s.so.1",
    b"libm.so.6",
    b"libpthread.so.0",
    b"libresolv.so.2",
    b"librt.so.1",
    b"libutil.so.1",
];

/// What stands for the program, and so for the image; only its address counts.
static PROGRAM: u8 = 0;

/// The handle of the program.
fn program() -> *mut c_void {
    (&raw const PROGRAM).cast_mut().cast()
}

fn failed<T>(what: u8, result: T) -> T {
    crate::c::thread::current().dl_failure.set(what);
    result
}

/// A name of the table: where it stands, its length and [`LOOKUP_OF_RUNTIME`], and what it names, from the start of the image.
type Entry = [u32; 3];

/// The entry of a name in a sorted table.
fn find<'t, 'n>(
    table: &'t [Entry],
    text: impl Fn(&Entry) -> &'n [u8],
    name: &[u8],
) -> Option<&'t Entry> {
    let found = table.binary_search_by(|entry| text(entry).cmp(name));
    table.get(found.ok()?)
}

/// Where something of the image is by its name; null if it is not there.
fn look_up(name: &[u8], runtime_only: bool) -> *mut c_void {
    #[cfg(test)]
    let (base, table): (usize, &[Entry]) = (0, &[]);
    // SAFETY: the linker put that many entries there.
    #[cfg(not(test))]
    let (base, table) = unsafe {
        let (base, p) = (crate::image::base(), crate::image::params());
        let table = (base + p.lookup_offset as usize) as *const Entry;
        (
            base,
            core::slice::from_raw_parts(table, p.lookup_count as usize),
        )
    };
    // SAFETY: each entry names a range of the image.
    let text = |entry: &Entry| unsafe {
        let length = entry[1] & !LOOKUP_OF_RUNTIME;
        core::slice::from_raw_parts((base + entry[0] as usize) as *const u8, length as usize)
    };
    match find(table, text, name) {
        Some([_, flags, to]) if *to != 0 && (!runtime_only || flags & LOOKUP_OF_RUNTIME != 0) => {
            (base + *to as usize) as *mut c_void
        }
        _ => null_mut(),
    }
}

c_fn! {
    /// dlopen(3): the program, and the C library's own libraries, which are part of it. Nothing else can be loaded.
    fn dlopen(file: *const c_char, _flags: c_int) -> *mut c_void {
        // SAFETY: null or the caller's C string.
        let file = if file.is_null() { b"" } else { unsafe { bytes(file) } };
        let name = file.rsplit(|b| *b == b'/').next().unwrap_or(file);
        match file.is_empty() || LIBRARIES.contains(&name) {
            true => program(),
            false => failed(LOAD, null_mut()),
        }
    }

    /// dlsym(3): the library's exports, and what C names its strings mention. RTLD_NEXT finds the C library's.
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
        let next = handle == libc::RTLD_NEXT;
        if !next && handle != libc::RTLD_DEFAULT && handle != program() {
            return failed(HANDLE, null_mut());
        }
        let found = look_up(bytes(name), next);
        if found.is_null() { failed(LOOK_UP, found) } else { found }
    }

    /// dlvsym(3): each name has one version.
    fn dlvsym(handle: *mut c_void, name: *const c_char, _version: *const c_char) -> *mut c_void {
        dlsym(handle, name)
    }

    /// dlclose(3)
    fn dlclose(handle: *mut c_void) -> c_int {
        if handle == program() { 0 } else { failed(HANDLE, -1) }
    }

    /// dlerror(3)
    fn dlerror() -> *mut c_char {
        let text = match crate::c::thread::current().dl_failure.replace(NOTHING) {
            LOAD => c"nothing can be loaded: the library is part of a Go program",
            LOOK_UP => c"the name is not in the image: the library is part of a Go program",
            HANDLE => c"invalid handle",
            _ => return null_mut(),
        };
        text.as_ptr().cast_mut()
    }

    /// dladdr(3): functions have their names as people read them, Rust's demangled. Of the program around the image, only the file is known.
    fn dladdr(address: *const c_void, info: *mut Dl_info) -> c_int {
        let Some(object) = own_object() else {
            return 0;
        };
        let address = address as usize;
        if !object.holds(address) {
            return 0;
        }
        let function = function(address);
        let known = Dl_info {
            dli_fname: object.path.as_ptr(),
            dli_fbase: object.header as *mut c_void,
            dli_sname: function.map_or(core::ptr::null(), |(_, name)| name.as_ptr().cast()),
            dli_saddr: function.map_or(null_mut(), |(start, _)| start as *mut c_void),
        };
        info.write(known);
        1
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

/// The function of the image that an address lies in, and its name.
fn function(address: usize) -> Option<(usize, &'static str)> {
    #[cfg(test)]
    return None.filter(|_: &(usize, &str)| address != 0);
    #[cfg(not(test))]
    return crate::image::symbolizer::function(address);
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

/// The ELF object that the image is part of.
struct Object {
    info: dl_phdr_info,
    /// Where its file's own start is mapped.
    header: usize,
    path: [c_char; PATH_MAX as usize],
}

impl Object {
    /// Whether an address lies in one of its segments.
    fn holds(&self, address: usize) -> bool {
        // SAFETY: the program headers of an object that is mapped for good.
        let headers = unsafe {
            core::slice::from_raw_parts(self.info.dlpi_phdr, self.info.dlpi_phnum.into())
        };
        let address = address as u64;
        headers
            .iter()
            .filter(|h| h.p_type == libc::PT_LOAD)
            .any(|h| address.wrapping_sub(self.info.dlpi_addr + h.p_vaddr) < h.p_memsz)
    }
}

/// The object that the image is part of, looked for once.
fn own_object() -> Option<&'static Object> {
    static KNOWN: AtomicPtr<Object> = AtomicPtr::new(null_mut());
    let known = KNOWN.load(Acquire);
    if known.is_null() {
        let mut path = [0; PATH_MAX as usize];
        let info = object_around(here(), &mut path)?;
        // SAFETY: plain allocation.
        let fresh: *mut Object = unsafe { libc::malloc(size_of::<Object>()).cast() };
        if fresh.is_null() {
            return None;
        }
        // SAFETY: fresh memory for one. The headers lie behind the start of the file.
        unsafe {
            let header = header_of(&info);
            let path = path.map(|byte| byte as c_char);
            fresh.write(Object { info, header, path });
            if KNOWN
                .compare_exchange(null_mut(), fresh, AcqRel, Acquire)
                .is_err()
            {
                libc::free(fresh.cast());
            }
        }
    }
    // SAFETY: null or written whole before it was stored; never freed.
    unsafe { KNOWN.load(Acquire).as_ref() }
}

/// Where the file's own start is mapped: where its first segment is.
fn header_of(info: &dl_phdr_info) -> usize {
    // SAFETY: the program headers of an object that is mapped.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let first = headers.iter().find(|h| h.p_type == libc::PT_LOAD);
    first.map_or(0, |h| (info.dlpi_addr + h.p_vaddr - h.p_offset) as usize)
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
    fn addresses_have_the_object_that_the_host_knows() {
        // SAFETY: all bits zero are a value; places of our own.
        unsafe {
            let (mut host, mut ours): (Dl_info, Dl_info) = core::mem::zeroed();
            assert_ne!(libc::dladdr(here() as *const c_void, &mut host), 0);
            assert_ne!(dladdr(here() as *const c_void, &mut ours), 0);
            assert_eq!(ours.dli_fbase, host.dli_fbase);
            let on_stack = 0u8;
            assert_eq!(dladdr((&raw const on_stack).cast(), &mut ours), 0);
        }
    }

    #[test]
    fn names_are_found_in_the_table() {
        let text = b"abcabd";
        let table: [Entry; 3] = [[0, 2, 5], [0, 3 | LOOKUP_OF_RUNTIME, 6], [3, 3, 7]];
        let name = |e: &Entry| &text[e[0] as usize..][..(e[1] & !LOOKUP_OF_RUNTIME) as usize];
        for (wanted, at) in [("ab", 0), ("abc", 1), ("abd", 2)] {
            assert_eq!(find(&table, name, wanted.as_bytes()), Some(&table[at]));
        }
        for missing in ["", "a", "abe", "abcd"] {
            assert_eq!(find(&table, name, missing.as_bytes()), None);
        }
    }

    #[test]
    fn the_program_is_all_there_is() {
        // SAFETY: C strings.
        unsafe {
            let all = dlopen(core::ptr::null(), libc::RTLD_NOW);
            assert!(!all.is_null() && dlerror().is_null());
            assert_eq!(dlopen(c"/lib64/libm.so.6".as_ptr(), libc::RTLD_LAZY), all);
            assert_eq!(dlclose(all), 0);
            assert!(dlopen(c"libfoo.so".as_ptr(), libc::RTLD_NOW).is_null());
            assert!(!dlerror().is_null() && dlerror().is_null());
            assert!(dlsym(all, c"no_such".as_ptr()).is_null());
            assert!(!dlerror().is_null());
            assert_eq!(dlclose(7 as *mut c_void), -1);
        }
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
