//! Lines of text that are made without a heap.

use core::fmt::Write;

/// The longest line; names of generic functions can be long.
pub(crate) const LINE: usize = 512;

/// Text in a buffer; what does not fit is left out.
pub(crate) struct Line<'a> {
    buffer: &'a mut [u8; LINE],
    len: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn new(buffer: &'a mut [u8; LINE]) -> Self {
        Line { buffer, len: 0 }
    }

    pub(crate) fn text(&self) -> &str {
        utf8(&self.buffer[..self.len])
    }

    pub(crate) fn into_text(self) -> &'a str {
        utf8(&self.buffer[..self.len])
    }
}

/// The text up to a character that was cut.
fn utf8(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => core::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
    }
}

impl Write for Line<'_> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let n = s.len().min(LINE - self.len);
        self.buffer[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}
