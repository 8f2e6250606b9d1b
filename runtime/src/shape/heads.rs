//! The shapes of attention with several heads, from inputs `[.., T, I]` to outputs `[.., T, O]`.

use super::attention::{Attends, Attention};
use super::divide::Divided;
use super::{Dim, Shape, SplitLast, Static};

/// Inputs of queries `[.., T, I]` that go with inputs of keys and of values, `[.., S, ..]`, in attention of `H` heads.
///
/// The heads have `Q` features together and the outputs `O`; either may be `()`, for as many as the inputs of queries.
#[diagnostic::on_unimplemented(
    message = "queries `{Self}` do not go with keys `{Keys}` and values `{Values}` and `{H}` heads",
    label = "queries are [.., T, I], keys and values [.., S, J], with the same dimensions in front; the heads divide the features"
)]
pub trait Heads<Keys, Values, H: Static, Q, O>: Shape {
    /// Features of the inputs of queries.
    type OfQueries: Static;
    /// Features of the inputs of keys.
    type OfKeys: Static;
    /// Features of the inputs of values.
    type OfValues: Static;
    /// Features of a head.
    type Depth: Static;
    /// Features of the outputs.
    type OfOutputs: Static;
    /// `[.., T, H, D]`
    type Queries: Attention<Self::Keys, Weights = Self::Weights> + SplitLast<Last = Self::Depth>;
    /// `[.., S, H, D]`, of keys and of values.
    type Keys: SplitLast<Last = Self::Depth>;
    /// `[.., H, T, S]`
    type Weights: Attends<Self::Keys, Out = Self::Queries> + SplitLast;
    /// `[.., T, O]`
    type Out: Shape;
}

macro_rules! heads {
    ($($($front:ident)*;)+) => {$(
        impl<$($front: Dim,)* T: Dim, S: Dim, I: Static, J: Static, K: Static, H: Static, Q, O>
            Heads<($($front,)* S, J), ($($front,)* S, K), H, Q, O> for ($($front,)* T, I)
        where
            Q: OrElse<I, Out: Divided<H, Out: Static>>,
            O: OrElse<I>,
        {
            type OfQueries = I;
            type OfKeys = J;
            type OfValues = K;
            type Depth = <Q::Out as Divided<H>>::Out;
            type OfOutputs = O::Out;
            type Queries = ($($front,)* T, H, Self::Depth);
            type Keys = ($($front,)* S, H, Self::Depth);
            type Weights = ($($front,)* H, T, S);
            type Out = ($($front,)* T, O::Out);
        }
    )+};
}

heads! {
    ;
    A;
    A B;
    A B C;
}

/// A size that may be left out, `()`: then it is another one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a size nor `()`",
    label = "write a number of features, or leave it out"
)]
pub trait OrElse<Other: Static>: Given {
    /// The size.
    type Out: Static;
}

/// A size that may be left out, in numbers.
pub trait Given: Clone + PartialEq + 'static {
    /// The size, where one is given.
    const GIVEN: Option<usize>;
}

impl Given for () {
    const GIVEN: Option<usize> = None;
}

impl<D: Static> Given for D {
    const GIVEN: Option<usize> = Some(D::N);
}

impl<Other: Static> OrElse<Other> for () {
    type Out = Other;
}

impl<D: Static, Other: Static> OrElse<Other> for D {
    type Out = D;
}
