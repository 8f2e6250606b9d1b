//! A shape with its axes in another order.

use super::axis::HasAxis;
use super::dim::Dim;
use super::{Message, Rule, Shape, Sizes, Static};

/// A shape read backwards: [`Out`](Reverse::Out) is that of the transpose.
pub trait Reverse: Shape {
    /// The reversed shape.
    type Out: Shape;
}

macro_rules! reverse {
    ($([$($dim:ident)*] [$($reversed:ident)*];)+) => {$(
        impl<$($dim: Dim),*> Reverse for ($($dim,)*) {
            type Out = ($($reversed,)*);
        }
    )+};
}

reverse! {
    [] [];
    [A] [A];
    [A B] [B A];
    [A B C] [C B A];
    [A B C D] [D C B A];
    [A B C D E] [E D C B A];
    [A B C D E F] [F E D C B A];
}

/// A list of axes: a tuple of static dimensions.
pub trait Axes {
    /// The axes as numbers.
    const NUMBERS: &'static [usize];
}

/// A shape whose axes are taken in the order of the list `L`.
#[diagnostic::on_unimplemented(
    message = "the axes of `{Self}` cannot be taken in the order `{L}`",
    label = "every axis is named once, counted from 0"
)]
pub trait Permute<L: Axes>: Shape {
    /// The shape in the new order.
    type Out: Shape;
}

macro_rules! permute {
    ($($($axis:ident $dim:ident)+;)+) => {$(
        impl<$($axis: Static),+> Axes for ($($axis,)+) {
            const NUMBERS: &'static [usize] = &[$($axis::N),+];
        }

        impl<$($axis: Static, $dim: Dim),+> Permute<($($axis,)+)> for ($($dim,)+)
        where
            $(Self: HasAxis<$axis>),+
        {
            type Out = ($(<Self as HasAxis<$axis>>::Size,)+);
        }
    )+};
}

permute! {
    I A J B;
    I A J B K C;
    I A J B K C L D;
}

/// The rule in numbers, for the op called `op`.
pub const fn permuted(op: &str, x: Sizes, axes: &[usize]) -> Rule {
    if x.rank() != axes.len() {
        let message =
            Message::new(op).text(": ").number(axes.len()).text(" axes are given, ").sizes(x).text(" has ");
        return Rule::Refused(message.number(x.rank()));
    }
    let (mut out, mut place) = (x, 0);
    while place < axes.len() {
        let mut before = 0;
        while before < place {
            if axes[before] == axes[place] {
                let message =
                    Message::new(op).text(": the axis ").number(axes[place]).text(" is given twice");
                return Rule::Refused(message);
            }
            before += 1;
        }
        if axes[place] >= x.rank() {
            return super::axis::has_axis(op, x, axes[place]);
        }
        out = out.with(place, x.at(axes[place]));
        place += 1;
    }
    Rule::Out(out)
}
