//! Places in source files, as the library's code knows them.

use core::ptr::null;

use super::{base, params};

/// A source file and a line of it. The text is the library's own, in the image.
#[derive(Clone, Copy)]
pub struct Place {
    file: *const u8,
    bytes: usize,
    /// From 1; 0 where it is not known.
    pub line: u32,
}

/// `core::panic::Location`, as all versions of rustc lay it out.
#[repr(C)]
#[derive(Clone, Copy)]
struct Location {
    file: *const u8,
    bytes: usize,
    line: u32,
    _column: u32,
}

impl Place {
    /// No place.
    pub const UNKNOWN: Place = Place {
        file: null(),
        bytes: 0,
        line: 0,
    };

    /// Reads the `Location` at an address. LTO may have changed what its functions are given, so what is no location is none.
    pub fn read(address: usize) -> Place {
        let image = params().image_size as usize;
        let in_image = |at: usize, bytes: usize| {
            let offset = at.wrapping_sub(base());
            offset < image && bytes <= image - offset
        };
        if !address.is_multiple_of(align_of::<Location>())
            || !in_image(address, size_of::<Location>())
        {
            return Place::UNKNOWN;
        }
        // SAFETY: words of the image, which is readable.
        let location = unsafe { *(address as *const Location) };
        match in_image(location.file as usize, location.bytes) {
            true => Place {
                file: location.file,
                bytes: location.bytes,
                line: location.line,
            },
            false => Place::UNKNOWN,
        }
    }

    /// Whether it is none.
    pub fn is_unknown(&self) -> bool {
        self.file.is_null()
    }

    /// The file, as the compiler knew it; empty for no place.
    pub fn file(&self) -> &[u8] {
        if self.is_unknown() {
            return &[];
        }
        // SAFETY: a range of the image.
        unsafe { core::slice::from_raw_parts(self.file, self.bytes) }
    }
}
