//! The elements of a tensor.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A type that a tensor can hold.
#[diagnostic::on_unimplemented(
    message = "a tensor cannot hold `{Self}`",
    label = "the elements are f32, f64, i32, u32, u8 and bool"
)]
pub trait Element:
    Copy + Default + PartialEq + Debug + Display + Send + Sync + private::Sealed + 'static
{
    /// The name of the type, as it is written in a message or a file.
    const NAME: &'static str;
}

mod private {
    /// Storage hands out recycled bytes, so that only types for which it knows what every byte means are elements.
    pub trait Sealed {
        /// Whether every pattern of bits is a value.
        const ANY_BITS: bool;
    }
}
pub(super) use private::Sealed;

macro_rules! elements {
    ($($element:ident $any_bits:literal)+) => {$(
        impl Sealed for $element {
            const ANY_BITS: bool = $any_bits;
        }
        impl Element for $element {
            const NAME: &'static str = stringify!($element);
        }
    )+};
}
elements! { f32 true f64 true i32 true u32 true u8 true bool false }

/// An element that can be differentiated: `f32` and `f64`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gradient",
    label = "this needs elements of f32 or f64"
)]
pub trait Float:
    Element
    + crate::backend::Float
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
    /// 1.
    const ONE: Self;

    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// The value, exactly.
    fn to_f64(self) -> f64;
    /// `self * a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The exponential function.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The magnitude.
    fn abs(self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

macro_rules! floats {
    ($($float:ident)+) => {$(
        impl Float for $float {
            const ONE: Self = 1.0;

            fn from_f64(x: f64) -> Self {
                x as $float
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn mul_add(self, a: Self, b: Self) -> Self {
                $float::mul_add(self, a, b)
            }
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            fn exp(self) -> Self {
                $float::exp(self)
            }
            fn ln(self) -> Self {
                $float::ln(self)
            }
            fn abs(self) -> Self {
                $float::abs(self)
            }
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
        }
    )+};
}
floats! { f32 f64 }
