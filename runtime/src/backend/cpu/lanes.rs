//! What the kernels ask of an element type.

use std::ops::{Add, AddAssign, Div, Mul};

/// An element type with SIMD registers.
pub trait Lanes:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// The value that never wins a maximum.
    const NEG_INFINITY: Self;
    /// A small whole number.
    fn from_count(count: usize) -> Self;
}

macro_rules! lanes {
    ($($float:ty),*) => {$(
        impl Lanes for $float {
            const ZERO: Self = 0.0;
            const NEG_INFINITY: Self = Self::NEG_INFINITY;
            fn from_count(count: usize) -> Self {
                count as Self
            }
        }
    )*};
}

lanes!(f32, f64);
