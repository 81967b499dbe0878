//! What a thread keeps until it ends: values of keys (pthread_key_create(3)), and destructors of the compiler's thread-locals.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::*};

use libc::{c_int, pthread_key_t};

/// Keys in a process.
pub const KEYS_MAX: usize = 256;

/// How often destructors are run over values that other destructors set.
pub const DESTRUCTOR_ITERATIONS: usize = 4;

/// Called with the value or the object.
pub type Destructor = unsafe extern "C" fn(*mut c_void);

/// A key. Its generation goes up when it is made and when it is deleted, and is odd in between: values that were set under an earlier
/// generation are none.
struct Key {
    generation: AtomicUsize,
    destructor: AtomicUsize,
}

static KEYS: [Key; KEYS_MAX] = [const {
    Key {
        generation: AtomicUsize::new(0),
        destructor: AtomicUsize::new(0),
    }
}; KEYS_MAX];

/// The key, if it exists, and its generation.
fn key(index: pthread_key_t) -> Option<(&'static Key, usize)> {
    let key = KEYS.get(index as usize)?;
    let generation = key.generation.load(Acquire);
    (generation % 2 == 1).then_some((key, generation))
}

/// A thread's value of a key, under the generation in which it was set.
#[derive(Clone, Copy)]
struct Value {
    generation: usize,
    value: *mut c_void,
}

/// A destructor to be run at the end of the thread.
struct Node {
    next: *mut Node,
    destructor: Destructor,
    object: *mut c_void,
}

/// What one thread keeps. All zero is nothing yet.
pub struct Locals {
    /// `KEYS_MAX` values, or null before the first is set.
    values: Cell<*mut Value>,
    destructors: Cell<*mut Node>,
}

impl Locals {
    /// Nothing yet.
    #[cfg(test)]
    pub fn new() -> Self {
        Locals {
            values: Cell::new(null_mut()),
            destructors: Cell::new(null_mut()),
        }
    }

    fn value(&self, index: usize) -> Option<&Cell<Value>> {
        let values = self.values.get();
        // SAFETY: `KEYS_MAX` values are there, and they are this thread's alone.
        (!values.is_null() && index < KEYS_MAX)
            .then(|| unsafe { &*values.add(index).cast::<Cell<Value>>() })
    }

    fn make_values(&self) -> Result<(), c_int> {
        if self.values.get().is_null() {
            // SAFETY: plain allocation; zero is a value, under no generation.
            let values: *mut Value = unsafe { libc::calloc(KEYS_MAX, size_of::<Value>()).cast() };
            if values.is_null() {
                return Err(libc::ENOMEM);
            }
            self.values.set(values);
        }
        Ok(())
    }

    /// Runs every destructor, at the end of the thread: thread-locals first, the youngest first, then keys.
    pub fn run_destructors(&self) {
        for _ in 0..DESTRUCTOR_ITERATIONS {
            self.run_thread_locals();
            if !self.run_keys() {
                break;
            }
        }
        self.run_thread_locals();
        // SAFETY: the heap's own block, or null.
        unsafe { libc::free(self.values.replace(null_mut()).cast()) };
    }

    fn run_thread_locals(&self) {
        loop {
            let node = self.destructors.get();
            if node.is_null() {
                return;
            }
            // SAFETY: a block that `register` made; the destructor was given to be called now.
            unsafe {
                let Node {
                    next,
                    destructor,
                    object,
                } = node.read();
                self.destructors.set(next);
                libc::free(node.cast());
                destructor(object);
            }
        }
    }

    /// Runs the keys' destructors once; says whether any ran.
    fn run_keys(&self) -> bool {
        let mut any = false;
        for index in 0..KEYS_MAX {
            let (Some(cell), Some((key, generation))) =
                (self.value(index), key(index as pthread_key_t))
            else {
                continue;
            };
            let set = cell.get();
            let destructor = key.destructor.load(Acquire);
            if set.generation != generation || set.value.is_null() || destructor == 0 {
                continue;
            }
            cell.set(Value {
                value: null_mut(),
                ..set
            });
            any = true;
            // SAFETY: `pthread_key_create` stored a function of this type, to be called with the value.
            unsafe { core::mem::transmute::<usize, Destructor>(destructor)(set.value) };
        }
        any
    }

    /// Adds a destructor, to be run before those that were added earlier; ENOMEM.
    pub fn register(&self, destructor: Destructor, object: *mut c_void) -> Result<(), c_int> {
        // SAFETY: plain allocation.
        let node: *mut Node = unsafe { libc::malloc(size_of::<Node>()).cast() };
        if node.is_null() {
            return Err(libc::ENOMEM);
        }
        let next = self.destructors.get();
        // SAFETY: fresh memory for one.
        unsafe {
            node.write(Node {
                next,
                destructor,
                object,
            })
        };
        self.destructors.set(node);
        Ok(())
    }
}

/// Makes a key; EAGAIN if there are too many.
pub fn create(destructor: Option<Destructor>) -> Result<pthread_key_t, c_int> {
    for (index, key) in KEYS.iter().enumerate() {
        let generation = key.generation.load(Relaxed);
        // Taken by the step to the odd number; the destructor is read only of values set later than this returns.
        if generation % 2 == 0
            && key
                .generation
                .compare_exchange(generation, generation + 1, AcqRel, Relaxed)
                .is_ok()
        {
            let destructor = destructor.map_or(0, |f| f as usize);
            key.destructor.store(destructor, Release);
            return Ok(index as pthread_key_t);
        }
    }
    Err(libc::EAGAIN)
}

/// Deletes a key; false if there is none.
pub fn delete(index: pthread_key_t) -> bool {
    key(index).is_some_and(|(key, generation)| {
        let deleted = key
            .generation
            .compare_exchange(generation, generation + 1, AcqRel, Relaxed);
        deleted.is_ok()
    })
}

impl Locals {
    /// The thread's value of a key; null if it has none.
    pub fn get(&self, index: pthread_key_t) -> *mut c_void {
        let value = key(index).and_then(|(_, generation)| {
            let value = self.value(index as usize)?.get();
            (value.generation == generation).then_some(value.value)
        });
        value.unwrap_or(null_mut())
    }

    /// Sets it; EINVAL or ENOMEM.
    pub fn set(&self, index: pthread_key_t, value: *mut c_void) -> Result<(), c_int> {
        let (_, generation) = key(index).ok_or(libc::EINVAL)?;
        self.make_values()?;
        let cell = self.value(index as usize).ok_or(libc::EINVAL)?;
        cell.set(Value { generation, value });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C" fn count(value: *mut c_void) {
        RUNS.fetch_add(value as usize, Relaxed);
    }

    #[test]
    fn destructors_run_once_for_each_value() {
        let key = create(Some(count)).expect("a key is free");
        let locals = Locals::new();
        locals.set(key, 5 as *mut c_void).expect("memory");
        locals.register(count, 100 as *mut c_void).expect("memory");
        locals.register(count, 1000 as *mut c_void).expect("memory");
        locals.run_destructors();
        assert_eq!(RUNS.load(Relaxed), 1105);
        locals.run_destructors();
        assert_eq!(RUNS.load(Relaxed), 1105);
    }
}
