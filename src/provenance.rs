//! The header at the start of an image.
