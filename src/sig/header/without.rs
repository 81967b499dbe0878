//! The parser's stand-in where the feature `header` is off: it refuses every header.

use super::decl::Declarations;
use super::preprocess::Clean;
use crate::base::diag::Problem;
use crate::base::options::no_headers;

/// Refuses a header.
pub fn parse(_: &Clean, _: &mut Declarations) -> Vec<Problem> {
    vec![no_headers()]
}
