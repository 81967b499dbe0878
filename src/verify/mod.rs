//! The second opinion on what was written.
