//! Go's ABI0 to System V AMD64.
use crate::arch::Code;
use crate::goabi::Frame;
use crate::model::{Api, Function};

pub(super) fn emit(_api: &Api, _function: &Function, _frame: &Frame) -> Result<Code, String> {
    Err("to be written".into())
}
