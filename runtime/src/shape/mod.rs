//! Shapes are types: tuples of dimensions.
//!
//! Enters: dimensions. Leaves: the [`Shape`] of a tensor, what can be computed from shapes in types, and the
//! same rules in numbers ([`Sizes`]), which speak when a shape is wrong.

pub mod arithmetic;
pub mod attention;
pub mod axis;
pub mod broadcast;
pub mod decimal;
pub mod dim;
pub mod divide;
pub mod halve;
pub mod heads;
pub mod matmul;
mod message;
pub mod permute;
mod rank;
pub mod reshape;
mod sizes;
pub mod trailing;
pub mod window;

pub use dim::{Batch, Dim, Dyn, Static};
pub use message::Message;
pub use rank::{SplitFirst, SplitLast};
pub use sizes::{Rule, Size, Sizes, arm, carried, declared, returns, signature, unchanged, written};

use std::fmt::Debug;

/// The largest number of dimensions of a tensor.
pub const MAX_RANK: usize = 6;

/// The shape of a tensor: a tuple of up to six dimensions, `()` for a scalar.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "a shape is a tuple of dimensions; write `Tensor![B, 28, 28, 1]`"
)]
pub trait Shape: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The number of dimensions.
    const RANK: usize;
    /// The sizes that the type knows, for the shape rules in numbers.
    const STATIC: Sizes;
    /// An array of `RANK` sizes.
    type Array: AsRef<[usize]> + Copy + Debug;

    /// The sizes, outermost first.
    fn sizes(self) -> Self::Array;

    /// The shape with these sizes, or `None` where the type says otherwise.
    fn from_sizes(sizes: &[usize]) -> Option<Self>;

    /// The number of elements.
    fn elements(self) -> usize {
        self.sizes().as_ref().iter().product()
    }
}

/// A shape whose every size is part of its type.
#[diagnostic::on_unimplemented(
    message = "every size of the shape `{Self}` must be known when the program is compiled",
    label = "a size here is `Dyn`"
)]
pub trait StaticShape: Shape + Default {}

macro_rules! shapes {
    ($($rank:literal: $($dim:ident)*;)+) => {$(
        impl<$($dim: Dim),*> Shape for ($($dim,)*) {
            const RANK: usize = $rank;
            const STATIC: Sizes = Sizes::new(&[$(Size::of::<$dim>()),*]);
            type Array = [usize; $rank];

            #[allow(non_snake_case)]
            fn sizes(self) -> [usize; $rank] {
                let ($($dim,)*) = self;
                [$($dim.size()),*]
            }

            #[allow(non_snake_case)]
            fn from_sizes(sizes: &[usize]) -> Option<Self> {
                let &[$($dim),*] = sizes else { return None };
                Some(($($dim::from_size($dim)?,)*))
            }
        }

        impl<$($dim: Static),*> StaticShape for ($($dim,)*) {}
    )+};
}

shapes! {
    0: ;
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
}
