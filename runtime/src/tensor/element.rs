//! The elements of a tensor.

use super::dtype::DType;
use super::dual::Dual;
use super::plus::Plus;
use crate::backend::{Kernels, math};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::identity;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A type that a tensor can hold.
#[diagnostic::on_unimplemented(
    message = "a tensor cannot hold `{Self}`",
    label = "the elements are f32, f64, i32, u32, u8, bool, and dual numbers"
)]
pub trait Element:
    Copy
    + Default
    + PartialEq
    + Debug
    + Display
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + Plus
    + private::Sealed
    + 'static
{
    /// The name of the type, as it is written in a message or a file.
    const NAME: &'static str;
    /// The element that carries a tangent: [`Dual`] of a float, and an integer as it is.
    type Lifted: Element;

    /// The element with a tangent of zero.
    fn lifted(self) -> Self::Lifted;
}

mod private {
    use super::DType;

    /// Storage hands out recycled bytes, so that only types for which it knows what every byte means are elements.
    pub trait Sealed {
        /// Whether every pattern of bits is a value.
        const ANY_BITS: bool;
        /// The type in a file; `None` if there is none.
        const DTYPE: Option<DType> = None;

        /// Appends the elements' little-endian bytes.
        fn write_bytes(_: &[Self], _: &mut Vec<u8>)
        where
            Self: Sized,
        {
        }

        /// Fills the elements from little-endian bytes; `None` if there are not as many, or some are not a value.
        fn read_bytes(_: &[u8], _: &mut [Self]) -> Option<()>
        where
            Self: Sized,
        {
            None
        }
    }
}
pub(super) use private::Sealed;

macro_rules! elements {
    ($($element:ident $dtype:ident $any_bits:literal $lifted:ty, $lift:expr, $to_bytes:expr, $from_bytes:expr;)+) => {$(
        impl Sealed for $element {
            const ANY_BITS: bool = $any_bits;
            const DTYPE: Option<DType> = Some(DType::$dtype);

            fn write_bytes(elements: &[Self], bytes: &mut Vec<u8>) {
                elements.iter().for_each(|&element| bytes.extend_from_slice(&$to_bytes(element)));
            }

            fn read_bytes(bytes: &[u8], elements: &mut [Self]) -> Option<()> {
                let (words, rest) = bytes.as_chunks();
                if words.len() != elements.len() || !rest.is_empty() {
                    return None;
                }
                elements.iter_mut().zip(words).try_for_each(|(element, &word)| {
                    *element = $from_bytes(word)?;
                    Some(())
                })
            }
        }
        impl Element for $element {
            const NAME: &'static str = stringify!($element);
            type Lifted = $lifted;

            #[inline(always)]
            fn lifted(self) -> $lifted {
                $lift(self)
            }
        }
    )+};
}
elements! {
    f32 Float32 true Dual<f32>, Dual::constant, f32::to_le_bytes, |bytes| Some(f32::from_le_bytes(bytes));
    f64 Float64 true Dual<f64>, Dual::constant, f64::to_le_bytes, |bytes| Some(f64::from_le_bytes(bytes));
    i32 Int32 true i32, identity, i32::to_le_bytes, |bytes| Some(i32::from_le_bytes(bytes));
    u32 UInt32 true u32, identity, u32::to_le_bytes, |bytes| Some(u32::from_le_bytes(bytes));
    u8 UInt8 true u8, identity, u8::to_le_bytes, |bytes| Some(u8::from_le_bytes(bytes));
    bool Bool false bool, identity, |element| [u8::from(element)],
        |[byte]: [u8; 1]| (byte <= 1).then_some(byte == 1);
}

/// A function of `N` numbers that knows its derivative.
///
/// Where a formula has a kink, or loses precision when it is differentiated term by term, this is how the derivative is
/// computed that the backward pass has too.
pub trait Primitive<const N: usize> {
    /// `f(x)`
    fn value<E: Float>(&self, x: [E; N]) -> E;

    /// The derivative at `x`, where the value is `y`, in the direction of the tangents.
    fn tangent<E: Float>(&self, x: [E; N], y: E, tangents: [E; N]) -> E;
}

/// An element that can be differentiated: `f32`, `f64`, and [`Dual`] numbers of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gradient",
    label = "this needs elements of f32 or f64"
)]
pub trait Float:
    Element<Lifted = Dual<Self>>
    + Kernels
    + PartialOrd
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + std::iter::Sum
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest positive number that is not subnormal.
    const MIN_NORMAL: Self;
    /// Minus infinity.
    const NEG_INFINITY: Self;
    /// Whether it carries a tangent.
    const IS_DUAL: bool;

    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// The value, exactly; of a dual number without its tangent.
    fn to_f64(self) -> f64;
    /// The number without tangents.
    fn primal(self) -> Self;
    /// A function of numbers of this kind, with its derivative if they are dual.
    fn primitive<const N: usize>(function: &impl Primitive<N>, x: [Self; N]) -> Self;
    /// `self * a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The exponential function.
    fn exp(self) -> Self;
    /// `exp(self) - 1`, precise near zero.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + self)`, precise near zero.
    fn ln_1p(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// `self` to a power.
    fn powf(self, exponent: Self) -> Self;
    /// The magnitude.
    fn abs(self) -> Self;
    /// 0 in place of a subnormal number, as XLA computes on a CPU.
    ///
    /// What decays by a factor a step ends among the subnormal numbers, where processors take a hundred times as long.
    #[inline(always)]
    fn flushed(self) -> Self {
        if self.abs() < Self::MIN_NORMAL { Self::ZERO } else { self }
    }
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

macro_rules! floats {
    ($($float:ident: $exp:path, $exp_m1:path, $ln:path, $ln_1p:path, $tanh:path, $erf:path;)+) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const MIN_NORMAL: Self = $float::MIN_POSITIVE;
            const NEG_INFINITY: Self = $float::NEG_INFINITY;
            const IS_DUAL: bool = false;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn primal(self) -> Self {
                self
            }
            #[inline(always)]
            fn primitive<const N: usize>(function: &impl Primitive<N>, x: [Self; N]) -> Self {
                function.value(x)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $float::mul_add(self, a, b)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                $exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                $float::powf(self, exponent)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
        }
    )+};
}
// The functions of f32 become vector instructions in a loop; f64 is for tests, and uses the standard library's.
floats! {
    f32: math::exp, math::exp_m1, math::ln, math::ln_1p, math::tanh, math::erf;
    f64: f64::exp, f64::exp_m1, f64::ln, f64::ln_1p, f64::tanh, math::erf_f64;
}
