//! The shapes of attention: queries `[.., Q, H, D]`, keys `[.., K, H, D]`, weights `[.., H, Q, K]`, values `[.., K, H, V]`,
//! with any dimensions in front that all have.

use super::{Dim, Message, Rule, Shape, Sizes, SplitLast};

/// Queries `[.., Q, H, D]` that go with keys of shape `Keys`.
#[diagnostic::on_unimplemented(
    message = "queries `{Self}` do not go with keys `{Keys}`",
    label = "queries are [.., Q, H, D] and keys [.., K, H, D], with the same dimensions in front, heads and depth"
)]
pub trait Attention<Keys>: Shape {
    /// `[.., H, Q, K]`
    type Weights: SplitLast;
}

/// Weights `[.., H, Q, K]` that go with values of shape `Values`.
#[diagnostic::on_unimplemented(
    message = "attention weights `{Self}` do not go with values `{Values}`",
    label = "weights are [.., H, Q, K] and values [.., K, H, V], with the same dimensions in front, heads and number of keys"
)]
pub trait Attends<Values>: Shape {
    /// `[.., Q, H, V]`
    type Out: Shape;
}

macro_rules! attention {
    ($($($front:ident)*;)+) => {$(
        impl<$($front: Dim,)* Q: Dim, K: Dim, H: Dim, D: Dim> Attention<($($front,)* K, H, D)>
            for ($($front,)* Q, H, D)
        {
            type Weights = ($($front,)* H, Q, K);
        }

        impl<$($front: Dim,)* Q: Dim, K: Dim, H: Dim, V: Dim> Attends<($($front,)* K, H, V)>
            for ($($front,)* H, Q, K)
        {
            type Out = ($($front,)* Q, H, V);
        }
    )+};
}

attention! {
    ;
    A;
    A B;
    A B C;
}

/// The rule in numbers of the weights.
pub const fn weights(op: &str, queries: Sizes, keys: Sizes) -> Rule {
    let rank = queries.rank();
    let mut fits = rank >= 3 && keys.rank() == rank;
    let mut axis = 0;
    while fits && axis < rank {
        fits = axis + 3 == rank || !queries.at(axis).differs(keys.at(axis));
        axis += 1;
    }
    if !fits {
        let message =
            Message::new(op).text(": queries ").sizes(queries).text(" do not go with keys ").sizes(keys);
        return Rule::Refused(message.text("; only their numbers, third from the end, may differ"));
    }
    let (heads, depth) = (queries.from_end(1).or(keys.from_end(1)), queries.from_end(2));
    let out = queries.or(keys).with(rank - 3, heads).with(rank - 2, depth);
    Rule::Out(out.with(rank - 1, keys.from_end(2)))
}

/// The rule in numbers of the sums of values.
pub const fn values(op: &str, weights: Sizes, values: Sizes) -> Rule {
    let rank = weights.rank();
    let mut fits = rank >= 3 && values.rank() == rank;
    let mut axis = 0;
    while fits && axis + 3 < rank {
        fits = !weights.at(axis).differs(values.at(axis));
        axis += 1;
    }
    if !fits
        || weights.from_end(2).differs(values.from_end(1))
        || weights.from_end(0).differs(values.from_end(2))
    {
        let message = Message::new(op).text(": weights ").sizes(weights).text(" do not go with values ");
        return Rule::Refused(message.sizes(values).text("; they are [.., H, Q, K] and [.., K, H, V]"));
    }
    let (queries, heads) = (weights.from_end(1), weights.from_end(2).or(values.from_end(1)));
    let out = weights.with(rank - 3, queries).with(rank - 2, heads);
    Rule::Out(out.with(rank - 1, values.from_end(0)))
}
