//! Results that may be errors.

use alloc::format;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};

use crate::owned::OwnedString;

/// A `Result` that can cross to Go: a value, or the text of an error. In Go it is `(T, error)`, or `error` alone for `FfiResult<()>`.
///
/// It is made from any `Result` whose value converts into `T` and whose error can be displayed:
///
/// ```
/// use rsyso_ffi::{FfiResult, OwnedBytes};
///
/// #[no_mangle]
/// pub extern "C" fn unhex(text: &str) -> FfiResult<OwnedBytes> {
///     let byte = |at| u8::from_str_radix(text.get(at..at + 2).unwrap_or(""), 16);
///     (0..text.len()).step_by(2).map(byte).collect::<Result<Vec<u8>, _>>().into()
/// }
/// assert_eq!(*unhex("0aff").into_result().unwrap(), [10, 255]);
/// assert_eq!(&*unhex("0g").into_result().unwrap_err(), "invalid digit found in string");
/// ```
///
/// What is lent stays away from here: write an [`OwnedString`] where you would write a `&str`.
#[repr(C)]
pub struct FfiResult<T> {
    /// Set if there is no error; else all zeros, so that Go's collector finds no stale pointer in it.
    value: MaybeUninit<T>,
    /// The text of the error. An error has memory here even if its text is empty.
    error: OwnedString,
}

impl<T> FfiResult<T> {
    /// The `Result` again.
    pub fn into_result(self) -> Result<T, OwnedString> {
        let mut this = ManuallyDrop::new(self);
        let error = core::mem::take(&mut this.error);
        match error.is_some() {
            true => Err(error),
            // SAFETY: without an error the value is set, and `this` is neither used nor dropped after this.
            false => Ok(unsafe { this.value.assume_init_read() }),
        }
    }

    /// The value, if there is no error.
    pub fn ok(&self) -> Option<&T> {
        // SAFETY: without an error the value is set.
        (!self.error.is_some()).then(|| unsafe { self.value.assume_init_ref() })
    }

    /// The text of the error, if there is one.
    pub fn err(&self) -> Option<&str> {
        self.error.is_some().then_some(&*self.error)
    }
}

impl<T, U, E> From<Result<U, E>> for FfiResult<T>
where
    U: Into<T>,
    E: fmt::Display,
{
    fn from(result: Result<U, E>) -> Self {
        match result {
            Ok(value) => FfiResult {
                value: MaybeUninit::new(value.into()),
                error: OwnedString::none(),
            },
            Err(error) => FfiResult {
                value: MaybeUninit::zeroed(),
                error: OwnedString::some(format!("{error:#}")),
            },
        }
    }
}

impl<T> Drop for FfiResult<T> {
    fn drop(&mut self) {
        if !self.error.is_some() {
            // SAFETY: without an error the value is set, and nothing uses it after this.
            unsafe { self.value.assume_init_drop() }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for FfiResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ok(), self.err()) {
            (Some(value), _) => f.debug_tuple("Ok").field(value).finish(),
            (None, error) => f.debug_tuple("Err").field(&error.unwrap_or("")).finish(),
        }
    }
}

/// A `Result` without a value, in the one form that cbindgen can write down: it leaves `()` out of `FfiResult<()>`. In Go it is `error`.
///
/// ```
/// use rsyso_ffi::FfiStatus;
///
/// #[no_mangle]
/// pub extern "C" fn check(percent: u8) -> FfiStatus {
///     if percent <= 100 { Ok(()) } else { Err(format!("{percent} % is too much")) }.into()
/// }
/// assert!(check(100).into_result().is_ok());
/// assert_eq!(check(101).err(), Some("101 % is too much"));
/// ```
#[repr(C)]
pub struct FfiStatus {
    error: OwnedString,
}

impl FfiStatus {
    /// The `Result` again.
    pub fn into_result(self) -> Result<(), OwnedString> {
        match self.error.is_some() {
            true => Err(self.error),
            false => Ok(()),
        }
    }

    /// The text of the error, if there is one.
    pub fn err(&self) -> Option<&str> {
        self.error.is_some().then_some(&*self.error)
    }
}

impl<E: fmt::Display> From<Result<(), E>> for FfiStatus {
    fn from(result: Result<(), E>) -> Self {
        let error = match result {
            Ok(()) => OwnedString::none(),
            Err(error) => OwnedString::some(format!("{error:#}")),
        };
        FfiStatus { error }
    }
}

impl fmt::Debug for FfiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.err() {
            None => f.write_str("Ok(())"),
            Some(error) => f.debug_tuple("Err").field(&error).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OwnedBytes;
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use alloc::string::String;
    use alloc::vec;

    #[test]
    fn values_and_errors_come_back() {
        let good = FfiResult::<u32>::from(Ok::<u32, String>(7));
        assert_eq!(
            (good.ok(), good.err(), format!("{good:?}")),
            (Some(&7), None, "Ok(7)".into())
        );
        assert_eq!(good.into_result().unwrap(), 7);
        let bad = FfiResult::<u32>::from(Err::<u32, _>("no"));
        assert_eq!((bad.ok(), bad.err()), (None, Some("no")));
        assert_eq!(format!("{bad:?}"), "Err(\"no\")");
        assert_eq!(&*bad.into_result().unwrap_err(), "no");
    }

    #[test]
    fn an_error_without_a_text_is_one() {
        let bad = FfiResult::<()>::from(Err::<(), _>(""));
        assert_eq!(bad.err(), Some(""));
        assert!(bad.into_result().is_err());
        assert!(FfiResult::<()>::from(Ok::<(), String>(()))
            .into_result()
            .is_ok());
    }

    #[test]
    fn a_status_is_a_result_without_a_value() {
        let good = FfiStatus::from(Ok::<(), String>(()));
        assert_eq!((good.err(), format!("{good:?}")), (None, "Ok(())".into()));
        assert!(good.into_result().is_ok());
        let bad = FfiStatus::from(Err("no"));
        assert_eq!(
            (bad.err(), format!("{bad:?}")),
            (Some("no"), "Err(\"no\")".into())
        );
        assert_eq!(&*bad.into_result().unwrap_err(), "no");
        assert!(FfiStatus::from(Err("")).into_result().is_err());
    }

    #[test]
    fn values_are_converted() {
        let bytes: FfiResult<OwnedBytes> = Ok::<_, String>(vec![1, 2]).into();
        assert_eq!(*bytes.into_result().unwrap(), [1, 2]);
        let text: FfiResult<OwnedString> = Ok::<_, String>("a").into();
        assert_eq!(&*text.into_result().unwrap(), "a");
    }

    #[test]
    fn the_text_is_in_the_alternate_form() {
        struct Chain;
        impl fmt::Display for Chain {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() {
                    "outer: inner"
                } else {
                    "outer"
                })
            }
        }
        let bad = FfiResult::<()>::from(Err::<(), _>(Chain));
        assert_eq!(bad.err(), Some("outer: inner"));
    }

    #[test]
    fn what_nobody_takes_is_dropped_once() {
        let counted = Rc::new(());
        let good: FfiResult<Box<Rc<()>>> = Ok::<_, String>(Box::new(counted.clone())).into();
        assert_eq!(Rc::strong_count(&counted), 2);
        drop(good);
        assert_eq!(Rc::strong_count(&counted), 1);
        let good: FfiResult<Box<Rc<()>>> = Ok::<_, String>(Box::new(counted.clone())).into();
        drop(good.into_result());
        assert_eq!(Rc::strong_count(&counted), 1);
        drop(FfiResult::<Box<Rc<()>>>::from(Err::<Box<Rc<()>>, _>("no")));
    }
}
