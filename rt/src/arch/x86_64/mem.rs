//! Memory functions.
