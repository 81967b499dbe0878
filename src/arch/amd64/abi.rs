//! The System V calling convention (psABI 3.2.3). Owner: wrappers.
