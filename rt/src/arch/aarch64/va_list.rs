//! Variable argument lists, as AAPCS64 has them (appendix B, "Variable argument lists"): a variadic function saves the registers that
//! may hold arguments, and `va_list` says how far they were read.

/// AAPCS64's `va_list`, to which C's is a pointer where it is a parameter (it is larger than 16 bytes).
#[derive(Clone)]
#[repr(C)]
pub struct VaList {
    /// The next argument that was passed in memory.
    stack: *const u64,
    /// The end of the general registers that were saved.
    general_end: *const u8,
    /// The end of the vector registers.
    vector_end: *const u8,
    /// From that end to the next general register, negative; 0 or more when all were read.
    general: i32,
    /// The same of the vector registers.
    vector: i32,
}

impl VaList {
    /// The next argument of integer or pointer type, as a word; its upper half may hold anything if the type is smaller.
    ///
    /// # Safety
    /// There must be such an argument.
    pub unsafe fn word(&mut self) -> u64 {
        // SAFETY: there is such an argument, so it lies where AAPCS64 puts the next one.
        unsafe {
            if self.general < 0 {
                let word = self
                    .general_end
                    .offset(self.general as isize)
                    .cast::<u64>()
                    .read();
                self.general += 8;
                return word;
            }
            self.memory()
        }
    }

    /// The next argument of type double.
    ///
    /// # Safety
    /// There must be such an argument.
    pub unsafe fn double(&mut self) -> f64 {
        // SAFETY: there is such an argument, so it lies where AAPCS64 puts the next one.
        unsafe {
            if self.vector < 0 {
                let value = self
                    .vector_end
                    .offset(self.vector as isize)
                    .cast::<f64>()
                    .read();
                self.vector += 16;
                return value;
            }
            f64::from_bits(self.memory())
        }
    }

    /// Passes over an argument of type `long double`: a vector register, or memory that is aligned to 16 bytes.
    ///
    /// # Safety
    /// There must be such an argument.
    pub unsafe fn skip_long_double(&mut self) {
        if self.vector < 0 {
            self.vector += 16;
            return;
        }
        let misaligned = self.stack.addr() % 16 / size_of::<u64>();
        self.stack = self.stack.wrapping_add(misaligned + 2);
    }

    /// # Safety
    /// There must be one more argument in memory.
    unsafe fn memory(&mut self) -> u64 {
        // SAFETY: there is one more argument in memory, at `stack`.
        unsafe {
            let word = self.stack.read();
            self.stack = self.stack.add(1);
            word
        }
    }
}

/// Defines variadic C functions: each saves its registers, makes a `VaList` and calls the function that takes one in
/// place of the `...`. The number is that of the fixed arguments, all of integer or pointer type, and at least one.
macro_rules! variadic_c_fn {
    ($($(#[$m:meta])* $name:ident($fixed:tt) => $to:path;)*) => {$(
        $(#[$m])*
        ///
        /// # Safety
        /// As the manual page demands of the arguments. The type is C's in the fixed arguments only by name: it is never called from Rust.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name() -> core::ffi::c_int {
            // The frame: where it was called from, 32 bytes of list, 64 of general registers, 128 of vector registers.
            core::arch::naked_asm!(
                "stp x29, x30, [sp, #-240]!",
                "mov x29, sp",
                "stp x0, x1, [sp, #48]",
                "stp x2, x3, [sp, #64]",
                "stp x4, x5, [sp, #80]",
                "stp x6, x7, [sp, #96]",
                "stp q0, q1, [sp, #112]",
                "stp q2, q3, [sp, #144]",
                "stp q4, q5, [sp, #176]",
                "stp q6, q7, [sp, #208]",
                "add x9, sp, #240",
                "str x9, [sp, #16]",
                "str x9, [sp, #32]",
                "add x9, sp, #112",
                "str x9, [sp, #24]",
                concat!("mov w9, #(", $fixed, " - 8) * 8"),
                "mov w10, #-128",
                "stp w9, w10, [sp, #40]",
                concat!("add x", $fixed, ", sp, #16"),
                "bl {to}",
                "ldp x29, x30, [sp], #240",
                "ret",
                to = sym $to,
            )
        }
    )*};
}
pub(crate) use variadic_c_fn;
