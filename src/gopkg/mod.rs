//! The Go side of the package.
