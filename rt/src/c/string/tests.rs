use super::*;
use core::ptr::null_mut;

/// A place as an offset from the start.
fn at(start: *const c_char, found: *mut c_char) -> Option<usize> {
    (!found.is_null()).then(|| found as usize - start as usize)
}

#[test]
fn comparisons_are_of_unsigned_bytes() {
    // SAFETY: C strings throughout.
    unsafe {
        assert!(strcmp(c"a\xff".as_ptr(), c"a\x01".as_ptr()) > 0);
        assert!(strcmp(c"a".as_ptr(), c"ab".as_ptr()) < 0);
        assert_eq!(strncmp(c"abc".as_ptr(), c"abd".as_ptr(), 2), 0);
        assert_eq!(strncmp(c"ab".as_ptr(), c"ab".as_ptr(), 100), 0);
        assert_eq!(strcasecmp(c"HeLLo".as_ptr(), c"hEllO".as_ptr()), 0);
        assert!(strncasecmp(c"Ab".as_ptr(), c"aC".as_ptr(), 2) < 0);
    }
}

#[test]
fn searches() {
    let s = c"hello, world";
    let p = s.as_ptr();
    // SAFETY: C strings throughout.
    unsafe {
        assert_eq!(at(p, strchr(p, i32::from(b'o'))), Some(4));
        assert_eq!(
            at(p, strchr(p, 0)),
            Some(12),
            "the terminator is part of the string"
        );
        assert_eq!(at(p, strrchr(p, i32::from(b'o'))), Some(8));
        assert_eq!(at(p, strchr(p, i32::from(b'z'))), None);
        assert_eq!(at(p, strchrnul(p, i32::from(b'z'))), Some(12));
        assert_eq!(at(p, strstr(p, c"wor".as_ptr())), Some(7));
        assert_eq!(at(p, strstr(p, c"".as_ptr())), Some(0));
        assert_eq!(strspn(p, c"ehl".as_ptr()), 4);
        assert_eq!(strcspn(p, c", ".as_ptr()), 5);
        assert_eq!(at(p, strpbrk(p, c"ow".as_ptr())), Some(4));
        assert_eq!(at(p, strpbrk(p, c"xyz".as_ptr())), None);
        assert_eq!(strnlen(p, 5), 5);
        assert_eq!(strnlen(p, 50), 12);
    }
}

#[test]
fn copies() {
    let mut buf = [b'x' as c_char; 8];
    let p = buf.as_mut_ptr();
    // SAFETY: everything fits into the eight bytes.
    unsafe {
        strncpy(p, c"abcdefghijk".as_ptr(), 4);
        assert_eq!(buf.map(|c| c as u8), *b"abcdxxxx");
        strncpy(p, c"q".as_ptr(), 4);
        assert_eq!(buf.map(|c| c as u8), *b"q\0\0\0xxxx");
        strcat(p, c"rs".as_ptr());
        strncat(p, c"tuvw".as_ptr(), 2);
        assert_eq!(buf.map(|c| c as u8), *b"qrstu\0xx");
        assert_eq!(at(p, stpcpy(p, c"yz".as_ptr())), Some(2));
    }
}

#[test]
fn strtok_skips_empty_fields_and_strsep_does_not() {
    let mut text = *b",,a,,b,\0";
    let mut state = null_mut();
    let mut tokens = Vec::new();
    // SAFETY: a C string of our own.
    unsafe {
        let mut token = strtok_r(text.as_mut_ptr().cast(), c",".as_ptr(), &mut state);
        while !token.is_null() {
            tokens.push(bytes(token).to_vec());
            token = strtok_r(null_mut(), c",".as_ptr(), &mut state);
        }
    }
    assert_eq!(tokens, [b"a".to_vec(), b"b".to_vec()]);

    let mut text = *b"a,,b\0";
    let mut state: *mut c_char = text.as_mut_ptr().cast();
    let mut fields = Vec::new();
    // SAFETY: a C string of our own.
    unsafe {
        while !state.is_null() {
            fields.push(bytes(strsep(&mut state, c",".as_ptr())).to_vec());
        }
    }
    assert_eq!(fields, [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
}
