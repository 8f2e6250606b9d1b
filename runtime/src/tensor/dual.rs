//! Dual numbers: numbers that carry a derivative along.

use super::element::{Element, Float, Primitive, Sealed};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `value + tangent ε` with `ε² = 0`: a number and its derivative in one direction.
///
/// A function of dual numbers computes its derivative beside its value: `f(x + tε) = f(x) + f'(x) t ε`. The transformations
/// [`jvp!`](crate::jvp) and [`hvp!`](crate::hvp) compute with tensors of them, and so does a derivative of higher order with
/// dual numbers of dual numbers.
///
/// Comparisons look at the value only, as a branch in a program does: two dual numbers of the same value are equal whatever
/// their tangents.
///
/// ```
/// use flaxen::prelude::*;
///
/// let x: Dual<f64> = Dual { value: 3.0, tangent: 1.0 };
/// let y = x * x;
/// assert_eq!((y.value, y.tangent), (9.0, 6.0));
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[repr(C)]
pub struct Dual<E> {
    /// The number.
    pub value: E,
    /// Its derivative.
    pub tangent: E,
}

impl<E: Float> Dual<E> {
    /// A number that does not vary.
    #[inline(always)]
    pub const fn constant(value: E) -> Self {
        Dual { value, tangent: E::ZERO }
    }

    /// The value of a function, and its derivative times this one's.
    #[inline(always)]
    fn chain(self, value: E, derivative: E) -> Self {
        Dual { value, tangent: derivative * self.tangent }
    }
}

impl<E: PartialEq> PartialEq for Dual<E> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<E: PartialOrd> PartialOrd for Dual<E> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<E: fmt::Display> fmt::Display for Dual<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "({} + {}ε)", self.value, self.tangent)
    }
}

impl<E: Float> Neg for Dual<E> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

impl<E: Float> Add for Dual<E> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Dual { value: self.value + b.value, tangent: self.tangent + b.tangent }
    }
}

impl<E: Float> Sub for Dual<E> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Dual { value: self.value - b.value, tangent: self.tangent - b.tangent }
    }
}

impl<E: Float> Mul for Dual<E> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Dual { value: self.value * b.value, tangent: self.tangent * b.value + self.value * b.tangent }
    }
}

impl<E: Float> Div for Dual<E> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let value = self.value / b.value;
        Dual { value, tangent: (self.tangent - value * b.tangent) / b.value }
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $operator:tt;)+) => {$(
        impl<E: Float> $trait for Dual<E> {
            #[inline(always)]
            fn $method(&mut self, b: Self) {
                *self = *self $operator b;
            }
        }
    )+};
}
assign! {
    AddAssign add_assign +;
    SubAssign sub_assign -;
    MulAssign mul_assign *;
    DivAssign div_assign /;
}

impl<E: Float> Sum for Dual<E> {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Dual::ZERO, |sum, term| sum + term)
    }
}

impl<E: Float> Sealed for Dual<E> {
    // Two numbers side by side, without padding.
    const ANY_BITS: bool = E::ANY_BITS;
    // `DTYPE` is `None`: the arrays of files have no such elements.
}

impl<E: Float> Element for Dual<E> {
    const NAME: &'static str = "dual";
    type Lifted = Dual<Self>;

    #[inline(always)]
    fn lifted(self) -> Dual<Self> {
        Dual::constant(self)
    }
}

impl<E: Float> Float for Dual<E> {
    const ZERO: Self = Dual::constant(E::ZERO);
    const ONE: Self = Dual::constant(E::ONE);
    const MIN_NORMAL: Self = Dual::constant(E::MIN_NORMAL);
    const NEG_INFINITY: Self = Dual::constant(E::NEG_INFINITY);
    const IS_DUAL: bool = true;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        Dual::constant(E::from_f64(x))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }
    #[inline(always)]
    fn primal(self) -> Self {
        Dual::constant(self.value.primal())
    }
    #[inline(always)]
    fn primitive<const N: usize>(function: &impl Primitive<N>, x: [Self; N]) -> Self {
        let (values, tangents) = (x.map(|x| x.value), x.map(|x| x.tangent));
        let value = E::primitive(function, values);
        Dual { value, tangent: function.tangent(values, value, tangents) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        let tangent = self.tangent.mul_add(a.value, self.value.mul_add(a.tangent, b.tangent));
        Dual { value: self.value.mul_add(a.value, b.value), tangent }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, E::from_f64(0.5) / value)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Dual { value: self.value.ln(), tangent: self.tangent / self.value }
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        Dual { value: self.value.ln_1p(), tangent: self.tangent / (E::ONE + self.value) }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let value = self.value.tanh();
        self.chain(value, E::ONE - value * value)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let slope = E::from_f64(std::f64::consts::FRAC_2_SQRT_PI) * (-(self.value * self.value)).exp();
        self.chain(self.value.erf(), slope)
    }
    /// The derivative by the exponent is zero where the logarithm of the base is not a number.
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        let value = self.value.powf(exponent.value);
        let slope = exponent.value * self.value.powf(exponent.value - E::ONE);
        let log = if self.value > E::ZERO { self.value.ln() } else { E::ZERO };
        Dual { value, tangent: slope * self.tangent + value * log * exponent.tangent }
    }
    /// The derivative at zero is zero.
    #[inline(always)]
    fn abs(self) -> Self {
        let sign = if self.value < E::ZERO { -E::ONE } else { E::ONE };
        self.chain(self.value.abs(), if self.value == E::ZERO { E::ZERO } else { sign })
    }
    #[inline(always)]
    fn flushed(self) -> Self {
        Dual { value: self.value.flushed(), tangent: self.tangent.flushed() }
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        self.value.is_nan()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.value.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a function of one number: the value, and three derivatives by dual numbers of dual numbers of dual numbers.
    fn derivatives(f: impl Fn(Dual<Dual<Dual<f64>>>) -> Dual<Dual<Dual<f64>>>, x: f64) -> [f64; 4] {
        let first = Dual { value: x, tangent: 1.0 };
        let second = Dual { value: first, tangent: Dual::ONE };
        let y = f(Dual { value: second, tangent: Dual::ONE });
        [y.value.value.value, y.value.value.tangent, y.value.tangent.tangent, y.tangent.tangent.tangent]
    }

    #[track_caller]
    fn check(found: [f64; 4], expected: [f64; 4]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-13 * (1.0 + expected.abs()),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn derivatives_of_functions() {
        let x: f64 = 0.7;
        let (e, t) = (x.exp(), x.tanh());
        let s = 1.0 - t * t;
        check(derivatives(Float::exp, x), [e; 4]);
        check(derivatives(Float::exp_m1, x), [x.exp_m1(), e, e, e]);
        check(derivatives(Float::ln, x), [x.ln(), 1.0 / x, -1.0 / (x * x), 2.0 / (x * x * x)]);
        let y = 1.0 + x;
        check(derivatives(Float::ln_1p, x), [x.ln_1p(), 1.0 / y, -1.0 / (y * y), 2.0 / (y * y * y)]);
        check(derivatives(Float::tanh, x), [t, s, -2.0 * t * s, -2.0 * s * (s - 2.0 * t * t)]);
        check(
            derivatives(Float::sqrt, x),
            [x.sqrt(), 0.5 * x.powf(-0.5), -0.25 * x.powf(-1.5), 0.375 * x.powf(-2.5)],
        );
        let density = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp();
        let third = (4.0 * x * x - 2.0) * density;
        check(derivatives(Float::erf, x), [Float::erf(x), density, -2.0 * x * density, third]);
        let power = |x: Dual<Dual<Dual<f64>>>| x.powf(Float::from_f64(2.5));
        let expected = [x.powf(2.5), 2.5 * x.powf(1.5), 3.75 * x.powf(0.5), 1.875 * x.powf(-0.5)];
        check(derivatives(power, x), expected);
        check(derivatives(|x| x * x * x, x), [x * x * x, 3.0 * x * x, 6.0 * x, 6.0]);
        let inverse = [1.0 / x, -1.0 / (x * x), 2.0 / (x * x * x), -6.0 / (x * x * x * x)];
        check(derivatives(|x| Dual::ONE / x, x), inverse);
        check(derivatives(|x| x.mul_add(x, x), x), [x * x + x, 2.0 * x + 1.0, 2.0, 0.0]);
        check(derivatives(Float::abs, -x), [x, -1.0, 0.0, 0.0]);
        assert_eq!(Dual { value: 0.0, tangent: 1.0 }.abs().tangent, 0.0);
    }

    /// `xˣ`, whose exponent varies too.
    #[test]
    fn a_power_of_two_variables() {
        let x = Dual { value: 1.5_f64, tangent: 1.0 };
        let expected = 1.5_f64.powf(1.5) * (1.0 + 1.5_f64.ln());
        assert!((x.powf(x).tangent - expected).abs() < 1e-14);
    }

    #[test]
    fn it_compares_by_value_and_prints_both_parts() {
        let x = Dual { value: 1.5, tangent: 2.0 };
        assert_eq!(x, Dual::constant(1.5));
        assert!(x < Dual::constant(2.0));
        assert_eq!(x.to_string(), "(1.5 + 2ε)");
    }
}
