//! Cuts texts into the tokens of OpenAI's models, and counts them, by the tiktoken-rs crate.
//!
//! The vocabularies are inside: nothing is downloaded. Texts must be valid UTF-8.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of `&str`.

use rsyso_ffi::{FfiResult, OwnedBytes, OwnedSlice, OwnedString};
use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// A tokenizer: it cuts a text into the tokens that a model counts.
///
/// It may be used by several goroutines at once. All encodings of one name share their tables, which are read on first use.
pub struct Encoding(&'static CoreBPE);

fn named(name: &str) -> Result<&'static CoreBPE, String> {
    Ok(match name {
        "o200k_base" => tiktoken_rs::o200k_base_singleton(),
        "o200k_harmony" => tiktoken_rs::o200k_harmony_singleton(),
        "cl100k_base" => tiktoken_rs::cl100k_base_singleton(),
        "p50k_base" => tiktoken_rs::p50k_base_singleton(),
        "p50k_edit" => tiktoken_rs::p50k_edit_singleton(),
        "r50k_base" | "gpt2" => tiktoken_rs::r50k_base_singleton(),
        _ => return Err(format!("there is no encoding {name:?}")),
    })
}

fn of_model(model: &str) -> Result<&'static str, String> {
    Ok(match get_tokenizer(model) {
        Some(Tokenizer::O200kHarmony) => "o200k_harmony",
        Some(Tokenizer::O200kBase) => "o200k_base",
        Some(Tokenizer::Cl100kBase) => "cl100k_base",
        Some(Tokenizer::P50kBase) => "p50k_base",
        Some(Tokenizer::R50kBase) => "r50k_base",
        Some(Tokenizer::P50kEdit) => "p50k_edit",
        Some(Tokenizer::Gpt2) => "gpt2",
        None => return Err(format!("no encoding is known for the model {model:?}")),
    })
}

/// Gives an encoding by its name: `o200k_base`, `o200k_harmony`, `cl100k_base`, `p50k_base`, `p50k_edit`, `r50k_base` or `gpt2`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_new(name: &str) -> FfiResult<Box<Encoding>> {
    named(name).map(|table| Box::new(Encoding(table))).into()
}

/// Gives the encoding that a model uses, such as `gpt-4o`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_new_for_model(model: &str) -> FfiResult<Box<Encoding>> {
    let table = of_model(model).and_then(named);
    table.map(|table| Box::new(Encoding(table))).into()
}

/// Gives the memory of an encoding back; its tables are kept.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_free(encoding: Option<Box<Encoding>>) {
    drop(encoding);
}

/// Cuts a text into tokens. The names of special tokens, such as `<|endoftext|>`, are text like any other.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_encode(encoding: &Encoding, text: &str) -> OwnedSlice<u32> {
    encoding.0.encode_ordinary(text).into()
}

/// Cuts a text into tokens, special ones included: `<|endoftext|>` becomes one token. Not for text that strangers wrote.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_encode_special(
    encoding: &Encoding,
    text: &str,
) -> OwnedSlice<u32> {
    encoding.0.encode_with_special_tokens(text).into()
}

/// Counts the tokens that `Encode` would give.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_count(encoding: &Encoding, text: &str) -> usize {
    encoding.0.count_ordinary(text)
}

/// Gives the text of tokens. It is an error if there is no such token, or if the tokens end within a character.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_decode(
    encoding: &Encoding,
    tokens: &[u32],
) -> FfiResult<OwnedString> {
    encoding.0.decode(tokens).into()
}

/// Gives the bytes of tokens: parts of a text that may end within a character.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_decode_bytes(
    encoding: &Encoding,
    tokens: &[u32],
) -> FfiResult<OwnedBytes> {
    let bytes = encoding.0.decode_bytes(tokens);
    bytes.map_err(|error| error.to_string()).into()
}

/// Gives the name of the encoding that a model uses.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn encoding_name_for_model(model: &str) -> FfiResult<OwnedString> {
    of_model(model).into()
}
