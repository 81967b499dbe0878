//! Each directive is given to ours and to the host's snprintf, through C's own way of passing arguments.

use super::*;
use crate::c::stdio::*;
use std::ffi::CString;

type Snprintf = unsafe extern "C" fn(*mut c_char, usize, *const c_char, ...) -> c_int;

/// Ours, as C calls it.
fn ours() -> Snprintf {
    // SAFETY: the naked function takes its arguments as a variadic one.
    unsafe { core::mem::transmute::<unsafe extern "C" fn() -> c_int, Snprintf>(snprintf) }
}

macro_rules! same {
    ($format:expr $(, $arg:expr)*) => {{
        let format = CString::new($format).expect("no NUL");
        let run = |f: Snprintf| {
            let mut buf = [0u8; 3000];
            // SAFETY: the arguments are what the format asks for.
            let n = unsafe { f(buf.as_mut_ptr().cast(), buf.len(), format.as_ptr() $(, $arg)*) };
            let end = buf.iter().position(|&b| b == 0).expect("terminated");
            (n, String::from_utf8_lossy(&buf[..end]).into_owned())
        };
        assert_eq!(run(ours()), run(libc::snprintf), "{:?}", format);
    }};
}

#[test]
fn integers() {
    for flags in ["", "-", "+", " ", "0", "#", "-#", "+0", "#0", "0-", "'"] {
        for width in ["", "1", "12"] {
            for precision in ["", ".", ".0", ".1", ".5", ".30"] {
                for conversion in ["d", "i", "u", "o", "x", "X"] {
                    for n in [0i64, 1, -1, 42, i64::MIN, i64::MAX, 0x8000_0000] {
                        for length in ["ll", "l", "", "h", "hh", "z", "j", "t"] {
                            same!(
                                format!("<%{flags}{width}{precision}{length}{conversion}>"),
                                n
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn strings_characters_and_pointers() {
    for spec in ["", "10", "-10", ".3", "10.3", "-10.0"] {
        same!(format!("<%{spec}s>"), c"hello, world".as_ptr());
        same!(format!("<%{spec}s>"), c"".as_ptr());
    }
    same!(
        "%s|%6s|%.10s",
        core::ptr::null::<c_char>(),
        core::ptr::null::<c_char>(),
        core::ptr::null::<c_char>()
    );
    same!(
        "<%c%5c%-5c>",
        i32::from(b'a'),
        i32::from(b'b'),
        i32::from(b'c')
    );
    same!(
        "<%p|%20p|%-20p|%p>",
        0x1234usize,
        0x1234usize,
        0x1234usize,
        0usize
    );
    same!(
        "100%% %*d %-*d %.*d %.*s",
        6,
        42,
        6,
        42,
        4,
        42,
        -1,
        c"all".as_ptr()
    );
    same!("%*d", -8, 42);
    same!("%.3s", b"abc".as_ptr());
}

#[test]
fn floats() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        0.5,
        1.5,
        2.5,
        9.995,
        99999.95,
        999999.5,
        1e5,
        1e6,
        123456789.0,
        1e-4,
        1e-5,
        0.000123456,
        1e22,
        1e100,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        1.0 / 3.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.0000000000000002,
    ];
    for flags in ["", "-", "+", " ", "0", "#", "+0", "#-"] {
        for width in ["", "25"] {
            for precision in ["", ".0", ".1", ".2", ".6", ".17", ".40", ".1100"] {
                if precision == ".1100" && !flags.is_empty() {
                    continue;
                }
                for conversion in ["f", "F", "e", "E", "g", "G", "a", "A"] {
                    for value in values {
                        // glibc drops the digits of `%#g` when rounding adds one: "1.e+06" for 999999.5 (C23 7.23.6.1 has
                        // all six).
                        let carries = [9.995, 99999.95, 999999.5].contains(&value);
                        if carries && flags.contains('#') && "gG".contains(conversion) {
                            continue;
                        }
                        same!(format!("<%{flags}{width}{precision}{conversion}>"), value);
                    }
                }
            }
        }
    }
    same!(
        "%f|%10f|%-10f|%010F",
        f64::NAN,
        f64::NAN,
        f64::NAN,
        f64::NAN
    );
}

#[test]
fn many_arguments_of_both_kinds() {
    same!(
        "%d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %s",
        1,
        1.5,
        2,
        2.5,
        3,
        3.5,
        4,
        4.5,
        5,
        5.5,
        6,
        6.5,
        7,
        7.5,
        8,
        8.5,
        9,
        9.5,
        10,
        10.5,
        c"end".as_ptr()
    );
}

#[test]
fn short_buffers_are_cut_and_errors_reported() {
    let run = |f: Snprintf, size: usize, format: &CStr| {
        let mut buf = [b'#'; 16];
        // SAFETY: the buffer's size at most; the arguments are what the formats ask for.
        let n = unsafe { f(buf.as_mut_ptr().cast(), size, format.as_ptr(), 12345, 7) };
        (n, buf)
    };
    for size in [0, 1, 2, 5, 6, 7, 16] {
        assert_eq!(
            run(ours(), size, c"%d"),
            run(libc::snprintf, size, c"%d"),
            "size {size}"
        );
    }
    for bad in [c"%Lf", c"%1$Lf", c"%ls", c"%lc", c"%", c"%5", c"%y"] {
        assert_eq!(run(ours(), 16, bad).0, -1, "{bad:?}");
    }
    assert_eq!(run(ours(), 16, c"%2147483647d%2147483647d").0, -1);
}

#[test]
fn the_count_so_far_and_the_error() {
    let (mut n, mut long) = (0, 0i64);
    let mut buf = [0u8; 64];
    crate::c::errno::set_errno(libc::ENOENT);
    // SAFETY: places of our own.
    unsafe {
        ours()(
            buf.as_mut_ptr().cast(),
            64,
            c"abc%n%5d%ln %m".as_ptr(),
            &mut n,
            7,
            &mut long,
        );
    }
    assert_eq!((n, long), (3, 8));
    assert!(buf.starts_with(b"abc    7 No such file or directory\0"));
}

#[test]
fn arguments_by_number() {
    same!("%2$s=%1$d", 5, c"x".as_ptr());
    same!("%1$d %1$x %1$o %1$5d|%1$-5d|%1$05d", 42);
    same!("%3$s %1$f %2$d %1$e", 1.5f64, 7, c"three".as_ptr());
    same!(
        "<%2$*1$d|%2$-*1$d|%2$.*1$d|%4$*3$.*1$f>",
        8,
        42,
        12,
        2.25f64
    );
    same!("%2$m%%%1$d%%", 3, 4);
    same!("%3$d", 1, 2, 3);
    // More than fit into registers, of both kinds.
    same!(
        "%20$s %19$.1f %18$d %17$.1f %16$d %15$.1f %14$d %13$.1f %12$d %11$.1f %10$d %9$.1f %8$d %7$.1f %6$d %5$.1f %4$d %3$.1f %2$d %1$.1f",
        1.0f64,
        2,
        3.0f64,
        4,
        5.0f64,
        6,
        7.0f64,
        8,
        9.0f64,
        10,
        11.0f64,
        12,
        13.0f64,
        14,
        15.0f64,
        16,
        17.0f64,
        18,
        19.0f64,
        c"last".as_ptr()
    );
    // C leaves it open what becomes of these: an error.
    for format in [c"%1$d %d", c"%1$*d", c"%0$d", c"%1$", c"%*1$d"] {
        let mut buf = [0u8; 64];
        // SAFETY: there are more arguments than any of them could take.
        let n = unsafe { ours()(buf.as_mut_ptr().cast(), 64, format.as_ptr(), 1, 2, 3) };
        assert_eq!(n, -1, "{format:?}");
    }
}
