use super::*;
fn make(destructor: Option<Destructor>) -> pthread_key_t {
    let mut key = 0;
    // SAFETY: a place of our own.
    assert_eq!(unsafe { pthread_key_create(&mut key, destructor) }, 0);
    key
}

#[test]
fn a_deleted_key_forgets_its_values() {
    // SAFETY: any value may be set.
    unsafe {
        let first = make(None);
        assert!(pthread_getspecific(first).is_null());
        assert_eq!(pthread_setspecific(first, 7 as *const c_void), 0);
        assert_eq!(pthread_getspecific(first) as usize, 7);
        std::thread::spawn(move || assert!(pthread_getspecific(first).is_null()))
            .join()
            .expect("another thread has no value");
        assert_eq!(pthread_key_delete(first), 0);
        assert_eq!(pthread_key_delete(first), libc::EINVAL);
        assert_eq!(pthread_setspecific(first, 8 as *const c_void), libc::EINVAL);
        assert!(pthread_getspecific(KEYS_MAX as pthread_key_t).is_null());
    }
}
