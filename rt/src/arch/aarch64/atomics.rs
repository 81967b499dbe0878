//! Out-of-line atomics (AAPCS64's platforms; GCC, "-moutline-atomics"): compilers call these where they do not know whether the processor has LSE's
//! instructions. Rust's compiler_builtins has them, and libgcc; an archive that was made of parts may have them from neither.
//!
//! They are weak: those of the library, which may use LSE, count first. A call of them leaves all registers but x0, x1, x15 to x17, and the flags.
//!
//! `NAMEn_ORDER(value, to)` gives what was there. `casN` is called with what is expected, what is wanted, and the place.

use core::arch::global_asm;

/// A function in a section of its own.
macro_rules! function {
    ($name:expr, $($line:expr),+ $(,)?) => {
        global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",@progbits"),
            ".p2align 2",
            concat!(".weak ", $name),
            concat!(".type ", $name, ",%function"),
            concat!($name, ":"),
            $($line,)+
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
        );
    };
}

/// One operation of one size and one order: `$r` names registers of the size, `$load` and `$store` are the exclusive instructions.
macro_rules! operation {
    ($name:expr, $r:literal, $load:expr, $store:expr, $compute:expr) => {
        function!(
            $name,
            concat!("mov ", $r, "16, ", $r, "0"),
            concat!("2: ", $load, " ", $r, "0, [x1]"),
            $compute,
            concat!($store, " w15, ", $r, "17, [x1]"),
            "cbnz w15, 2b",
            "ret",
        );
    };
}

macro_rules! operations {
    ($size:literal, $r:literal, $suffix:literal, $order:literal, $a:literal, $l:literal) => {
        operation!(
            concat!("__aarch64_swp", $size, "_", $order),
            $r,
            concat!("ld", $a, "xr", $suffix),
            concat!("st", $l, "xr", $suffix),
            concat!("mov ", $r, "17, ", $r, "16")
        );
        operation!(
            concat!("__aarch64_ldadd", $size, "_", $order),
            $r,
            concat!("ld", $a, "xr", $suffix),
            concat!("st", $l, "xr", $suffix),
            concat!("add ", $r, "17, ", $r, "0, ", $r, "16")
        );
        operation!(
            concat!("__aarch64_ldclr", $size, "_", $order),
            $r,
            concat!("ld", $a, "xr", $suffix),
            concat!("st", $l, "xr", $suffix),
            concat!("bic ", $r, "17, ", $r, "0, ", $r, "16")
        );
        operation!(
            concat!("__aarch64_ldeor", $size, "_", $order),
            $r,
            concat!("ld", $a, "xr", $suffix),
            concat!("st", $l, "xr", $suffix),
            concat!("eor ", $r, "17, ", $r, "0, ", $r, "16")
        );
        operation!(
            concat!("__aarch64_ldset", $size, "_", $order),
            $r,
            concat!("ld", $a, "xr", $suffix),
            concat!("st", $l, "xr", $suffix),
            concat!("orr ", $r, "17, ", $r, "0, ", $r, "16")
        );
    };
}

/// Compare and swap: `$narrow` takes what is expected to the size.
macro_rules! compare {
    ($size:literal, $r:literal, $suffix:literal, $narrow:literal, $order:literal, $a:literal, $l:literal) => {
        function!(
            concat!("__aarch64_cas", $size, "_", $order),
            concat!($narrow, " ", $r, "16, ", $r, "0"),
            concat!("2: ld", $a, "xr", $suffix, " ", $r, "0, [x2]"),
            concat!("cmp ", $r, "0, ", $r, "16"),
            "b.ne 3f",
            concat!("st", $l, "xr", $suffix, " w17, ", $r, "1, [x2]"),
            "cbnz w17, 2b",
            "3: ret",
        );
    };
}

macro_rules! order {
    ($order:literal, $a:literal, $l:literal) => {
        operations!("1", "w", "b", $order, $a, $l);
        operations!("2", "w", "h", $order, $a, $l);
        operations!("4", "w", "", $order, $a, $l);
        operations!("8", "x", "", $order, $a, $l);
        compare!("1", "w", "b", "uxtb", $order, $a, $l);
        compare!("2", "w", "h", "uxth", $order, $a, $l);
        compare!("4", "w", "", "mov", $order, $a, $l);
        compare!("8", "x", "", "mov", $order, $a, $l);
    };
}

order!("relax", "", "");
order!("acq", "a", "");
order!("rel", "", "l");
order!("acq_rel", "a", "l");
