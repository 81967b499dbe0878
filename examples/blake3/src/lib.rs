//! Computes the BLAKE3 hash, by its reference implementation.
//!
//! It uses the vector instructions of the machine that it runs on, up to AVX-512.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of slices.

/// A hash of 256 bits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Digest {
    /// The hash itself.
    pub bytes: [u8; 32],
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Digest { bytes: hash.into() }
    }
}

/// Hashes data that comes in parts.
///
/// It is an io.Writer and a hash.Hash. It is for one goroutine at a time.
pub struct Hasher(blake3::Hasher);

/// Gives the hash of the data.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn sum256(data: &[u8]) -> Digest {
    blake3::hash(data).into()
}

/// Gives the keyed hash of the data: a message authentication code.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn keyed_sum256(key: &[u8; 32], data: &[u8]) -> Digest {
    blake3::keyed_hash(key, data).into()
}

/// Derives a key from key material.
///
/// The context should be a fixed text that no other program uses, such as `example.com 2026-11-22 session tokens v1`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn derive_key(context: &str, material: &[u8]) -> Digest {
    Digest {
        bytes: blake3::derive_key(context, material),
    }
}

/// Makes a hasher.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_new() -> Box<Hasher> {
    Box::new(Hasher(blake3::Hasher::new()))
}

/// Makes a hasher for the keyed hash.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_new_keyed(key: &[u8; 32]) -> Box<Hasher> {
    Box::new(Hasher(blake3::Hasher::new_keyed(key)))
}

/// Gives the memory of a hasher back.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_free(hasher: Option<Box<Hasher>>) {
    drop(hasher);
}

/// Adds data.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_update(hasher: &mut Hasher, data: &[u8]) {
    hasher.0.update(data);
}

/// Gives the hash of all data so far. More may be added after that.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_digest(hasher: &Hasher) -> Digest {
    hasher.0.finalize().into()
}

/// Fills `out` with a part of the hash's output, which has no end; the part begins at `offset`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_extend(hasher: &Hasher, offset: u64, out: &mut [u8]) {
    let mut reader = hasher.0.finalize_xof();
    reader.set_position(offset);
    reader.fill(out);
}

/// Forgets all data.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn hasher_reset(hasher: &mut Hasher) {
    hasher.0.reset();
}
