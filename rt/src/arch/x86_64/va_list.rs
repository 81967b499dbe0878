//! Variable argument lists, as the System V x86-64 psABI has them (3.5.7): a variadic function saves the registers that
//! may hold arguments, and `va_list` says how far they were read.

/// The psABI's `va_list`, to which C's is a pointer where it is a parameter.
#[derive(Clone)]
#[repr(C)]
pub struct VaList {
    /// Offset of the next general register in `saved`; 48 when all six were read.
    gp_offset: u32,
    /// Offset of the next vector register in `saved`; 176 when all eight were read.
    fp_offset: u32,
    /// The next argument that was passed in memory.
    overflow: *const u64,
    /// Six general registers, then eight vector registers of 16 bytes.
    saved: *const u8,
}

const GP_END: u32 = 48;
const FP_END: u32 = 176;

impl VaList {
    /// The next argument of integer or pointer type, as a word; its upper half may hold anything if the type is smaller.
    ///
    /// # Safety
    /// There must be such an argument.
    pub unsafe fn word(&mut self) -> u64 {
        // SAFETY: there is such an argument, so it lies where the psABI puts the next one.
        unsafe {
            if self.gp_offset < GP_END {
                let word = self.saved.add(self.gp_offset as usize).cast::<u64>().read();
                self.gp_offset += 8;
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
        // SAFETY: there is such an argument, so it lies where the psABI puts the next one.
        unsafe {
            if self.fp_offset < FP_END {
                let value = self.saved.add(self.fp_offset as usize).cast::<f64>().read();
                self.fp_offset += 16;
                return value;
            }
            f64::from_bits(self.memory())
        }
    }

    /// Passes over an argument of type `long double`, which is memory, aligned to 16 bytes (3.5.7, step 7).
    ///
    /// # Safety
    /// There must be such an argument.
    pub unsafe fn skip_long_double(&mut self) {
        let misaligned = self.overflow.addr() % 16 / size_of::<u64>();
        self.overflow = self.overflow.wrapping_add(misaligned + 2);
    }

    /// # Safety
    /// There must be one more argument in memory.
    unsafe fn memory(&mut self) -> u64 {
        // SAFETY: there is one more argument in memory, at `overflow`.
        unsafe {
            let word = self.overflow.read();
            self.overflow = self.overflow.add(1);
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
            // The frame: 24 bytes of list, 8 unused, 176 of registers, 8 unused; with the return address a multiple of 16.
            core::arch::naked_asm!(
                "sub rsp, 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                // al: an upper bound of the vector registers in use.
                "test al, al",
                "jz 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                concat!("mov dword ptr [rsp], ", $fixed, " * 8"),
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                concat!("mov ", $crate::arch::va_list::register_after!($fixed), ", rsp"),
                "call {to}",
                "add rsp, 216",
                "ret",
                to = sym $to,
            )
        }
    )*};
}
pub(crate) use variadic_c_fn;

/// The register of the argument after so many of integer or pointer type.
macro_rules! register_after {
    (1) => {
        "rsi"
    };
    (2) => {
        "rdx"
    };
    (3) => {
        "rcx"
    };
    (4) => {
        "r8"
    };
    (5) => {
        "r9"
    };
}
pub(crate) use register_after;
