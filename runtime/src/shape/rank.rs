//! A shape without its first or its last dimension, for layers and ops that leave the other dimensions alone.

use super::{Dim, Shape};

/// A shape of at least one dimension, taken apart before its last one.
#[diagnostic::on_unimplemented(message = "`{Self}` has no last dimension", label = "a scalar was given")]
pub trait SplitLast: Shape {
    /// All dimensions but the last.
    type Front: Shape;
    /// The last dimension.
    type Last: Dim;
    /// The shape with another last dimension.
    type WithLast<D: Dim>: SplitLast<Front = Self::Front, Last = D>;

    /// The last dimension.
    fn last(self) -> Self::Last;
}

/// A shape of at least one dimension, taken apart after its first one.
#[diagnostic::on_unimplemented(message = "`{Self}` has no first dimension", label = "a scalar was given")]
pub trait SplitFirst: Shape {
    /// The first dimension.
    type First: Dim;
    /// All dimensions but the first.
    type Rest: Shape;
    /// The shape with another first dimension.
    type WithFirst<D: Dim>: SplitFirst<First = D, Rest = Self::Rest>;
}

macro_rules! split {
    ($($($front:ident)*;)+) => {$(
        impl<$($front: Dim,)* Z: Dim> SplitLast for ($($front,)* Z,) {
            type Front = ($($front,)*);
            type Last = Z;
            type WithLast<N: Dim> = ($($front,)* N,);

            fn last(self) -> Z {
                let (.., last) = self;
                last
            }
        }

        impl<Z: Dim, $($front: Dim,)*> SplitFirst for (Z, $($front,)*) {
            type First = Z;
            type Rest = ($($front,)*);
            type WithFirst<N: Dim> = (N, $($front,)*);
        }
    )+};
}

split! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
}
