//! The C names that Rust's std and common C code ask for, one family per file.
