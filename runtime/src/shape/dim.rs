//! One dimension of a shape: a size that the type knows, or [`Dyn`].
//!
//! A static dimension is written in its decimal digits, `Dim3<7, 8, 4>` for 784, because that is how rustc
//! prints it in an error. Arithmetic on dimensions is typenum's: see [`decimal`](super::decimal).

use super::Size;
use std::fmt::Debug;

/// A dimension: [`Dim1`] to [`Dim9`], whose size is part of the type, or [`Dyn`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dimension",
    label = "expected a number, `Dyn`, or a parameter `N: Dim`"
)]
pub trait Dim: Copy + Debug + PartialEq + Eq + Send + Sync + 'static {
    /// The size as far as the type knows it.
    const SIZE: Size;

    /// The size.
    fn size(self) -> usize;

    /// The dimension of that size, or `None` where the type says another one.
    fn from_size(size: usize) -> Option<Self>;
}

/// A dimension that never decides a parameter's shape: the number of samples.
///
/// A model whose `call` is generic over `B: Batch` has the same parameters for every `B`, so one set serves a
/// batch of 32 in training and [`Dyn`] in evaluation.
pub trait Batch: Dim {}

impl<D: Dim> Batch for D {}

/// A dimension whose size is part of its type.
#[diagnostic::on_unimplemented(
    message = "the size of `{Self}` must be known when the program is compiled",
    label = "this dimension decides a shape of parameters"
)]
pub trait Static: Dim + Default {
    /// The size.
    const N: usize;
}

/// A dimension whose size is known when the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dyn(pub usize);

impl Dim for Dyn {
    const SIZE: Size = Size::Unknown;

    fn size(self) -> usize {
        self.0
    }

    fn from_size(size: usize) -> Option<Self> {
        Some(Dyn(size))
    }
}

macro_rules! static_dimensions {
    ($($(#[$doc:meta])* $name:ident<$($digit:ident),+>;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name<$(const $digit: u8),+>;

        impl<$(const $digit: u8),+> Dim for $name<$($digit),+> {
            const SIZE: Size = Size::Known(<Self as Static>::N);

            fn size(self) -> usize {
                <Self as Static>::N
            }

            fn from_size(size: usize) -> Option<Self> {
                (size == <Self as Static>::N).then_some(Self)
            }
        }

        impl<$(const $digit: u8),+> Static for $name<$($digit),+> {
            const N: usize = {
                let mut size = 0;
                $(size = size * 10 + $digit as usize;)+
                size
            };
        }
    )+};
}

static_dimensions! {
    /// A size of one digit.
    Dim1<A>;
    /// A size of two digits: `Dim2<2, 8>` is 28.
    Dim2<A, B>;
    /// A size of three digits: `Dim3<7, 8, 4>` is 784.
    Dim3<A, B, C>;
    /// A size of four digits.
    Dim4<A, B, C, D>;
    /// A size of five digits.
    Dim5<A, B, C, D, E>;
    /// A size of six digits.
    Dim6<A, B, C, D, E, F>;
    /// A size of seven digits.
    Dim7<A, B, C, D, E, F, G>;
    /// A size of eight digits.
    Dim8<A, B, C, D, E, F, G, H>;
    /// A size of nine digits.
    Dim9<A, B, C, D, E, F, G, H, I>;
}

/// `U0` to `U1024`: the dimensions under typenum's names. `dim!(50257)` names any other.
pub mod names {
    flaxen_macros::__dimension_names!();
}
