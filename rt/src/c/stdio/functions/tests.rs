use super::*;
use std::ffi::CString;

#[test]
fn a_file_is_written_read_and_sought() {
    let path = std::env::temp_dir().join(format!("rsyso-stdio-{}", std::process::id()));
    let name = CString::new(path.to_str().expect("utf-8")).expect("no NUL");
    // SAFETY: an open stream; C strings.
    unsafe {
        let file = fopen(name.as_ptr(), c"w+e".as_ptr());
        assert!(!file.is_null());
        for _ in 0..3000 {
            assert_eq!(fputs(c"0123456789\n".as_ptr(), file), 0);
        }
        assert_eq!(ftell(file), 33_000);
        assert_eq!(fseek(file, 11, libc::SEEK_SET), 0);
        let mut line = [0; 64];
        assert!(!fgets(line.as_mut_ptr(), 64, file).is_null());
        assert_eq!(bytes(line.as_ptr()), b"0123456789\n");
        assert_eq!(ftell(file), 22);
        assert_eq!(fgetc(file), i32::from(b'0'));
        assert_eq!(ungetc(i32::from(b'#'), file), i32::from(b'#'));
        assert_eq!(fgetc(file), i32::from(b'#'));
        // Writing after reading goes to where the program stands.
        assert_eq!(fputc(i32::from(b'!'), file), i32::from(b'!'));
        assert_eq!(fseek(file, 0, libc::SEEK_END), 0);
        assert_eq!(fwrite(b"tail".as_ptr().cast(), 2, 2, file), 2);
        rewind(file);
        let mut all = vec![0u8; 40_000];
        assert_eq!(fread(all.as_mut_ptr().cast(), 1, all.len(), file), 33_004);
        assert_eq!(&all[20..28], b"9\n0!2345");
        assert_eq!((feof(file), ferror(file)), (1, 0));
        assert_eq!(fclose(file), 0);
    }
    assert_eq!(std::fs::read(&path).expect("read")[33_000..], *b"tail");
    std::fs::remove_file(path).expect("clean up");
}

#[test]
fn modes() {
    assert_eq!(parse_mode(b"r"), Some((true, false, libc::O_RDONLY)));
    assert_eq!(parse_mode(b"rb+"), Some((true, true, libc::O_RDWR)));
    assert_eq!(
        parse_mode(b"ax"),
        Some((
            false,
            true,
            libc::O_CREAT | libc::O_APPEND | libc::O_WRONLY | libc::O_EXCL
        ))
    );
    assert_eq!(parse_mode(b"q"), None);
    assert_eq!(parse_mode(b""), None);
}

#[test]
fn lines_grow_the_callers_block() {
    let mut pipe = [0; 2];
    let long = "x".repeat(5000);
    // SAFETY: an open stream over a pipe of our own; a block of the heap.
    unsafe {
        assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
        super::super::write_all(pipe[1], format!("a\n{long}\nlast").as_bytes()).expect("written");
        libc::close(pipe[1]);
        let file = fdopen(pipe[0], c"r".as_ptr());
        let (mut line, mut size) = (null_mut(), 0);
        assert_eq!(getline(&mut line, &mut size, file), 2);
        assert_eq!(getline(&mut line, &mut size, file), 5001);
        assert_eq!(getline(&mut line, &mut size, file), 4);
        assert_eq!(bytes(line), b"last");
        assert_eq!(getline(&mut line, &mut size, file), -1);
        assert_eq!(fputc(0, file), EOF, "not open for writing");
        assert_eq!(ferror(file), 1);
        libc::free(line.cast());
        assert_eq!(fclose(file), 0);
    }
}
