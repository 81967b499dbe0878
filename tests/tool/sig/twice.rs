//! Two types of one path that differ, as two versions of one crate would bring.

const _: () = {
    #[repr(C)]
    pub struct Same {
        a: u8,
    }
    #[unsafe(no_mangle)]
    extern "C" fn w_first(same: &Same) -> u8 {
        same.a
    }
};

const _: () = {
    #[repr(C)]
    pub struct Same {
        a: u32,
    }
    #[unsafe(no_mangle)]
    extern "C" fn w_second(same: &Same) -> u32 {
        same.a
    }
};
