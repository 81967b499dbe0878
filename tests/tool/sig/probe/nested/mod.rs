//! A module in a folder.
pub mod deep;
