//! syslog(3): messages to the system's log, a datagram each, on the socket that the log listens on.

use core::ffi::CStr;
use core::fmt::Write;

use libc::{c_char, c_int, c_void, sockaddr_un, time_t};

use crate::arch::va_list::{VaList, variadic_c_fn};
use crate::c::printf::{Heap, format};
use crate::c::string::{Text, bytes};
use crate::sys;
use crate::sys::lock::Lock;
use linux_raw_sys::general::*;

/// Where the log listens.
#[cfg(not(test))]
const SOCKET: &CStr = c"/dev/log";
#[cfg(test)]
const SOCKET: &CStr = c"/tmp/rsyso-test-log";

/// What `openlog` and `setlogmask` set.
struct State {
    /// The program's name, kept by who gave it; null for the process's own.
    ident: *const c_char,
    options: c_int,
    facility: c_int,
    mask: c_int,
}

// SAFETY: the name is read only; its owner keeps it, as the manual page demands.
unsafe impl Send for State {}

const CLOSED: State = State {
    ident: core::ptr::null(),
    options: 0,
    facility: libc::LOG_USER,
    mask: 0xff,
};

static STATE: Lock<State> = Lock::new(CLOSED);

/// The bits of a priority that are a facility.
const FACILITY: c_int = !7;

/// Bytes before the message: priority, time, name, process.
const HEAD: usize = 128;

/// Sends a message; whether somebody took it.
fn send(message: &[u8]) -> bool {
    // SAFETY: all bits zero are a value; an address and a message of our own; the descriptor is closed again.
    unsafe {
        let mut address: sockaddr_un = core::mem::zeroed();
        address.sun_family = libc::AF_UNIX as u16;
        for (to, from) in address.sun_path.iter_mut().zip(SOCKET.to_bytes()) {
            *to = *from as c_char;
        }
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let Ok(fd) = sys::check(syscall!(__NR_socket, libc::AF_UNIX, kind, 0)) else {
            return false;
        };
        let (to, size) = (&raw const address, size_of::<sockaddr_un>());
        let sent = syscall!(
            __NR_sendto,
            fd,
            message.as_ptr(),
            message.len(),
            MSG_NOSIGNAL,
            to,
            size
        );
        syscall!(__NR_close, fd);
        sys::check(sent).is_ok()
    }
}

/// sendto(2): no SIGPIPE.
const MSG_NOSIGNAL: c_int = libc::MSG_NOSIGNAL;

/// Writes a message's head: `<13>Nov 28 10:15:17 name[17]: `. Gives where the name begins.
fn head(text: &mut Text<'_>, state: &State, priority: c_int, now: time_t) -> core::fmt::Result {
    let mut date = [0; 32];
    // SAFETY: all bits zero are a value; places of our own; a C string or null.
    unsafe {
        let mut local: libc::tm = core::mem::zeroed();
        crate::c::calendar::localtime_r(&now, &mut local);
        let size = date.len();
        let n = crate::c::calendar::strftime(
            date.as_mut_ptr().cast(),
            size,
            c"%h %e %T".as_ptr(),
            &local,
        );
        let date = core::str::from_utf8(&date[..n]).unwrap_or("");
        write!(text, "<{priority}>{date} ")?;
        let mut own = [0; 64];
        let name = match state.ident.is_null() {
            false => bytes(state.ident),
            true => {
                let read = crate::c::file::read_into(c"/proc/self/comm", &mut own);
                own[..read.unwrap_or(0)].trim_ascii_end()
            }
        };
        let room = name.len().min(HEAD / 2);
        for chunk in name[..room].utf8_chunks() {
            text.write_str(chunk.valid())?;
        }
        if state.options & libc::LOG_PID != 0 {
            write!(text, "[{}]", syscall!(__NR_getpid))?;
        }
    }
    text.write_str(": ")
}

c_fn! {
    /// syslog(3)
    fn openlog(ident: *const c_char, options: c_int, facility: c_int) {
        let mut state = STATE.lock();
        state.ident = ident;
        state.options = options;
        if facility != 0 && facility & !FACILITY == 0 {
            state.facility = facility;
        }
    }

    /// syslog(3)
    fn closelog() {
        let mut state = STATE.lock();
        let mask = state.mask;
        *state = State { mask, ..CLOSED };
    }

    /// setlogmask(3)
    fn setlogmask(mask: c_int) -> c_int {
        let mut state = STATE.lock();
        let was = state.mask;
        if mask != 0 {
            state.mask = mask;
        }
        was
    }

    /// vsyslog(3). Where no log listens, LOG_CONS means the console.
    undeclared fn vsyslog(priority: c_int, text: *const c_char, args: &mut VaList) {
        let mut message = Heap::new();
        let formatted = format(&mut message, text, args);
        let (Ok(length), Ok(block)) = (formatted, message.finish()) else {
            return;
        };
        let state = STATE.lock();
        let (mask, options) = (state.mask, state.options);
        let facility = if priority & FACILITY == 0 { state.facility } else { 0 };
        // SAFETY: the formatted text, which is freed in the end; memory of our own.
        unsafe {
            let whole: *mut u8 = match mask & 1 << (priority & 7) {
                0 => core::ptr::null_mut(),
                _ => libc::malloc(HEAD + length as usize + 1).cast(),
            };
            if whole.is_null() {
                libc::free(block.cast());
                return;
            }
            whole.write_bytes(0, HEAD);
            let mut text = Text::new(core::slice::from_raw_parts_mut(whole, HEAD));
            // What does not fit is cut.
            let _ = head(&mut text, &state, priority | facility, crate::c::time::time(core::ptr::null_mut()));
            drop(state);
            let used = text.into_written().len();
            block.cast::<u8>().copy_to_nonoverlapping(whole.add(used), length as usize);
            let whole_text = core::slice::from_raw_parts(whole, used + length as usize);
            let shown = whole_text.iter().position(|b| *b == b'>').map_or(0, |at| at + 17);
            let sent = send(whole_text);
            let line = whole_text.get(shown..).unwrap_or_default();
            if options & libc::LOG_PERROR != 0 {
                sys::write_stderr(line);
                sys::write_stderr(b"\n");
            }
            if !sent && options & libc::LOG_CONS != 0 {
                let flags = O_WRONLY | O_NOCTTY | O_CLOEXEC;
                let console = syscall!(__NR_openat, libc::AT_FDCWD, c"/dev/console".as_ptr(), flags, 0);
                if let Ok(fd) = sys::check(console) {
                    let _ = crate::c::stdio::write_all(fd as c_int, line);
                    let _ = crate::c::stdio::write_all(fd as c_int, b"\r\n");
                    syscall!(__NR_close, fd);
                }
            }
            libc::free(whole.cast::<c_void>());
            libc::free(block.cast());
        }
    }

    /// vsyslog(3), checked.
    undeclared fn __vsyslog_chk(priority: c_int, _flag: c_int, text: *const c_char, args: &mut VaList) {
        vsyslog(priority, text, args)
    }
}

variadic_c_fn! {
    /// syslog(3)
    syslog(2) => vsyslog;
    /// syslog(3), checked.
    __syslog_chk(3) => __vsyslog_chk;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    type Syslog = unsafe extern "C" fn(c_int, *const c_char, ...);

    #[test]
    fn messages_arrive_as_they_should() {
        let path = SOCKET.to_str().expect("ASCII");
        let _ = std::fs::remove_file(path);
        // SAFETY: the naked function takes its arguments as a variadic one; C strings.
        unsafe {
            let log = core::mem::transmute::<unsafe extern "C" fn() -> c_int, Syslog>(syslog);
            // Nobody listens: nothing happens.
            log(libc::LOG_INFO, c"lost".as_ptr());
            let socket = UnixDatagram::bind(path).expect("a socket");
            let receive = || {
                let mut buf = [0; 4096];
                let n = socket.recv(&mut buf).expect("a message");
                String::from_utf8_lossy(&buf[..n]).into_owned()
            };
            openlog(c"test".as_ptr(), libc::LOG_PID, libc::LOG_DAEMON);
            log(libc::LOG_ERR, c"%s is %d".as_ptr(), c"x".as_ptr(), 7);
            let message = receive();
            assert!(
                message.starts_with("<27>") && message.len() > 22,
                "{message}"
            );
            let expected = format!(" test[{}]: x is 7", std::process::id());
            assert_eq!(&message[19..], expected);
            assert_eq!(message.as_bytes()[6 + 4], b' ', "{message}");
            assert_eq!(setlogmask(1 << libc::LOG_ERR), 0xff);
            log(libc::LOG_DEBUG, c"masked".as_ptr());
            log(libc::LOG_ERR | libc::LOG_MAIL, c"second".as_ptr());
            assert!(receive().starts_with("<19>"));
            assert_eq!(setlogmask(0xff), 1 << libc::LOG_ERR);
            closelog();
            log(libc::LOG_NOTICE, c"third".as_ptr());
            let message = receive();
            assert!(
                message.starts_with("<13>") && message.ends_with(": third"),
                "{message}"
            );
        }
        let _ = std::fs::remove_file(path);
    }
}
