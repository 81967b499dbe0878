//! The parser's stand-in where the feature `header` is off: it refuses every header.

use super::decl::Declarations;
use super::preprocess::Clean;
use crate::base::diag::Problem;

/// Refuses a header.
pub fn parse(_: &Clean, _: &mut Declarations) -> Vec<Problem> {
    let problem =
        Problem::new("C headers cannot be read: this rsyso was built without its feature `header`");
    vec![problem.help("turn the feature on; to build it takes a C compiler")]
}
