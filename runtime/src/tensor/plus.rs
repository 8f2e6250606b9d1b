//! The sum of two elements of any type.

use super::{Dual, Float};
use std::ops::{Add, BitOr};

/// An element that can be added to another one.
pub trait Plus: Sized {
    /// The sum, of integers modulo their range; of booleans, whether one of them is true.
    fn plus(self, other: Self) -> Self;
}

macro_rules! plus {
    ($($element:ident $plus:path;)+) => {$(
        impl Plus for $element {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
        }
    )+};
}

plus! {
    f32 Add::add;
    f64 Add::add;
    i32 i32::wrapping_add;
    u32 u32::wrapping_add;
    u8 u8::wrapping_add;
    bool BitOr::bitor;
}

impl<E: Float> Plus for Dual<E> {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
}
