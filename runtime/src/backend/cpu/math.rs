//! Elementary functions of `f32` without branches or calls, so that a loop over them becomes vector instructions.
//!
//! Arguments are reduced as in Cody and Waite, *Software Manual for the Elementary Functions* (1980); the polynomials
//! are those of Moshier's Cephes library. Every function but `erf` (eight) is within three units in the last place of
//! the true value, all keep NaN, and they give the same bits on every machine, since they round after every operation.

/// Adding and subtracting it rounds to the nearest integer, which is then in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// The high bits of ln 2: products with small integers are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
/// What is missing to ln 2.
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// The bits of the square root of one half.
const ROOT_HALF: u32 = 0x3f35_04f3;

/// The exponential function.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (r, n) = reduce(x);
    let y = expm1_reduced(r) + 1.0;
    // In two factors: 2^n alone may be out of range where the product is not.
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n - half)
}

/// `exp(x) - 1`, precise near zero.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let (r, n) = reduce(x);
    let n = if n < -126 { -126 } else { n };
    let scale = power_of_two(n);
    let y = expm1_reduced(r) * scale + (scale - 1.0);
    if x > 87.0 { exp(x) } else { y }
}

/// `x` as `n ln 2 + r` with `|r|` at most half of ln 2. Beyond the range of `exp`, the nearest end of it.
#[inline(always)]
fn reduce(x: f32) -> (f32, i32) {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    (r, (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// `exp(r) - 1` for `|r|` up to 0.35.
#[inline(always)]
fn expm1_reduced(r: f32) -> f32 {
    let p =
        polynomial(r, [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5]);
    p * (r * r) + r
}

/// `2^n` for `n` in -126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// The natural logarithm.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    // scaled = m 2^e with m between the root of one half and the root of two
    let offset = scaled.to_bits().wrapping_sub(ROOT_HALF);
    let e = (offset as i32 >> 23) as f32 - if tiny { 23.0 } else { 0.0 };
    let m = f32::from_bits((offset & 0x007f_ffff) + ROOT_HALF) - 1.0;
    let z = m * m;
    let p = polynomial(
        m,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_7e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = m * z * p + e * LN_2_LOW - 0.5 * z;
    let y = m + y + e * LN_2_HIGH;
    let y = if x == f32::INFINITY { f32::INFINITY } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// `ln(1 + x)`, precise near zero.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    // What `w` lost in rounding is made up for by the quotient (Kahan).
    let w = 1.0 + x;
    let y = ln(w) * (x / (w - 1.0));
    let y = if w == 1.0 { x } else { y };
    if x == f32::INFINITY { x } else { y }
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let (z, magnitude) = (x * x, x.abs());
    let p =
        polynomial(z, [-5.704_988_7e-3, 2.063_908_9e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328_2e-1]);
    let near = p * z * x + x;
    let far = (1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0)).copysign(x);
    if magnitude < 0.625 { near } else { far }
}

/// The error function, by the rational approximation that Eigen and XLA use.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let z = x * x;
    let p = polynomial(
        z,
        [
            -2.726_142_3e-10,
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_4e-5,
            -7.349_906_3e-4,
            -2.954_599_8e-3,
            -1.609_603_3e-2,
        ],
    );
    let q = polynomial(z, [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2]);
    x * p / q
}

/// The error function of `f64`: `2/√π exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1))`.
pub fn erf_f64(x: f64) -> f64 {
    if x.abs() >= 6.0 {
        return 1f64.copysign(x);
    }
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > f64::EPSILON / 4.0 * sum.abs() {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `(…(c[0] x + c[1]) x + …) x + c[N-1]` (Horner).
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = sum * x + coefficient;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error in units in the last place over a sweep of `from..to`.
    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let points = 100_000;
        let error = |i: i32| {
            let x = from + (to - from) * (i as f32 / points as f32);
            let expected = exact(f64::from(x));
            let ulp = f64::from(f32::EPSILON) * expected.abs().log2().floor().exp2();
            (f64::from(f(x)) - expected).abs() / ulp.max(f64::from(f32::from_bits(1)))
        };
        (0..=points).map(error).fold(0.0, f64::max)
    }

    #[track_caller]
    fn within(bound: f64, error: f64) {
        assert!(error <= bound, "{error} units in the last place");
    }

    #[test]
    fn errors_are_small() {
        within(1.5, worst(exp, f64::exp, -87.0, 88.7));
        within(1.5, worst(exp, f64::exp, -1.0, 1.0));
        within(2.0, worst(exp, f64::exp, -105.0, -86.0));
        within(2.0, worst(exp_m1, f64::exp_m1, -3.0, 3.0));
        within(2.0, worst(exp_m1, f64::exp_m1, -0.01, 0.01));
        within(1.5, worst(ln, f64::ln, 1e-30, 1e-20));
        within(1.5, worst(ln, f64::ln, 0.1, 3.0));
        within(1.5, worst(ln, f64::ln, 1.0, 1e30));
        within(3.0, worst(ln_1p, f64::ln_1p, 0.0, 1.0));
        within(3.0, worst(ln_1p, f64::ln_1p, -1e-3, 1e-3));
        within(3.0, worst(tanh, f64::tanh, -9.5, 9.5));
        within(3.0, worst(tanh, f64::tanh, -0.7, 0.7));
        within(8.0, worst(erf, erf_f64, -5.0, 5.0));
        within(8.0, worst(erf, erf_f64, -0.1, 0.1));
    }

    #[test]
    fn ends_of_the_range() {
        let infinity = f32::INFINITY;
        assert_eq!([exp(infinity), exp(89.0), exp(-infinity), exp(0.0)], [infinity, infinity, 0.0, 1.0]);
        assert_eq!([exp_m1(infinity), exp_m1(-infinity), exp_m1(0.0)], [infinity, -1.0, 0.0]);
        assert_eq!([ln(infinity), ln(0.0), ln(-0.0), ln(1.0)], [infinity, -infinity, -infinity, 0.0]);
        assert!((ln(1e-40) + 92.103_4).abs() < 1e-4);
        assert_eq!([ln_1p(0.0), ln_1p(infinity), ln_1p(-1.0)], [0.0, infinity, -infinity]);
        assert_eq!([tanh(infinity), tanh(-infinity), tanh(0.0), tanh(50.0)], [1.0, -1.0, 0.0, 1.0]);
        assert!((erf(infinity) - 1.0).abs() < 2e-7 && erf(-infinity) == -erf(infinity) && erf(0.0) == 0.0);
        assert_eq!([erf_f64(7.0), erf_f64(0.0)], [1.0, 0.0]);
        assert!((erf_f64(0.5) - 0.520_499_877_813_046_5).abs() < 1e-15);
        for f in [exp, exp_m1, ln, ln_1p, tanh, erf] {
            assert!(f(f32::NAN).is_nan());
        }
        assert!(ln(-1.0).is_nan());
    }
}
