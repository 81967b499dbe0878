//! The functions of printf's family.

use core::ffi::{c_char, c_int, c_void};

use libc::{FILE, size_t};

use super::{stdout, with_output, write_all};
use crate::arch::va_list::{VaList, variadic_c_fn};
use crate::c::define::{fail, overflowed};
use crate::c::printf::{Heap, Memory, Sink, format};

/// Output to a descriptor, piece by piece through a small buffer.
struct Descriptor {
    fd: c_int,
    buf: [u8; 512],
    used: usize,
}

impl Descriptor {
    fn flush(&mut self) -> Result<(), c_int> {
        let used = core::mem::take(&mut self.used);
        write_all(self.fd, &self.buf[..used])
    }
}

impl Sink for Descriptor {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        if bytes.len() > self.buf.len() - self.used {
            self.flush()?;
        }
        match self
            .buf
            .get_mut(self.used..self.used.saturating_add(bytes.len()))
        {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.used += bytes.len();
                Ok(())
            }
            None => write_all(self.fd, bytes),
        }
    }
}

fn count(result: Result<c_int, c_int>) -> c_int {
    result.unwrap_or_else(fail)
}

c_fn! {
    /// vsnprintf(3)
    undeclared fn vsnprintf(to: *mut c_char, size: size_t, text: *const c_char, args: &mut VaList) -> c_int {
        let mut memory = Memory::new(to, size);
        let result = format(&mut memory, text, args);
        memory.finish();
        count(result)
    }

    /// vsprintf(3)
    undeclared fn vsprintf(to: *mut c_char, text: *const c_char, args: &mut VaList) -> c_int {
        // SAFETY: the caller's, who promises room for everything.
        unsafe { vsnprintf(to, isize::MAX as usize, text, args) }
    }

    /// vasprintf(3)
    undeclared fn vasprintf(to: *mut *mut c_char, text: *const c_char, args: &mut VaList) -> c_int {
        let mut heap = Heap::new();
        let result = format(&mut heap, text, args).and_then(|n| heap.finish().map(|block| (n, block)));
        count(result.map(|(n, block)| {
            *to = block;
            n
        }))
    }

    /// vdprintf(3)
    undeclared fn vdprintf(fd: c_int, text: *const c_char, args: &mut VaList) -> c_int {
        let mut out = Descriptor { fd, buf: [0; 512], used: 0 };
        let result = format(&mut out, text, args);
        count(result.and_then(|n| out.flush().map(|()| n)))
    }

    /// vfprintf(3)
    undeclared fn vfprintf(file: *mut FILE, text: *const c_char, args: &mut VaList) -> c_int {
        count(with_output(file, |out| format(out, text, args)))
    }

    /// vprintf(3)
    undeclared fn vprintf(text: *const c_char, args: &mut VaList) -> c_int {
        vfprintf(stdout.file(), text, args)
    }

    // The checked functions have a flag, which asks for more checks, and the size of the caller's memory.

    /// vsnprintf(3), checked.
    undeclared fn __vsnprintf_chk(
        to: *mut c_char,
        size: size_t,
        _flag: c_int,
        room: size_t,
        text: *const c_char,
        args: &mut VaList,
    ) -> c_int {
        if size > room {
            overflowed()
        }
        vsnprintf(to, size, text, args)
    }

    /// vsprintf(3), checked.
    undeclared fn __vsprintf_chk(
        to: *mut c_char,
        _flag: c_int,
        room: size_t,
        text: *const c_char,
        args: &mut VaList,
    ) -> c_int {
        let length = vsnprintf(to, room.min(isize::MAX as usize), text, args);
        if usize::try_from(length).is_ok_and(|n| n >= room) {
            overflowed()
        }
        length
    }

    /// vfprintf(3), checked.
    undeclared fn __vfprintf_chk(file: *mut FILE, _flag: c_int, text: *const c_char, args: &mut VaList) -> c_int {
        vfprintf(file, text, args)
    }

    /// vprintf(3), checked.
    undeclared fn __vprintf_chk(_flag: c_int, text: *const c_char, args: &mut VaList) -> c_int {
        vprintf(text, args)
    }

    /// vasprintf(3), checked.
    undeclared fn __vasprintf_chk(to: *mut *mut c_char, _flag: c_int, text: *const c_char, args: &mut VaList) -> c_int {
        vasprintf(to, text, args)
    }

    /// vdprintf(3), checked.
    undeclared fn __vdprintf_chk(fd: c_int, _flag: c_int, text: *const c_char, args: &mut VaList) -> c_int {
        vdprintf(fd, text, args)
    }
}

variadic_c_fn! {
    /// printf(3)
    printf(1) => vprintf;
    /// fprintf(3)
    fprintf(2) => vfprintf;
    /// dprintf(3)
    dprintf(2) => vdprintf;
    /// sprintf(3)
    sprintf(2) => vsprintf;
    /// snprintf(3)
    snprintf(3) => vsnprintf;
    /// asprintf(3)
    asprintf(2) => vasprintf;
    /// printf(3), checked.
    __printf_chk(2) => __vprintf_chk;
    /// fprintf(3), checked.
    __fprintf_chk(3) => __vfprintf_chk;
    /// dprintf(3), checked.
    __dprintf_chk(3) => __vdprintf_chk;
    /// sprintf(3), checked.
    __sprintf_chk(4) => __vsprintf_chk;
    /// snprintf(3), checked.
    __snprintf_chk(5) => __vsnprintf_chk;
    /// asprintf(3), checked.
    __asprintf_chk(3) => __vasprintf_chk;
}

const _: () = assert!(size_of::<&mut VaList>() == size_of::<*mut c_void>());
