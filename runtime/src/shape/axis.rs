//! Relations between a shape and one of its axes, which is a type: [`Dim1<1>`](Dim1) is the second.

use super::arithmetic::DimAdd;
use super::dim::*;
use super::{Dim, Message, Rule, Shape, Sizes, Static};

/// A shape that has the axis `A`.
#[diagnostic::on_unimplemented(
    message = "the shape `{Self}` has no axis `{A}`",
    label = "axes count from 0, and there are fewer"
)]
pub trait HasAxis<A: Static>: Shape {
    /// The size of the axis.
    type Size: Dim;
    /// The shape without the axis.
    type Removed: Shape;
    /// The shape with another size of the axis.
    type Replaced<D: Dim>: Shape;
}

/// Two shapes that are equal but for the axis `A`, along which they can be joined.
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{Rhs}` cannot be joined along the axis `{A}`",
    label = "the other sizes differ, or there is no such axis"
)]
pub trait Concat<Rhs, A: Static>: HasAxis<A> {
    /// The shape of both, one after the other.
    type Out: Shape;
}

/// A shape of at most five dimensions, between which one can be put as the axis `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot have one more dimension as the axis `{A}`",
    label = "axes count from 0, and a tensor has six dimensions at most"
)]
pub trait InsertAxis<A: Static>: Shape {
    /// The longer shape.
    type Inserted<D: Dim>: Shape;
}

/// A shape of at most five dimensions, to which one can be added at the end.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot have one more dimension",
    label = "a tensor has six dimensions at most"
)]
pub trait Append<D: Dim>: Shape {
    /// The longer shape.
    type Out: Shape;
}

macro_rules! axes {
    ($($axis:literal: $($front:ident)*, $($back:ident)*;)+) => {$(
        impl<$($front: Dim,)* X: Dim, $($back: Dim),*> HasAxis<Dim1<$axis>> for ($($front,)* X, $($back,)*) {
            type Size = X;
            type Removed = ($($front,)* $($back,)*);
            type Replaced<N: Dim> = ($($front,)* N, $($back,)*);
        }

        impl<$($front: Dim,)* X: DimAdd<Y>, Y: Dim, $($back: Dim),*>
            Concat<($($front,)* Y, $($back,)*), Dim1<$axis>> for ($($front,)* X, $($back,)*)
        {
            type Out = ($($front,)* X::Out, $($back,)*);
        }
    )+};
}

axes! {
    0: ,;
    0: , A;
    0: , A B;
    0: , A B C;
    0: , A B C D;
    0: , A B C D E;
    1: A, ;
    1: A, B;
    1: A, B C;
    1: A, B C D;
    1: A, B C D E;
    2: A B, ;
    2: A B, C;
    2: A B, C D;
    2: A B, C D E;
    3: A B C, ;
    3: A B C, D;
    3: A B C, D E;
    4: A B C D, ;
    4: A B C D, E;
    5: A B C D E, ;
}

macro_rules! insert {
    ($($axis:literal: $($front:ident)*, $($back:ident)*;)+) => {$(
        impl<$($front: Dim,)* $($back: Dim),*> InsertAxis<Dim1<$axis>> for ($($front,)* $($back,)*) {
            type Inserted<X: Dim> = ($($front,)* X, $($back,)*);
        }
    )+};
}

insert! {
    0: ,;
    0: , A;
    0: , A B;
    0: , A B C;
    0: , A B C D;
    0: , A B C D E;
    1: A, ;
    1: A, B;
    1: A, B C;
    1: A, B C D;
    1: A, B C D E;
    2: A B, ;
    2: A B, C;
    2: A B, C D;
    2: A B, C D E;
    3: A B C, ;
    3: A B C, D;
    3: A B C, D E;
    4: A B C D, ;
    4: A B C D, E;
    5: A B C D E, ;
}

macro_rules! append {
    ($($($dim:ident)*;)+) => {$(
        impl<$($dim: Dim,)* Z: Dim> Append<Z> for ($($dim,)*) {
            type Out = ($($dim,)* Z,);
        }
    )+};
}

append! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
}

/// Several axes, a tuple of [`Static`] numbers: `(U0, U2)`, or `()` for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of axes",
    label = "write axes as `(1,)` or `(0, 2)`"
)]
pub trait Axes: 'static {
    /// The axes as numbers.
    const AXES: &'static [usize];

    /// Whether an axis is among them.
    fn contain(axis: usize) -> bool {
        Self::AXES.contains(&axis)
    }
}

/// The first of several axes that a tensor of this rank does not have.
pub const fn beyond<A: Axes>(rank: usize) -> Option<usize> {
    let mut index = 0;
    while index < A::AXES.len() {
        if A::AXES[index] >= rank {
            return Some(A::AXES[index]);
        }
        index += 1;
    }
    None
}

macro_rules! several {
    ($($($axis:ident)*;)+) => {$(
        impl<$($axis: Static),*> Axes for ($($axis,)*) {
            const AXES: &'static [usize] = &[$($axis::N),*];
        }
    )+};
}

several! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
}

/// The rule in numbers of an op that removes an axis.
pub const fn removed(op: &str, x: Sizes, axis: usize) -> Rule {
    match has_axis(op, x, axis) {
        Rule::Out(x) => Rule::Out(x.without(axis)),
        refused => refused,
    }
}

/// The sizes themselves, where they have the axis.
pub const fn has_axis(op: &str, x: Sizes, axis: usize) -> Rule {
    if axis < x.rank() {
        return Rule::Out(x);
    }
    let message = Message::new(op).text(": there is no axis ").number(axis).text(" in ").sizes(x);
    Rule::Refused(message.text("; axes count from 0"))
}

/// The rule in numbers of an op that works along the last axis: the sizes before it.
pub const fn without_last(op: &str, x: Sizes) -> Rule {
    match has_last(op, x) {
        Rule::Out(x) => Rule::Out(x.without(x.rank() - 1)),
        refused => refused,
    }
}

/// The sizes themselves, where there is a last axis.
pub const fn has_last(op: &str, x: Sizes) -> Rule {
    if x.rank() == 0 {
        return Rule::Refused(Message::new(op).text(": a scalar has no last axis"));
    }
    Rule::Out(x)
}
