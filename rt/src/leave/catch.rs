//! Where exceptions end: personalities (Itanium C++ ABI: Exception Handling, 1.6.2).

use core::ffi::c_int;

use unwinding::abi::*;

use crate::arch::calls::called;
use crate::arch::catch::{EXCEPTION_REGISTER, caught_pad, landing_pad};

/// The personality of the wrappers: every exception that arrives there is for Go.
///
/// # Safety
/// Called by the unwinder (Itanium C++ ABI: Exception Handling, 1.6.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_personality(
    _version: c_int,
    actions: UnwindAction,
    _class: u64,
    exception: *mut UnwindException,
    context: &mut UnwindContext<'_>,
) -> UnwindReasonCode {
    end_at(
        actions,
        exception,
        context,
        landing_pad as *const () as usize,
    )
}

called! {
    /// The personality of [`catching`](crate::arch::catch::catching): every exception ends there.
    fn rsyso_catching_personality(
        _version: c_int,
        actions: UnwindAction,
        _class: u64,
        exception: *mut UnwindException,
        context: &mut UnwindContext<'_>,
    ) -> UnwindReasonCode {
        end_at(
            actions,
            exception,
            context,
            caught_pad as *const () as usize,
        )
    }
}

/// An exception goes on at a landing pad, whatever it is.
fn end_at(
    actions: UnwindAction,
    exception: *mut UnwindException,
    context: &mut UnwindContext<'_>,
    pad: usize,
) -> UnwindReasonCode {
    if actions.contains(UnwindAction::SEARCH_PHASE) {
        return UnwindReasonCode::HANDLER_FOUND;
    }
    if !actions.contains(UnwindAction::HANDLER_FRAME) {
        return UnwindReasonCode::CONTINUE_UNWIND;
    }
    _Unwind_SetGR(context, EXCEPTION_REGISTER, exception as usize);
    _Unwind_SetIP(context, pad);
    UnwindReasonCode::INSTALL_CONTEXT
}
