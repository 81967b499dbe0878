//! math.h, from the `libm` crate. `errno` stays as it is (C leaves that open, `math_errhandling`); there is no
//! `long double`.

use core::ffi::{c_double as f, c_float as g, c_int, c_long, c_longlong};

/// Functions that are the `libm` crate's under the same name.
macro_rules! from_libm {
    ($($name:ident($($a:ident: $t:ty),*) -> $r:ty;)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            undeclared fn $name($($a: $t),*) -> $r {
                libm::$name($($a),*)
            }
        )*}
    };
}

from_libm! {
    acos(x: f) -> f; acosf(x: g) -> g;
    acosh(x: f) -> f; acoshf(x: g) -> g;
    asin(x: f) -> f; asinf(x: g) -> g;
    asinh(x: f) -> f; asinhf(x: g) -> g;
    atan(x: f) -> f; atanf(x: g) -> g;
    atan2(y: f, x: f) -> f; atan2f(y: g, x: g) -> g;
    atanh(x: f) -> f; atanhf(x: g) -> g;
    cbrt(x: f) -> f; cbrtf(x: g) -> g;
    ceil(x: f) -> f; ceilf(x: g) -> g;
    copysign(x: f, y: f) -> f; copysignf(x: g, y: g) -> g;
    cos(x: f) -> f; cosf(x: g) -> g;
    cosh(x: f) -> f; coshf(x: g) -> g;
    erf(x: f) -> f; erff(x: g) -> g;
    erfc(x: f) -> f; erfcf(x: g) -> g;
    exp(x: f) -> f; expf(x: g) -> g;
    exp2(x: f) -> f; exp2f(x: g) -> g;
    exp10(x: f) -> f; exp10f(x: g) -> g;
    expm1(x: f) -> f; expm1f(x: g) -> g;
    fabs(x: f) -> f; fabsf(x: g) -> g;
    fdim(x: f, y: f) -> f; fdimf(x: g, y: g) -> g;
    floor(x: f) -> f; floorf(x: g) -> g;
    fma(x: f, y: f, z: f) -> f; fmaf(x: g, y: g, z: g) -> g;
    fmax(x: f, y: f) -> f; fmaxf(x: g, y: g) -> g;
    fmin(x: f, y: f) -> f; fminf(x: g, y: g) -> g;
    fmod(x: f, y: f) -> f; fmodf(x: g, y: g) -> g;
    hypot(x: f, y: f) -> f; hypotf(x: g, y: g) -> g;
    ilogb(x: f) -> c_int; ilogbf(x: g) -> c_int;
    j0(x: f) -> f; j0f(x: g) -> g;
    j1(x: f) -> f; j1f(x: g) -> g;
    jn(n: c_int, x: f) -> f; jnf(n: c_int, x: g) -> g;
    lgamma(x: f) -> f; lgammaf(x: g) -> g;
    ldexp(x: f, n: c_int) -> f; ldexpf(x: g, n: c_int) -> g;
    log(x: f) -> f; logf(x: g) -> g;
    log10(x: f) -> f; log10f(x: g) -> g;
    log1p(x: f) -> f; log1pf(x: g) -> g;
    log2(x: f) -> f; log2f(x: g) -> g;
    nextafter(x: f, y: f) -> f; nextafterf(x: g, y: g) -> g;
    pow(x: f, y: f) -> f; powf(x: g, y: g) -> g;
    remainder(x: f, y: f) -> f; remainderf(x: g, y: g) -> g;
    rint(x: f) -> f; rintf(x: g) -> g;
    round(x: f) -> f; roundf(x: g) -> g;
    roundeven(x: f) -> f; roundevenf(x: g) -> g;
    scalbn(x: f, n: c_int) -> f; scalbnf(x: g, n: c_int) -> g;
    sin(x: f) -> f; sinf(x: g) -> g;
    sinh(x: f) -> f; sinhf(x: g) -> g;
    sqrt(x: f) -> f; sqrtf(x: g) -> g;
    tan(x: f) -> f; tanf(x: g) -> g;
    tanh(x: f) -> f; tanhf(x: g) -> g;
    tgamma(x: f) -> f; tgammaf(x: g) -> g;
    trunc(x: f) -> f; truncf(x: g) -> g;
    y0(x: f) -> f; y0f(x: g) -> g;
    y1(x: f) -> f; y1f(x: g) -> g;
    yn(n: c_int, x: f) -> f; ynf(n: c_int, x: g) -> g;
}

/// Functions of `libm` that return two values, where C writes one of them to a place.
macro_rules! with_place {
    ($($name:ident($($a:ident: $t:ty),*; $place:ident: $p:ty) -> $r:ty;)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            undeclared fn $name($($a: $t,)* $place: *mut $p) -> $r {
                let (value, rest) = libm::$name($($a),*);
                // SAFETY: the caller's place.
                unsafe { *$place = rest };
                value
            }
        )*}
    };
}

with_place! {
    frexp(x: f; exponent: c_int) -> f; frexpf(x: g; exponent: c_int) -> g;
    remquo(x: f, y: f; quotient: c_int) -> f; remquof(x: g, y: g; quotient: c_int) -> g;
    lgamma_r(x: f; sign: c_int) -> f; lgammaf_r(x: g; sign: c_int) -> g;
}

c_fn! {
    /// modf(3)
    undeclared fn modf(x: f, whole: *mut f) -> f {
        let (fraction, part) = libm::modf(x);
        *whole = part;
        fraction
    }

    /// modf(3)
    undeclared fn modff(x: g, whole: *mut g) -> g {
        let (fraction, part) = libm::modff(x);
        *whole = part;
        fraction
    }

    /// sincos(3)
    undeclared fn sincos(x: f, sine: *mut f, cosine: *mut f) {
        (*sine, *cosine) = libm::sincos(x);
    }

    /// sincos(3)
    undeclared fn sincosf(x: g, sine: *mut g, cosine: *mut g) {
        (*sine, *cosine) = libm::sincosf(x);
    }

    /// nearbyint(3): the rounding mode is always to nearest.
    undeclared fn nearbyint(x: f) -> f {
        libm::rint(x)
    }

    /// nearbyint(3)
    undeclared fn nearbyintf(x: g) -> g {
        libm::rintf(x)
    }

    /// scalbln(3)
    undeclared fn scalbln(x: f, n: c_long) -> f {
        libm::scalbn(x, n.clamp(c_int::MIN.into(), c_int::MAX.into()) as c_int)
    }

    /// scalbln(3)
    undeclared fn scalblnf(x: g, n: c_long) -> g {
        libm::scalbnf(x, n.clamp(c_int::MIN.into(), c_int::MAX.into()) as c_int)
    }

    /// logb(3)
    undeclared fn logb(x: f) -> f {
        match x {
            0.0 => f::NEG_INFINITY,
            x if x.is_finite() => libm::ilogb(x).into(),
            x => x * x,
        }
    }

    /// logb(3)
    undeclared fn logbf(x: g) -> g {
        match x {
            0.0 => g::NEG_INFINITY,
            x if x.is_finite() => libm::ilogbf(x) as g,
            x => x * x,
        }
    }
}

/// Rounding to an integer. What does not fit has no value in C; here it is the nearest that does.
macro_rules! to_integer {
    ($($name:ident($t:ty) -> $r:ty = $round:ident;)*) => {
        c_fn! {$(
            #[doc = concat!(stringify!($name), "(3)")]
            undeclared fn $name(x: $t) -> $r {
                libm::$round(x) as $r
            }
        )*}
    };
}

to_integer! {
    lrint(f) -> c_long = rint; lrintf(g) -> c_long = rintf;
    llrint(f) -> c_longlong = rint; llrintf(g) -> c_longlong = rintf;
    lround(f) -> c_long = round; lroundf(g) -> c_long = roundf;
    llround(f) -> c_longlong = round; llroundf(g) -> c_longlong = roundf;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_host() {
        // SAFETY: numbers only.
        unsafe {
            for x in [
                0.0,
                -0.0,
                0.3,
                1.0,
                -2.5,
                1e-300,
                1e300,
                7.5e15,
                f64::INFINITY,
            ] {
                let close = |ours: f64, host: f64| {
                    let same = ours.to_bits() == host.to_bits() || ours.is_nan() && host.is_nan();
                    assert!(
                        same || (ours - host).abs() <= host.abs() * 1e-15,
                        "{x}: {ours} {host}"
                    );
                };
                close(sin(x), x.sin());
                close(exp(x), x.exp());
                close(pow(2.5, x), 2.5f64.powf(x));
                close(cbrt(x), x.cbrt());
                close(fmod(x, 0.7), x % 0.7);
                close(rint(x), x.round_ties_even());
                assert_eq!(lround(x), x.round() as c_long);
            }
            let mut exponent = 0;
            assert_eq!((frexp(48.0, &mut exponent), exponent), (0.75, 6));
            let mut whole = 0.0;
            assert_eq!((modf(-3.25, &mut whole), whole), (-0.25, -3.0));
            assert_eq!(
                (logb(10.0), logb(0.0), logb(f64::NEG_INFINITY)),
                (3.0, f64::NEG_INFINITY, f64::INFINITY)
            );
        }
    }
}
