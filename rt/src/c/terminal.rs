//! Terminals: termios.h, names of terminals, pseudo-terminals.

use core::ptr::null_mut;

use libc::{c_char, c_int, pid_t, size_t, speed_t, termios};

use crate::c::define::{about_to_wait, fail, ret};
use crate::c::errno::errno;
use crate::c::string::copy_cstr;
use linux_raw_sys::general::*;

/// Bytes of the kernel's `c_cc`; C's has room for more.
const KERNEL_CONTROLS: usize = 19;

/// The kernel's `struct termios`, which has the speed in `cflag` alone.
#[repr(C)]
struct Kernel {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    controls: [u8; KERNEL_CONTROLS],
}
const _: () = assert!(size_of::<Kernel>() == 36);

/// Says in `c_iflag` that the speed of input is zero, which means that of output (glibc, sysdeps/unix/sysv/linux/speed.c).
const INPUT_SPEED_ZERO: u32 = 0o20000000000;

/// Whether a number is the code of a speed: within CBAUD, as all codes are.
fn is_speed(speed: speed_t) -> bool {
    speed & !libc::CBAUD == 0
        && (speed <= libc::B38400 || (libc::B57600..=libc::B4000000).contains(&speed))
}

c_fn! {
    /// tcgetattr(3)
    fn tcgetattr(fd: c_int, to: *mut termios) -> c_int {
        // SAFETY: all bits zero are a value; places of our own, and the caller's.
        unsafe {
            let mut kernel: Kernel = core::mem::zeroed();
            if ret(syscall!(__NR_ioctl, fd, libc::TCGETS, &raw mut kernel)) == -1 {
                return -1;
            }
            let to = &mut *to;
            (to.c_iflag, to.c_oflag) = (kernel.iflag, kernel.oflag);
            (to.c_cflag, to.c_lflag) = (kernel.cflag, kernel.lflag);
            to.c_line = kernel.line;
            (to.c_ispeed, to.c_ospeed) = (kernel.cflag & libc::CBAUD, kernel.cflag & libc::CBAUD);
            to.c_cc.fill(0);
            to.c_cc[..KERNEL_CONTROLS].copy_from_slice(&kernel.controls);
        }
        0
    }

    /// tcsetattr(3)
    fn tcsetattr(fd: c_int, when: c_int, from: *const termios) -> c_int {
        let request = match when {
            libc::TCSANOW => libc::TCSETS,
            libc::TCSADRAIN => libc::TCSETSW,
            libc::TCSAFLUSH => libc::TCSETSF,
            _ => return fail(libc::EINVAL),
        };
        // SAFETY: the caller's; a place of our own.
        unsafe {
            let from = &*from;
            let mut controls = [0; KERNEL_CONTROLS];
            controls.copy_from_slice(&from.c_cc[..KERNEL_CONTROLS]);
            let kernel = Kernel {
                iflag: from.c_iflag & !INPUT_SPEED_ZERO,
                oflag: from.c_oflag,
                cflag: from.c_cflag,
                lflag: from.c_lflag,
                line: from.c_line,
                controls,
            };
            ret(syscall!(__NR_ioctl, fd, request, &raw const kernel)) as c_int
        }
    }

    /// tcdrain(3)
    fn tcdrain(fd: c_int) -> c_int {
        about_to_wait();
        // SAFETY: a plain number: 1 waits, and breaks nothing.
        ret(unsafe { syscall!(__NR_ioctl, fd, libc::TCSBRK, 1) }) as c_int
    }

    /// tcflow(3)
    fn tcflow(fd: c_int, action: c_int) -> c_int {
        // SAFETY: plain numbers.
        ret(unsafe { syscall!(__NR_ioctl, fd, libc::TCXONC, action) }) as c_int
    }

    /// tcflush(3)
    fn tcflush(fd: c_int, queue: c_int) -> c_int {
        // SAFETY: plain numbers.
        ret(unsafe { syscall!(__NR_ioctl, fd, libc::TCFLSH, queue) }) as c_int
    }

    /// tcsendbreak(3)
    fn tcsendbreak(fd: c_int, duration: c_int) -> c_int {
        // In tenths of a second, where it is not the usual one.
        let (request, tenths) = match duration {
            ..=0 => (libc::TCSBRK, 0),
            milliseconds => (libc::TCSBRKP, milliseconds.saturating_add(99) / 100),
        };
        // SAFETY: plain numbers.
        ret(unsafe { syscall!(__NR_ioctl, fd, request, tenths) }) as c_int
    }

    /// tcgetpgrp(3)
    fn tcgetpgrp(fd: c_int) -> pid_t {
        let mut group: pid_t = 0;
        // SAFETY: a place of our own.
        match ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCGPGRP, &raw mut group) }) {
            -1 => -1,
            _ => group,
        }
    }

    /// tcsetpgrp(3)
    fn tcsetpgrp(fd: c_int, group: pid_t) -> c_int {
        // SAFETY: a place of our own.
        ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCSPGRP, &raw const group) }) as c_int
    }

    /// tcgetsid(3)
    fn tcgetsid(fd: c_int) -> pid_t {
        let mut session: pid_t = 0;
        // SAFETY: a place of our own.
        match ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCGSID, &raw mut session) }) {
            -1 => -1,
            _ => session,
        }
    }

    /// cfgetospeed(3)
    fn cfgetospeed(from: *const termios) -> speed_t {
        (*from).c_cflag & libc::CBAUD
    }

    /// cfgetispeed(3)
    fn cfgetispeed(from: *const termios) -> speed_t {
        let from = &*from;
        if from.c_iflag & INPUT_SPEED_ZERO != 0 { 0 } else { from.c_cflag & libc::CBAUD }
    }

    /// cfsetospeed(3)
    fn cfsetospeed(to: *mut termios, speed: speed_t) -> c_int {
        if !is_speed(speed) {
            return fail(libc::EINVAL);
        }
        let to = &mut *to;
        to.c_ospeed = speed;
        to.c_cflag = to.c_cflag & !libc::CBAUD | speed;
        0
    }

    /// cfsetispeed(3)
    fn cfsetispeed(to: *mut termios, speed: speed_t) -> c_int {
        if !is_speed(speed) {
            return fail(libc::EINVAL);
        }
        let to = &mut *to;
        to.c_ispeed = speed;
        if speed == 0 {
            to.c_iflag |= INPUT_SPEED_ZERO;
        } else {
            to.c_iflag &= !INPUT_SPEED_ZERO;
            to.c_cflag = to.c_cflag & !libc::CBAUD | speed;
        }
        0
    }

    /// cfsetspeed(3), by a speed's code.
    fn cfsetspeed(to: *mut termios, speed: speed_t) -> c_int {
        match cfsetospeed(to, speed) {
            0 => cfsetispeed(to, speed),
            failure => failure,
        }
    }

    /// cfmakeraw(3)
    fn cfmakeraw(to: *mut termios) {
        use libc::*;
        let to = &mut *to;
        to.c_iflag &= !(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
        to.c_oflag &= !OPOST;
        to.c_lflag &= !(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
        to.c_cflag = to.c_cflag & !(CSIZE | PARENB) | CS8;
        to.c_cc[VMIN] = 1;
        to.c_cc[VTIME] = 0;
    }

    /// ttyname(3): what /proc says that the descriptor is, if it is a terminal; returns the error number.
    fn ttyname_r(fd: c_int, to: *mut c_char, size: size_t) -> c_int {
        // SAFETY: places of our own; a path in a buffer; the caller's memory.
        unsafe {
            let mut state: Kernel = core::mem::zeroed();
            if ret(syscall!(__NR_ioctl, fd, libc::TCGETS, &raw mut state)) == -1 {
                return errno();
            }
            let mut link = [0; 32];
            let mut text = crate::c::string::Text::new(&mut link);
            // Every number fits, and the rest stays zero.
            let _ = core::fmt::Write::write_fmt(&mut text, format_args!("/proc/self/fd/{fd}"));
            let mut path = [0u8; libc::PATH_MAX as usize];
            let link = link.as_ptr();
            match ret(syscall!(__NR_readlinkat, libc::AT_FDCWD, link, path.as_mut_ptr(), path.len())) {
                -1 => errno(),
                length if copy_cstr(&path[..length as usize], to, size) => 0,
                _ => libc::ERANGE,
            }
        }
    }

    /// posix_openpt(3)
    fn posix_openpt(flags: c_int) -> c_int {
        // SAFETY: a C string.
        ret(unsafe { syscall!(__NR_openat, libc::AT_FDCWD, c"/dev/ptmx".as_ptr(), flags) }) as c_int
    }

    /// getpt(3)
    fn getpt() -> c_int {
        // SAFETY: a plain number.
        unsafe { posix_openpt(O_RDWR as c_int) }
    }

    /// grantpt(3): on a devpts file system there is nothing to grant.
    fn grantpt(fd: c_int) -> c_int {
        let mut number = 0;
        match pts_number(fd, &mut number) {
            0 => 0,
            // As the manual page has it.
            libc::ENOTTY => fail(libc::EINVAL),
            errno => fail(errno),
        }
    }

    /// unlockpt(3)
    fn unlockpt(fd: c_int) -> c_int {
        let unlock: c_int = 0;
        // SAFETY: a place of our own.
        match ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCSPTLCK, &raw const unlock) }) {
            -1 if errno() == libc::ENOTTY => fail(libc::EINVAL),
            result => result as c_int,
        }
    }

    /// ptsname(3); returns the error number.
    fn ptsname_r(fd: c_int, to: *mut c_char, size: size_t) -> c_int {
        let mut number = 0;
        // SAFETY: a place of our own; the caller's memory.
        unsafe {
            match pts_number(fd, &mut number) {
                0 => {}
                errno => return failed(errno),
            }
            let mut buf = [0; 32];
            let mut text = crate::c::string::Text::new(&mut buf);
            // Every number fits.
            let _ = core::fmt::Write::write_fmt(&mut text, format_args!("/dev/pts/{number}"));
            match copy_cstr(text.into_written(), to, size) {
                true => 0,
                false => failed(libc::ERANGE),
            }
        }
    }
}

/// Sets `errno`, and returns it.
fn failed(errno: c_int) -> c_int {
    fail(errno);
    errno
}

/// The number of a pseudo-terminal; the error number.
fn pts_number(fd: c_int, number: &mut u32) -> c_int {
    // SAFETY: the place of an unsigned integer.
    match ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCGPTN, &raw mut *number) }) {
        -1 => errno(),
        _ => 0,
    }
}

/// Names that the functions without a place hand out, each until it is called again.
struct Shared<const N: usize>(core::cell::UnsafeCell<[c_char; N]>);
// SAFETY: as C has it, callers keep order among themselves.
unsafe impl<const N: usize> Sync for Shared<N> {}

static TERMINAL: Shared<256> = Shared(core::cell::UnsafeCell::new([0; 256]));
static PSEUDO: Shared<32> = Shared(core::cell::UnsafeCell::new([0; 32]));

c_fn! {
    /// ttyname(3)
    fn ttyname(fd: c_int) -> *mut c_char {
        let to = TERMINAL.0.get().cast();
        // SAFETY: the shared place.
        match unsafe { ttyname_r(fd, to, 256) } {
            0 => to,
            errno => {
                fail(errno);
                null_mut()
            }
        }
    }

    /// ptsname(3)
    fn ptsname(fd: c_int) -> *mut c_char {
        let to = PSEUDO.0.get().cast();
        // SAFETY: the shared place.
        match unsafe { ptsname_r(fd, to, 32) } {
            0 => to,
            _ => null_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pseudo-terminal: its two ends.
    fn pair() -> (c_int, c_int) {
        // SAFETY: as the manual pages demand.
        unsafe {
            let master = posix_openpt(libc::O_RDWR | libc::O_NOCTTY);
            assert!(master >= 0, "there are pseudo-terminals");
            assert_eq!((grantpt(master), unlockpt(master)), (0, 0));
            let name = ptsname(master);
            assert!(!name.is_null());
            let slave = libc::open(name, libc::O_RDWR | libc::O_NOCTTY);
            assert!(slave >= 0);
            assert_eq!(libc::strcmp(libc::ptsname(master), name), 0);
            assert_eq!(libc::strcmp(ttyname(slave), name), 0);
            (master, slave)
        }
    }

    fn bytes_of(state: &termios) -> Vec<u8> {
        let cc = state.c_cc.to_vec();
        let flags = [state.c_iflag, state.c_oflag, state.c_cflag, state.c_lflag];
        let speeds = [state.c_ispeed, state.c_ospeed];
        let numbers = flags.iter().chain(&speeds).flat_map(|n| n.to_ne_bytes());
        numbers.chain(cc).collect()
    }

    #[test]
    fn terminals_are_as_the_host_sees_them() {
        let (master, slave) = pair();
        // SAFETY: all bits zero are a value; places of our own.
        unsafe {
            let (mut ours, mut host): (termios, termios) = core::mem::zeroed();
            assert_eq!(tcgetattr(slave, &mut ours), 0);
            assert_eq!(libc::tcgetattr(slave, &mut host), 0);
            assert_eq!(bytes_of(&ours), bytes_of(&host));
            cfmakeraw(&mut ours);
            libc::cfmakeraw(&mut host);
            for speed in [
                0,
                libc::B9600,
                libc::B38400,
                libc::B115200,
                libc::B4000000,
                16,
                38400,
                0x2000,
            ] {
                let result = |a: c_int| if a == 0 { 0 } else { -1 };
                assert_eq!(
                    cfsetospeed(&mut ours, speed),
                    result(libc::cfsetospeed(&mut host, speed)),
                    "{speed}"
                );
                assert_eq!(
                    cfsetispeed(&mut ours, speed),
                    result(libc::cfsetispeed(&mut host, speed)),
                    "{speed}"
                );
                assert_eq!(bytes_of(&ours), bytes_of(&host), "{speed}");
                assert_eq!(cfgetispeed(&ours), libc::cfgetispeed(&host));
                assert_eq!(cfgetospeed(&ours), libc::cfgetospeed(&host));
            }
            assert_eq!(tcsetattr(slave, libc::TCSAFLUSH, &ours), 0);
            let (mut after, mut seen): (termios, termios) = core::mem::zeroed();
            assert_eq!(libc::tcgetattr(slave, &mut after), 0);
            assert_eq!(tcgetattr(slave, &mut seen), 0);
            assert_eq!(bytes_of(&after), bytes_of(&seen));
            assert_eq!(after.c_lflag & libc::ECHO, 0);
            assert_eq!(tcsetattr(slave, 99, &ours), -1);
            assert_eq!(
                (
                    tcflush(slave, libc::TCIOFLUSH),
                    tcdrain(slave),
                    tcsendbreak(slave, 0)
                ),
                (0, 0, 0)
            );
            assert_eq!(
                (tcflow(slave, libc::TCOOFF), tcflow(slave, libc::TCOON)),
                (0, 0)
            );
            // It is the controlling terminal of nobody.
            assert_eq!((tcgetpgrp(slave), tcgetsid(slave)), (-1, -1));
            let pipe = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            assert_eq!(
                (tcgetattr(pipe, &mut seen), grantpt(pipe), unlockpt(pipe)),
                (-1, -1, -1)
            );
            assert!(ttyname(pipe).is_null() && ptsname(pipe).is_null());
            assert_eq!(crate::c::errno::errno(), libc::ENOTTY);
            for fd in [master, slave, pipe] {
                libc::close(fd);
            }
        }
    }
}
