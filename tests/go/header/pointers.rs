//! Function pointers, wherever C has them, with names of their own and without.
#![allow(improper_ctypes_definitions)]

use std::ffi::c_void;
use std::sync::Mutex;

/// Makes one number of two.
pub type Fold = Option<unsafe extern "C-unwind" fn(a: u64, b: u64) -> u64>;

/// Hears of a number.
pub type Heard = Option<unsafe extern "C-unwind" fn(value: u64, user: *mut c_void)>;

/// Gives a number of a state.
pub type Next = Option<unsafe extern "C-unwind" fn(state: *mut c_void) -> u64>;

/// What the library calls.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Vtable {
    /// Given to `next` and `drop`.
    pub state: *mut c_void,
    /// The next number; 0 ends it.
    pub next: Next,
    /// Makes one of two.
    pub fold: Fold,
    /// Called at the end; it has no name of its own.
    pub drop: Option<unsafe extern "C-unwind" fn(state: *mut c_void)>,
}

// SAFETY: Go's functions may be called on any thread, and the state is theirs.
unsafe impl Send for Vtable {}

/// Several of them, and more.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Table {
    /// By value.
    pub one: Vtable,
    /// In an array.
    pub folds: [Fold; 2],
}

/// Folds what a vtable gives.
///
/// # Safety
/// The functions are there.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pointers_run(table: Vtable) -> u64 {
    let mut sum = 0;
    if let (Some(next), Some(fold)) = (table.next, table.fold) {
        loop {
            // SAFETY: the caller's word.
            match unsafe { next(table.state) } {
                0 => break,
                // SAFETY: the caller's word.
                n => sum = unsafe { fold(sum, n) },
            }
        }
    }
    if let Some(drop) = table.drop {
        // SAFETY: the caller's word.
        unsafe { drop(table.state) };
    }
    sum
}

/// The same of a table, whose functions fold the sum with 10 and 20.
///
/// # Safety
/// The table and the functions are there.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pointers_run_all(table: *const Table) -> u64 {
    // SAFETY: the caller's word.
    let table = unsafe { *table };
    // SAFETY: the caller's word.
    let mut sum = unsafe { pointers_run(table.one) };
    for (n, fold) in (1..).zip(table.folds) {
        if let Some(fold) = fold {
            // SAFETY: the caller's word.
            sum = unsafe { fold(sum, 10 * n) };
        }
    }
    sum
}

static VTABLE: Mutex<Option<Vtable>> = Mutex::new(None);

/// Keeps a vtable behind a pointer, none for null.
///
/// # Safety
/// It is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pointers_keep(table: *const Vtable) {
    // SAFETY: the caller's word.
    *VTABLE.lock().unwrap() = unsafe { table.as_ref() }.copied();
}

/// Runs the vtable that is kept; 0 if there is none.
///
/// # Safety
/// Its functions are there.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn pointers_run_kept() -> u64 {
    let table = *VTABLE.lock().unwrap();
    // SAFETY: the caller's word.
    table.map_or(0, |table| unsafe { pointers_run(table) })
}

static FOLD: Mutex<Fold> = Mutex::new(None);

/// Keeps what folds, without user data.
#[unsafe(no_mangle)]
pub extern "C" fn pointers_on_fold(fold: Fold) {
    *FOLD.lock().unwrap() = fold;
}

/// Folds two numbers; 0 if there is nothing that does.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pointers_fold_two(a: u64, b: u64) -> u64 {
    let fold = *FOLD.lock().unwrap();
    // SAFETY: it is a function of Go's.
    fold.map_or(0, |fold| unsafe { fold(a, b) })
}

struct User(*mut c_void);

// SAFETY: it goes back to Go as it came.
unsafe impl Send for User {}

static HEARD: Mutex<Vec<(Heard, User)>> = Mutex::new(Vec::new());

/// Keeps who hears of even numbers, and who of odd ones.
#[unsafe(no_mangle)]
pub extern "C" fn pointers_on_both(even: Heard, even_user: *mut c_void, odd: Heard, odd_user: *mut c_void) {
    *HEARD.lock().unwrap() = vec![(even, User(even_user)), (odd, User(odd_user))];
}

/// Keeps who hears of all numbers.
#[unsafe(no_mangle)]
pub extern "C" fn pointers_on_any(heard: Heard, user: *mut c_void) {
    *HEARD.lock().unwrap() = vec![(heard, User(user)), (heard, User(user))];
}

/// Tells of a number.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pointers_tell(value: u64) {
    let heard = HEARD.lock().unwrap();
    let heard = heard.get((value % 2) as usize).map(|(f, user)| (*f, user.0));
    if let Some((Some(f), user)) = heard {
        // SAFETY: it is a function of Go's.
        unsafe { f(value, user) };
    }
}

/// Calls a function now.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pointers_now(heard: Heard, user: *mut c_void) {
    if let Some(heard) = heard {
        // SAFETY: it is a function of Go's.
        unsafe { heard(1, user) };
    }
}
