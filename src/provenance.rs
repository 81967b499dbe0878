//! The header at the start of every image: what made it, from what, and the hash that proves it unharmed.
//!
//! [`crate::verify`] finds it again in a linked program by its magic number. All numbers are little endian:
//!
//! ```text
//!   0  magic[16]
//!  16  format u32, header size u32
//!  24  image size u64, fixed size u64
//!  40  SHA-256 of what is kept of the inputs, and of the runtime
//!  72  SHA-256 of the fixed part, computed with this field as zeros
//! 104  rsyso's version [40], rustc's version [104], package [224]: UTF-8, padded with zeros
//! 472  SHA-256 of the writable part, as it is in the file
//! 504  the list of what is inside (crate::crates): its offset u32, its size u32; zeros when the image has none
//! ```

use std::fmt;
use std::ops::Range;

use crate::base::diag::{Error, Problem};
use memchr::memmem;
use sha2::{Digest, Sha256};

/// Bytes of the header.
pub const HEADER_SIZE: usize = 512;

/// The format that this version writes and reads.
pub const FORMAT: u32 = 3;

const FORMAT_AT: usize = 16;
const HEADER_SIZE_AT: usize = 20;
const IMAGE_SIZE_AT: usize = 24;
const FIXED_SIZE_AT: usize = 32;
const INPUTS_AT: usize = 40;
const FIXED_HASH_AT: usize = 72;
const RSYSO_AT: usize = 104;
const RUSTC_AT: usize = 144;
const PACKAGE_AT: usize = 248;
const WRITABLE_HASH_AT: usize = 472;
const CRATES_AT: usize = 504;
const CRATES_SIZE_AT: usize = 508;

/// A SHA-256 sum.
pub type Sum = [u8; 32];

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the header's layout; [`FORMAT`].
    pub format: u32,
    /// Bytes of the whole image.
    pub image_size: u64,
    /// Bytes of header, code and read-only data. The writable part begins here, page-aligned, and reaches to the end of the image.
    pub fixed_size: u64,
    /// Version of rsyso that made the image.
    pub rsyso: String,
    /// Version of the compiler that made the library; empty when unknown.
    pub rustc: String,
    /// Over what is kept of the inputs, and the runtime: images of two runtimes never have the same names of wrappers.
    pub inputs_sha256: Sum,
    /// Over the fixed part, with this field as zeros.
    pub fixed_sha256: Sum,
    /// Over the writable part, as it is before the program runs.
    pub writable_sha256: Sum,
    /// Import path of the Go package, or its name when the path is unknown.
    pub package: String,
    /// Where the list of what is inside lies, in the fixed part ([`crate::crates`]). Empty when there is none.
    pub crates: Range<u32>,
}

/// Why bytes are no header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Too few bytes for a header, or for the image that it describes.
    Short,
    /// The magic number is missing.
    Magic,
    /// A format that this version does not know.
    Format(u32),
    /// The field named makes no sense.
    Field(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Short => write!(f, "the image is cut short"),
            Malformed::Magic => write!(f, "no image header"),
            Malformed::Format(n) => {
                write!(
                    f,
                    "image header of format {n}; this rsyso knows format {FORMAT}"
                )
            }
            Malformed::Field(name) => write!(f, "malformed image header: {name}"),
        }
    }
}

impl std::error::Error for Malformed {}

/// The magic number. It is put together at run time, so that the tool's own binary does not look as if it held an image.
fn magic() -> [u8; 16] {
    const MASKED: [u8; 16] = [
        0x25, 0x8d, 0x8c, 0x86, 0x8c, 0x90, 0xdf, 0x96, 0x92, 0x9e, 0x98, 0x9a, 0xf2, 0xf5, 0xe5,
        0xff,
    ];
    std::hint::black_box(MASKED).map(|b| !b)
}

/// Writes `header` over the first [`HEADER_SIZE`] bytes of `image`, which is complete but for it, and returns the hash of the fixed part
/// as written. The sums in `header`, but for that of the inputs, are not read. Strings that are too long are cut at a character's boundary.
pub fn write(header: &Header, image: &mut [u8]) -> Result<Sum, Malformed> {
    check_sizes(header.image_size, header.fixed_size)?;
    if header.image_size != image.len() as u64 {
        return Err(Malformed::Field("image size"));
    }
    let writable = hash_writable(header, image)?;
    let out = image.get_mut(..HEADER_SIZE).ok_or(Malformed::Short)?;
    out.fill(0);
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &magic());
    put(FORMAT_AT, &header.format.to_le_bytes());
    put(HEADER_SIZE_AT, &(HEADER_SIZE as u32).to_le_bytes());
    put(IMAGE_SIZE_AT, &header.image_size.to_le_bytes());
    put(FIXED_SIZE_AT, &header.fixed_size.to_le_bytes());
    put(INPUTS_AT, &header.inputs_sha256);
    put(RSYSO_AT, cut(&header.rsyso, RUSTC_AT - RSYSO_AT));
    put(RUSTC_AT, cut(&header.rustc, PACKAGE_AT - RUSTC_AT));
    put(
        PACKAGE_AT,
        cut(&header.package, WRITABLE_HASH_AT - PACKAGE_AT),
    );
    put(WRITABLE_HASH_AT, &writable);
    put(CRATES_AT, &header.crates.start.to_le_bytes());
    put(CRATES_SIZE_AT, &(header.crates.len() as u32).to_le_bytes());
    let sum = hash(header, image)?;
    image[FIXED_HASH_AT..FIXED_HASH_AT + sum.len()].copy_from_slice(&sum);
    Ok(sum)
}

impl From<Malformed> for Error {
    fn from(e: Malformed) -> Error {
        Error::fault(Problem::new(format!(
            "cannot write the header of the image: {e}"
        )))
    }
}

/// Reads the header at the start of `data`. Whether the rest of the image is there is not its question: see [`hash`].
pub fn read(data: &[u8]) -> Result<Header, Malformed> {
    let data = data.get(..HEADER_SIZE).ok_or(Malformed::Short)?;
    if data[..FORMAT_AT] != magic() {
        return Err(Malformed::Magic);
    }
    let format = u32::from_le_bytes(array(data, FORMAT_AT)?);
    if format != FORMAT {
        return Err(Malformed::Format(format));
    }
    if u32::from_le_bytes(array(data, HEADER_SIZE_AT)?) as usize != HEADER_SIZE {
        return Err(Malformed::Field("header size"));
    }
    let image_size = u64::from_le_bytes(array(data, IMAGE_SIZE_AT)?);
    let fixed_size = u64::from_le_bytes(array(data, FIXED_SIZE_AT)?);
    check_sizes(image_size, fixed_size)?;
    let crates = u32::from_le_bytes(array(data, CRATES_AT)?);
    let end = crates.checked_add(u32::from_le_bytes(array(data, CRATES_SIZE_AT)?));
    let end = end.filter(|end| u64::from(*end) <= fixed_size);
    let crates = crates..end.ok_or(Malformed::Field("list of crates"))?;
    Ok(Header {
        format,
        image_size,
        fixed_size,
        rsyso: text(&data[RSYSO_AT..RUSTC_AT], "version of rsyso")?,
        rustc: text(&data[RUSTC_AT..PACKAGE_AT], "version of rustc")?,
        inputs_sha256: array(data, INPUTS_AT)?,
        fixed_sha256: array(data, FIXED_HASH_AT)?,
        writable_sha256: array(data, WRITABLE_HASH_AT)?,
        package: text(&data[PACKAGE_AT..WRITABLE_HASH_AT], "package")?,
        crates,
    })
}

/// Every place in `file` that begins with the magic number, and what stands there.
pub fn find(file: &[u8]) -> Vec<(usize, Result<Header, Malformed>)> {
    memmem::find_iter(file, &magic())
        .map(|at| (at, read(&file[at..])))
        .collect()
}

/// The hash of the fixed part of the image that begins at the start of `data`, with the hash's own field as zeros.
pub fn hash(header: &Header, data: &[u8]) -> Result<Sum, Malformed> {
    let fixed = usize::try_from(header.fixed_size)
        .ok()
        .and_then(|n| data.get(..n))
        .ok_or(Malformed::Short)?;
    let (before, rest) = fixed
        .split_at_checked(FIXED_HASH_AT)
        .ok_or(Malformed::Short)?;
    let (field, after) = rest
        .split_at_checked(size_of::<Sum>())
        .ok_or(Malformed::Short)?;
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(vec![0; field.len()]);
    sha.update(after);
    Ok(sha.finalize().into())
}

/// The hash of the writable part of the image that begins at the start of `data`.
pub fn hash_writable(header: &Header, data: &[u8]) -> Result<Sum, Malformed> {
    let at = |n: u64| usize::try_from(n).ok();
    let (start, end) = (at(header.fixed_size), at(header.image_size));
    let writable = start.zip(end).and_then(|(start, end)| data.get(start..end));
    Ok(Sha256::digest(writable.ok_or(Malformed::Short)?).into())
}

/// The list of what is inside the image that begins at the start of `data`; None when it has none, or is cut short.
pub fn crates<'d>(header: &Header, data: &'d [u8]) -> Option<&'d [u8]> {
    let list = data.get(header.crates.start as usize..header.crates.end as usize)?;
    (!list.is_empty()).then_some(list)
}

/// Hexadecimal digits of a sum.
pub fn hex(sum: &Sum) -> String {
    sum.iter().map(|b| format!("{b:02x}")).collect()
}

fn check_sizes(image: u64, fixed: u64) -> Result<(), Malformed> {
    if fixed < HEADER_SIZE as u64 {
        return Err(Malformed::Field("fixed size"));
    }
    if image < fixed {
        return Err(Malformed::Field("image size"));
    }
    Ok(())
}

/// The bytes of `s` up to `limit`, of which the last stays zero, cut at a character's boundary.
fn cut(s: &str, limit: usize) -> &[u8] {
    &s.as_bytes()[..s.floor_char_boundary(limit - 1)]
}

/// A string padded with zeros.
fn text(field: &[u8], name: &'static str) -> Result<String, Malformed> {
    let len = field
        .iter()
        .position(|&b| b == 0)
        .ok_or(Malformed::Field(name))?;
    let (s, pad) = field.split_at(len);
    if pad.iter().any(|&b| b != 0) {
        return Err(Malformed::Field(name));
    }
    String::from_utf8(s.to_vec()).map_err(|_| Malformed::Field(name))
}

fn array<const N: usize>(data: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    at.checked_add(N)
        .and_then(|end| data.get(at..end))
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Malformed::Short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            format: FORMAT,
            image_size: 3 * 4096,
            fixed_size: 2 * 4096,
            rsyso: "0.1.0".into(),
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
            inputs_sha256: [7; 32],
            fixed_sha256: [0; 32],
            writable_sha256: [0; 32],
            package: "example.com/text".into(),
            crates: 5000..5100,
        }
    }

    fn image(h: &Header) -> Vec<u8> {
        let mut image: Vec<u8> = (0..h.image_size).map(|i| (i * 31) as u8).collect();
        write(h, &mut image).expect("a good header");
        image
    }

    #[test]
    fn reads_what_it_wrote() {
        let image = image(&header());
        let mut got = read(&image).unwrap();
        assert_eq!(hash(&got, &image).unwrap(), got.fixed_sha256);
        assert_ne!(got.fixed_sha256, [0; 32]);
        assert_eq!(hash_writable(&got, &image).unwrap(), got.writable_sha256);
        assert_ne!(got.writable_sha256, [0; 32]);
        (got.fixed_sha256, got.writable_sha256) = ([0; 32], [0; 32]);
        assert_eq!(got, header());
        assert_eq!(crates(&got, &image), Some(&image[5000..5100]));
        got.crates = 0..0;
        assert_eq!(crates(&got, &image), None);
    }

    #[test]
    fn every_byte_counts_for_one_of_the_two_hashes() {
        let image = image(&header());
        let intact = |image: &[u8]| {
            let h = read(image).ok()?;
            let fixed = hash(&h, image).ok()? == h.fixed_sha256;
            let writable = hash_writable(&h, image).ok()? == h.writable_sha256;
            Some((fixed, writable))
        };
        let with = |at: usize| {
            let mut bad = image.clone();
            bad[at] ^= 0x10;
            intact(&bad)
        };
        assert_eq!(intact(&image), Some((true, true)));
        for at in 0..HEADER_SIZE {
            assert_ne!(with(at).map(|found| found.0), Some(true), "byte {at}");
        }
        for at in [HEADER_SIZE, 4096, 8191] {
            assert_eq!(with(at), Some((false, true)), "byte {at}");
        }
        for at in [8192, 12287] {
            assert_eq!(with(at), Some((true, false)), "byte {at}");
        }
        let h = read(&image).unwrap();
        assert_eq!(hash_writable(&h, &image[..12287]), Err(Malformed::Short));
    }

    #[test]
    fn finds_images_anywhere() {
        let image = image(&header());
        let mut file = vec![0u8; 77];
        file.extend(&image);
        file.extend(magic());
        let found = find(&file);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (77, read(&image)));
        assert_eq!(found[1], (77 + image.len(), Err(Malformed::Short)));
        assert!(find(b"no image").is_empty());
    }

    #[test]
    fn long_strings_are_cut_at_a_character() {
        let mut h = header();
        h.package = "ä".repeat(200);
        h.rsyso = "1".repeat(1000);
        let got = read(&image(&h)).unwrap();
        assert_eq!(got.package, "ä".repeat(111));
        assert_eq!(got.rsyso, "1".repeat(39));
    }

    #[test]
    fn malformed_headers_are_named() {
        let good = image(&header());
        let with = |at: usize, bytes: &[u8]| {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            read(&bad).unwrap_err()
        };
        assert_eq!(read(&good[..511]), Err(Malformed::Short));
        assert_eq!(with(3, b"x"), Malformed::Magic);
        assert_eq!(with(FORMAT_AT, &9u32.to_le_bytes()), Malformed::Format(9));
        assert_eq!(with(HEADER_SIZE_AT, b"x"), Malformed::Field("header size"));
        assert_eq!(
            with(FIXED_SIZE_AT, &511u64.to_le_bytes()),
            Malformed::Field("fixed size")
        );
        assert_eq!(
            with(FIXED_SIZE_AT, &u64::MAX.to_le_bytes()),
            Malformed::Field("image size")
        );
        assert_eq!(
            with(RSYSO_AT, &[0xff]),
            Malformed::Field("version of rsyso")
        );
        assert_eq!(with(PACKAGE_AT, &[b'x'; 224]), Malformed::Field("package"));
        assert_eq!(with(PACKAGE_AT + 220, b"x"), Malformed::Field("package"));
        assert_eq!(with(511, b"x"), Malformed::Field("list of crates"));
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused_before_anything_is_written() {
        let mut h = header();
        let mut image = vec![1u8; 100];
        assert_eq!(write(&h, &mut image), Err(Malformed::Field("image size")));
        h.image_size = 100;
        h.fixed_size = 50;
        assert_eq!(write(&h, &mut image), Err(Malformed::Field("fixed size")));
        assert!(image.iter().all(|&b| b == 1));
    }

    #[test]
    fn the_magic_number_is_not_in_this_program() {
        let exe = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(find(&exe).is_empty());
    }
}
