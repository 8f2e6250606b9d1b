//! A shape taken apart before its last few axes, and two shapes put together.

use super::dim::Dim1;
use super::{Dim, Shape};

/// A shape of at least `A` dimensions, taken apart before the last `A` of them; `A` is a static dimension.
#[diagnostic::on_unimplemented(
    message = "the shape `{Self}` has no `{A}` last axes",
    label = "a tensor of more dimensions is needed here"
)]
pub trait SplitTrailing<A>: Shape {
    /// The dimensions before.
    type Leading: Shape;
    /// The last dimensions.
    type Trailing: Shape;
}

/// A shape to which the dimensions of another can be added at the end.
#[diagnostic::on_unimplemented(
    message = "the dimensions `{Self}` and `{Rhs}` are no shape together",
    label = "a tensor has six dimensions at most"
)]
pub trait Join<Rhs>: Shape {
    /// The dimensions of both.
    type Out: Shape;
}

macro_rules! trailing {
    ($($count:literal: [$($front:ident)*] [$($back:ident)*];)+) => {$(
        impl<$($front: Dim,)* $($back: Dim),*> SplitTrailing<Dim1<$count>> for ($($front,)* $($back,)*) {
            type Leading = ($($front,)*);
            type Trailing = ($($back,)*);
        }
    )+};
}

trailing! {
    1: [] [Z];
    1: [A] [Z];
    1: [A B] [Z];
    1: [A B C] [Z];
    1: [A B C D] [Z];
    1: [A B C D E] [Z];
    2: [] [Y Z];
    2: [A] [Y Z];
    2: [A B] [Y Z];
    2: [A B C] [Y Z];
    2: [A B C D] [Y Z];
    3: [] [X Y Z];
    3: [A] [X Y Z];
    3: [A B] [X Y Z];
    3: [A B C] [X Y Z];
}

macro_rules! join {
    ($([$($front:ident)*] [$($back:ident)*];)+) => {$(
        impl<$($front: Dim,)* $($back: Dim),*> Join<($($back,)*)> for ($($front,)*) {
            type Out = ($($front,)* $($back,)*);
        }
    )+};
}

join! {
    [] [U];
    [A] [U];
    [A B] [U];
    [A B C] [U];
    [A B C D] [U];
    [A B C D E] [U];
    [] [U V];
    [A] [U V];
    [A B] [U V];
    [A B C] [U V];
    [A B C D] [U V];
    [] [U V W];
    [A] [U V W];
    [A B] [U V W];
    [A B C] [U V W];
}
