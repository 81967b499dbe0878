//! Against the host's C library.

use super::*;
use core::ffi::CStr;
use core::mem::MaybeUninit;

mod host {
    use super::*;
    unsafe extern "C" {
        pub fn localtime_r(moment: *const time_t, to: *mut tm) -> *mut tm;
        pub fn gmtime_r(moment: *const time_t, to: *mut tm) -> *mut tm;
        pub fn mktime(date: *mut tm) -> time_t;
        pub fn tzset();
        pub fn strftime(
            to: *mut c_char,
            size: size_t,
            text: *const c_char,
            date: *const tm,
        ) -> size_t;
    }
}

type Convert = unsafe extern "C" fn(*const time_t, *mut tm) -> *mut tm;

fn date(f: Convert, moment: time_t) -> tm {
    let mut date = MaybeUninit::uninit();
    // SAFETY: places of our own; the moments are in range.
    unsafe {
        assert!(!f(&moment, date.as_mut_ptr()).is_null());
        date.assume_init()
    }
}

fn fields(date: &tm) -> (Vec<i32>, i64, String) {
    let numbers = vec![
        date.tm_year,
        date.tm_mon,
        date.tm_mday,
        date.tm_hour,
        date.tm_min,
        date.tm_sec,
        date.tm_wday,
        date.tm_yday,
        date.tm_isdst,
    ];
    // SAFETY: a C string.
    let name = unsafe { CStr::from_ptr(date.tm_zone) }
        .to_string_lossy()
        .into_owned();
    (numbers, date.tm_gmtoff, name)
}

fn moments() -> impl Iterator<Item = time_t> {
    // Every week or so from 1890 to 2110, and hours around changes of clocks in 2024.
    let wide = (0..12_000).map(|i| -2_524_521_600 + i * 578_239);
    let close = (0..8800).map(|i| 1_704_067_200 + i * 3600);
    wide.chain(close)
}

// One test: they share TZ.
#[test]
fn agrees_with_the_host() {
    let _exclusive = crate::c::env::exclusive();
    let zones = [
        "UTC0",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
        "EST5EDT,J60/1,J300",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
    ];
    for zone in zones {
        let text = std::ffi::CString::new(zone).expect("no NUL");
        // SAFETY: only this test looks at the environment's TZ.
        unsafe {
            libc::setenv(c"TZ".as_ptr(), text.as_ptr(), 1);
            host::tzset();
            crate::c::env::init();
        }
        for moment in moments() {
            // glibc applies rules to years before 1970 wrongly (the days of its years are counted from there).
            if moment < 0 && zone.contains(',') {
                continue;
            }
            let ours = date(localtime_r, moment);
            let host = date(host::localtime_r, moment);
            assert_eq!(fields(&ours), fields(&host), "{moment} in {zone}");
            for daylight in [-1, ours.tm_isdst] {
                let (mut a, mut b) = (ours, host);
                (a.tm_isdst, b.tm_isdst) = (daylight, daylight);
                // SAFETY: dates of our own.
                let (a, b) = unsafe { (mktime(&mut a), host::mktime(&mut b)) };
                let shown = |moment| fields(&date(localtime_r, moment)).0[..6].to_vec();
                match daylight {
                    // Which of the two is meant is open.
                    -1 => assert_eq!(shown(a), shown(b), "{moment} in {zone}"),
                    _ => assert_eq!(a, moment, "{moment} in {zone}"),
                }
            }
        }
    }
    for moment in moments().step_by(7) {
        assert_eq!(
            fields(&date(gmtime_r, moment)),
            fields(&date(host::gmtime_r, moment))
        );
        let mut utc = date(gmtime_r, moment);
        // SAFETY: a date of our own.
        assert_eq!(unsafe { timegm(&mut utc) }, moment);
        let format = c"%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %k %l %m %M %n %p %P %r %R %S %t %T %u %U %V %w %W %x %X %y %Y %z %Z %% %-d %_H %0e %Ey %Q";
        let run =
            |f: unsafe extern "C" fn(*mut c_char, size_t, *const c_char, *const tm) -> size_t,
             size: usize| {
                let mut buf = [0u8; 512];
                // SAFETY: the buffer's size at most.
                let n = unsafe { f(buf.as_mut_ptr().cast(), size, format.as_ptr(), &utc) };
                (n, String::from_utf8_lossy(&buf[..n]).into_owned())
            };
        assert_eq!(run(strftime, 512), run(host::strftime, 512), "{moment}");
        assert_eq!(run(strftime, 100).0, 0);
    }
}

/// Every conversion with every flag, width and modifier.
#[test]
fn flags_as_the_host_has_them() {
    let _exclusive = crate::c::env::exclusive();
    let mut dates: Vec<tm> = [0, 951_782_400, -70_000_000_000, 1_704_067_199]
        .iter()
        .map(|moment| date(gmtime_r, *moment))
        .collect();
    dates[0].tm_gmtoff = -(5 * 3600 + 1800);
    dates[1].tm_hour = 17;
    dates[2].tm_isdst = -1;
    let mut tried = 0;
    for date in &dates {
        for conversion in 0x21..0x7f_u8 {
            for flags in ["", "_", "-", "0", "+", "^", "#", "_^", "0#", "-0", "^#"] {
                for width in ["", "1", "3", "5", "12"] {
                    for modifier in ["", "E", "O"] {
                        let format = format!("<%{flags}{width}{modifier}{}>", conversion as char);
                        // Depends on TZ, which another test sets.
                        if conversion == b's' {
                            continue;
                        }
                        let text = std::ffi::CString::new(format.as_str()).expect("no NUL");
                        let run = |f: unsafe extern "C" fn(
                            *mut c_char,
                            size_t,
                            *const c_char,
                            *const tm,
                        ) -> size_t| {
                            let mut buf = [0u8; 256];
                            // SAFETY: the buffer's size.
                            let n = unsafe { f(buf.as_mut_ptr().cast(), 256, text.as_ptr(), date) };
                            let text = String::from_utf8_lossy(&buf[..n]).into_owned();
                            // What is no conversion stays as it stands; glibc changes letters of some.
                            let known = !text.contains('%');
                            if known { text } else { text.to_lowercase() }
                        };
                        assert_eq!(run(strftime), run(host::strftime), "{format}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 50_000);
}
