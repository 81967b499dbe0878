//! stdio.h: streams. What a call writes to standard output or error is handed to the kernel before it returns, since
//! nobody flushes C's buffers when a Go program ends; files are buffered until they are flushed or closed.

use core::cell::UnsafeCell;

use libc::{FILE, c_int};

use crate::c::printf::Sink;
use crate::sys;
use crate::sys::lock::Lock;
use linux_raw_sys::general::*;

mod functions;
mod printf;
mod stream;

pub use functions::*;
pub use printf::*;
pub(crate) use stream::Stream;

/// Writes everything to a descriptor.
pub(crate) fn write_all(fd: c_int, mut bytes: &[u8]) -> Result<(), c_int> {
    while !bytes.is_empty() {
        crate::c::define::about_to_wait();
        // SAFETY: the slice's own size.
        match sys::check(unsafe { syscall!(__NR_write, fd, bytes.as_ptr(), bytes.len()) }) {
            Ok(n) => bytes = bytes.get(n..).unwrap_or(&[]),
            Err(libc::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A stream that C code points to.
type Locked = Lock<Stream>;

static STDIN: Locked = Lock::new(Stream::new(0, true, false, false));
static STDOUT: Locked = Lock::new(Stream::new(1, false, true, true));
static STDERR: Locked = Lock::new(Stream::new(2, false, true, true));

/// A variable of C's that holds a stream.
#[repr(transparent)]
pub struct Variable(UnsafeCell<*mut FILE>);

// SAFETY: as for C's variable, whoever sets it must keep order with those who read it.
unsafe impl Sync for Variable {}

impl Variable {
    const fn new(stream: &'static Locked) -> Self {
        Variable(UnsafeCell::new(
            core::ptr::from_ref(stream).cast_mut().cast(),
        ))
    }

    /// The stream.
    pub(crate) fn file(&self) -> *mut FILE {
        // SAFETY: one word.
        unsafe { *self.0.get() }
    }
}

/// stdin(3)
#[allow(non_upper_case_globals, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static stdin: Variable = Variable::new(&STDIN);
/// stdin(3)
#[allow(non_upper_case_globals, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static stdout: Variable = Variable::new(&STDOUT);
/// stdin(3)
#[allow(non_upper_case_globals, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static stderr: Variable = Variable::new(&STDERR);

/// Whether a stream is one of the three that every process has.
fn is_of_the_process(file: *mut FILE) -> bool {
    let file = file.cast_const().cast::<Locked>();
    [&STDIN, &STDOUT, &STDERR]
        .iter()
        .any(|stream| core::ptr::eq(*stream, file))
}

/// # Safety
/// `file` must be an open stream.
unsafe fn locked<'a>(file: *mut FILE) -> &'a Locked {
    // SAFETY: an open stream is a `Locked` of this file's making.
    unsafe { &*file.cast() }
}

/// Calls `f` with the stream as a place for output.
///
/// # Safety
/// `file` must be an open stream.
pub(crate) unsafe fn with_output<T>(
    file: *mut FILE,
    f: impl FnOnce(&mut dyn Sink) -> Result<T, c_int>,
) -> Result<T, c_int> {
    // SAFETY: `file` is an open stream, as this function demands.
    let mut stream = unsafe { locked(file) }.lock();
    let result = f(&mut *stream);
    stream.end_of_call()?;
    result
}
