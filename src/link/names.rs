//! Names as people read them.

/// The demangled form of a symbol, without the hash; other names as they are.
pub fn demangle(symbol: &str) -> String {
    // LLVM appends ".llvm.NNN" to names that it made global; rustc-demangle knows the suffix.
    match rustc_demangle::try_demangle(symbol) {
        Ok(name) => format!("{name:#}"),
        Err(_) => symbol.to_owned(),
    }
}
