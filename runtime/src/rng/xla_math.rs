//! `log`, `log1p`, `erf` and the inverse of `erf` in `f32`, rounded as XLA's code for CPUs rounds them.
//!
//! Normals are only JAX's bit for bit if these are, so none of them may be exchanged for the platform's. Each
//! is a polynomial with fused multiply-adds in a fixed order. They are written for SIMD lanes: both sides of
//! an `if` are cheap, and evaluated always.

#[inline(always)]
const fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

/// Horner's scheme, the highest power first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [u32; N]) -> f32 {
    let mut sum = float(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, float(coefficient));
    }
    sum
}

/// The natural logarithm: the polynomial of Cephes' `logf`.
#[inline(always)]
pub(super) fn log(x: f32) -> f32 {
    let bits = x.max(f32::MIN_POSITIVE).to_bits();
    let mantissa = float((bits & 0x807F_FFFF) | 0x3F00_0000);
    let exponent = ((bits >> 23) as i32 - 127) as f32 + 1.0;
    let small = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let y = (mantissa - 1.0) + if small { mantissa } else { 0.0 };
    let e = exponent - if small { 1.0 } else { 0.0 };

    let square = y * y;
    let cube = square * y;
    let a = polynomial(y, [0x3D90_21BB, 0xBDEB_D1B8, 0x3DEF_251A]);
    let b = polynomial(y, [0xBDFE_5D4F, 0x3E11_E9BF, 0xBE2A_AE50]);
    let c = polynomial(y, [0x3E4C_CEAC, 0xBE7F_FFFC, 0x3EAA_AAAA]);
    let sum = a.mul_add(cube, b).mul_add(cube, c);
    let low = sum.mul_add(cube, e * float(0xB95E_8083));
    let result = e.mul_add(float(0x3F31_8000), square.mul_add(-0.5, y) + low);

    if x == 0.0 {
        f32::NEG_INFINITY
    } else if x == f32::INFINITY {
        x
    } else if x >= 0.0 {
        result
    } else {
        f32::NAN
    }
}

/// `log(1 + x)`
#[inline(always)]
pub(super) fn log1p(x: f32) -> f32 {
    let numerator = polynomial(
        x,
        [0x383D_E04B, 0x3EFF_40C5, 0x40D2_84FA, 0x41EF_4B9C, 0x4273_CC76, 0x4264_73AD, 0x41A0_5101],
    );
    let denominator = polynomial(
        x,
        [0x3F80_0000, 0x4171_01AD, 0x42A6_185B, 0x435D_C32D, 0x439A_8CA3, 0x4358_6D8A, 0x4270_7982],
    );
    let square = x * x;
    let near = x + square.mul_add(-0.5, (x * square) * (numerator / denominator));
    if x.abs() < float(0x3ED4_13CD) { near } else { log(x + 1.0) }
}

/// The error function, a rational function in `x^2`.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let square = x * x;
    let numerator = polynomial(square, [0x3970_2D51, 0x3B5F_5DA2, 0x3D50_B6EB, 0x3E3D_A740, 0x3F90_6EBA]);
    let denominator = polynomial(
        square,
        [0xB3FD_3906, 0x37C5_88DF, 0x3A85_6D28, 0x3C66_87D4, 0x3DE3_4C21, 0x3EFE_B44A, 0x3F80_0000],
    );
    if x.abs() >= float(0x4075_47CB) { 1.0_f32.copysign(x) } else { (x * numerator) / denominator }
}

/// The inverse of the error function: Giles, "Approximating the erfinv function" (2010).
#[inline(always)]
pub(super) fn erf_inv(x: f32) -> f32 {
    const CENTRE: [u32; 9] = [
        0x32F1_6588,
        0x34B8_4B36,
        0xB66C_7357,
        0xB693_5AC1,
        0x3965_32DB,
        0xBAA4_5408,
        0xBB88_E4EF,
        0x3E7C_8F63,
        0x3FC0_2E2F,
    ];
    const TAIL: [u32; 9] = [
        0xB951_F09B,
        0x38D3_B56B,
        0x3AB0_DC72,
        0xBB70_BDE7,
        0x3BBC_127B,
        0xBBF9_C5D7,
        0x3C1A_A57E,
        0x3F80_36DB,
        0x4035_4F7E,
    ];
    let w = -log1p(x * -x);
    let centre = polynomial(w - 2.5, CENTRE);
    let tail = polynomial(w.sqrt() - 3.0, TAIL);
    let slope = if w < 5.0 { centre } else { tail };
    x * if x.abs() == 1.0 { f32::INFINITY } else { slope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform_to_a_few_roundings() {
        for i in 1..2000 {
            let x = i as f32 * 0.005;
            assert!((log(x) - x.ln()).abs() <= 3e-7 * x.ln().abs().max(0.5), "log({x})");
            assert!((log1p(x) - x.ln_1p()).abs() <= 3e-7 * x.ln_1p().max(0.5), "log1p({x})");
            let y = i as f32 * 0.0005 - 0.5;
            assert!((erf(erf_inv(y)) - y).abs() <= 1e-6, "erf_inv({y})");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(log(0.0), f32::NEG_INFINITY);
        assert_eq!(log(f32::INFINITY), f32::INFINITY);
        assert!(log(-1.0).is_nan() && log(f32::NAN).is_nan());
        assert_eq!(erf(f32::INFINITY), 1.0);
        assert_eq!(erf(-5.0), -1.0);
        assert_eq!(erf_inv(-1.0), f32::NEG_INFINITY);
    }
}
