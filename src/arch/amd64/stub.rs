//! Go assembly.
use crate::arch::Stub;

pub(super) fn print(_stub: &Stub<'_>) -> String {
    String::new()
}
