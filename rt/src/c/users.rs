//! Users and groups, from /etc/passwd and /etc/group (passwd(5), group(5)); /etc/nsswitch.conf is not read.

use core::ffi::CStr;
use core::ptr::null_mut;

use libc::{c_char, c_int, gid_t, group, passwd, size_t, uid_t};

use crate::c::file::Lines;
use crate::c::string::bytes;

/// Lines that are longer are left out.
type File = Lines<4096>;

/// The fields of a line, if it has exactly that many.
fn fields<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = line.split(|&b| b == b':');
    let mut found = [&line[..0]; N];
    for place in &mut found {
        *place = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

fn number(field: &[u8]) -> Option<u32> {
    core::str::from_utf8(field).ok()?.parse().ok()
}

/// The caller's buffer, filled from the start.
struct Arena {
    next: *mut c_char,
    left: usize,
}

impl Arena {
    /// A copy with a terminator; ERANGE if there is no room.
    fn put(&mut self, text: &[u8]) -> Result<*mut c_char, c_int> {
        let size = text.len() + 1;
        let to = self.take(size, 1)?;
        // SAFETY: `size` bytes of the caller's buffer.
        unsafe { crate::c::string::copy_cstr(text, to, size) };
        Ok(to)
    }

    fn take(&mut self, size: usize, align: usize) -> Result<*mut c_char, c_int> {
        let skip = self.next.align_offset(align);
        let total = skip
            .checked_add(size)
            .filter(|total| *total <= self.left)
            .ok_or(libc::ERANGE)?;
        let to = self.next.wrapping_add(skip);
        self.next = self.next.wrapping_add(total);
        self.left -= total;
        Ok(to)
    }
}

/// Looks for the first line of a file that `fill` accepts. As POSIX has it, no such line is no error.
fn find<T>(
    path: &CStr,
    mut fill: impl FnMut(&[u8]) -> Option<Result<T, c_int>>,
) -> Result<Option<T>, c_int> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(libc::ENOENT) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    while let Some(line) = file.next() {
        if let Some(result) = fill(line) {
            return result.map(Some);
        }
    }
    Ok(None)
}

/// Reads a line of /etc/passwd into the caller's memory, if it is the one.
fn user(
    line: &[u8],
    arena: &mut Arena,
    is_it: &impl Fn(&[u8], uid_t) -> bool,
) -> Option<Result<passwd, c_int>> {
    let [name, password, uid, gid, about, home, shell] = fields(line)?;
    let (uid, gid) = (number(uid)?, number(gid)?);
    let mut make = || {
        Ok(passwd {
            pw_name: arena.put(name)?,
            pw_passwd: arena.put(password)?,
            pw_uid: uid,
            pw_gid: gid,
            pw_gecos: arena.put(about)?,
            pw_dir: arena.put(home)?,
            pw_shell: arena.put(shell)?,
        })
    };
    is_it(name, uid).then(&mut make)
}

/// Reads a line of /etc/group into the caller's memory, if it is the one.
fn group_of(
    line: &[u8],
    arena: &mut Arena,
    is_it: &impl Fn(&[u8], gid_t) -> bool,
) -> Option<Result<group, c_int>> {
    let [name, password, gid, members] = fields(line)?;
    let gid = number(gid)?;
    let list = || {
        members
            .split(|&b| b == b',')
            .filter(|member| !member.is_empty())
    };
    let mut make = || {
        let count = list().count();
        let array = arena.take(
            (count + 1) * size_of::<*mut c_char>(),
            align_of::<*mut c_char>(),
        )?;
        let array: *mut *mut c_char = array.cast();
        for (i, member) in list().enumerate() {
            // SAFETY: `count + 1` pointers of the caller's buffer, aligned.
            unsafe { array.add(i).write(arena.put(member)?) };
        }
        // SAFETY: as above.
        unsafe { array.add(count).write(null_mut()) };
        Ok(group {
            gr_name: arena.put(name)?,
            gr_passwd: arena.put(password)?,
            gr_gid: gid,
            gr_mem: array,
        })
    };
    is_it(name, gid).then(&mut make)
}

/// Hands the outcome of a search to the caller of a `_r` function.
///
/// # Safety
/// `to` and `result` must be writable.
unsafe fn hand_out<T>(found: Result<Option<T>, c_int>, to: *mut T, result: *mut *mut T) -> c_int {
    // SAFETY: `to` and `result` are writable, as this function demands.
    unsafe {
        *result = null_mut();
        match found {
            Ok(Some(value)) => {
                to.write(value);
                *result = to;
                0
            }
            Ok(None) => 0,
            Err(errno) => errno,
        }
    }
}

c_fn! {
    /// getpwuid_r(3)
    fn getpwuid_r(uid: uid_t, to: *mut passwd, buf: *mut c_char, size: size_t, result: *mut *mut passwd) -> c_int {
        let mut arena = Arena { next: buf, left: size };
        let found = find(c"/etc/passwd", |line| user(line, &mut arena, &|_, its| its == uid));
        hand_out(found, to, result)
    }

    /// getpwnam_r(3)
    fn getpwnam_r(name: *const c_char, to: *mut passwd, buf: *mut c_char, size: size_t, result: *mut *mut passwd) -> c_int {
        let name = bytes(name);
        let mut arena = Arena { next: buf, left: size };
        let found = find(c"/etc/passwd", |line| user(line, &mut arena, &|its, _| its == name));
        hand_out(found, to, result)
    }

    /// getgrgid_r(3)
    fn getgrgid_r(gid: gid_t, to: *mut group, buf: *mut c_char, size: size_t, result: *mut *mut group) -> c_int {
        let mut arena = Arena { next: buf, left: size };
        let found = find(c"/etc/group", |line| group_of(line, &mut arena, &|_, its| its == gid));
        hand_out(found, to, result)
    }

    /// getgrnam_r(3)
    fn getgrnam_r(name: *const c_char, to: *mut group, buf: *mut c_char, size: size_t, result: *mut *mut group) -> c_int {
        let name = bytes(name);
        let mut arena = Arena { next: buf, left: size };
        let found = find(c"/etc/group", |line| group_of(line, &mut arena, &|its, _| its == name));
        hand_out(found, to, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(buf: &mut [c_char]) -> Arena {
        Arena {
            next: buf.as_mut_ptr(),
            left: buf.len(),
        }
    }

    #[test]
    fn root_is_found() {
        let mut buf = [0; 512];
        let mut result = null_mut();
        // SAFETY: all bits zero are a value; places of our own.
        unsafe {
            let mut to: passwd = core::mem::zeroed();
            assert_eq!(
                getpwuid_r(0, &mut to, buf.as_mut_ptr(), buf.len(), &mut result),
                0
            );
            assert!(!result.is_null());
            assert_eq!(bytes(to.pw_name), b"root");
            assert_eq!(bytes(to.pw_dir), b"/root");
            assert_eq!(
                getpwuid_r(0, &mut to, buf.as_mut_ptr(), 8, &mut result),
                libc::ERANGE
            );
            assert!(result.is_null());
            assert_eq!(
                getpwuid_r(4_000_000, &mut to, buf.as_mut_ptr(), buf.len(), &mut result),
                0
            );
            assert!(result.is_null(), "nobody has that number");
        }
    }

    #[test]
    fn lines() {
        let mut buf = [0; 256];
        let line = b"ann:x:12:34:Ann, room 3:/home/ann:/bin/sh";
        let it = user(line, &mut arena(&mut buf), &|name, uid| {
            name == b"ann" && uid == 12
        });
        let found = it.expect("it").expect("room");
        // SAFETY: a C string in `buf`.
        assert_eq!(unsafe { bytes(found.pw_gecos) }, b"Ann, room 3");
        for bad in [
            "",
            "ann",
            "ann:x:12:34:::",
            "ann:x:12:34::::x",
            "ann:x:-1:34:::/bin/sh",
            "ann:x::34:::/bin/sh",
        ] {
            let found = user(bad.as_bytes(), &mut arena(&mut buf), &|name, _| {
                name == b"ann"
            });
            assert_eq!(found.is_some(), bad == "ann:x:12:34:::", "{bad:?}");
        }
    }

    #[test]
    fn members_of_a_group() {
        let mut buf = [0; 256];
        let found = group_of(
            b"wheel:x:10:ann,,bob",
            &mut arena(&mut buf[1..]),
            &|_, gid| gid == 10,
        );
        let found = found.expect("it").expect("room");
        // SAFETY: three pointers in `buf`.
        unsafe {
            assert_eq!(bytes(*found.gr_mem), b"ann");
            assert_eq!(bytes(*found.gr_mem.add(1)), b"bob");
            assert!((*found.gr_mem.add(2)).is_null());
        }
        for size in 0..40 {
            let _ = group_of(
                b"wheel:x:10:ann,bob",
                &mut arena(&mut buf[..size]),
                &|_, _| true,
            );
        }
    }
}
