//! The matrix product: `[.., K] · [K, N] = [.., N]`, in types and in numbers.

use super::{Dim, Message, Rule, Shape, Sizes, SplitLast};

/// Two dimensions that are one: the inner ones of a product.
#[diagnostic::on_unimplemented(
    message = "the sizes `{Self}` and `{Other}` differ",
    label = "one side has `{Self}` features, the other takes `{Other}`"
)]
pub trait Contracts<Other> {}

impl<D: Dim> Contracts<D> for D {}

/// A shape `[.., K]` that can be multiplied with a matrix of shape `Right`, `[K, N]`.
#[diagnostic::on_unimplemented(
    message = "no matrix product of `{Self}` and `{Right}`",
    label = "the right side is a matrix `[K, N]`, the left side `[.., K]`"
)]
pub trait MatMul<Right>: SplitLast {
    /// `[.., N]`
    type Out: Shape;
}

impl<S: SplitLast, K: Dim, N: Dim> MatMul<(K, N)> for S
where
    S::Last: Contracts<K>,
{
    type Out = S::WithLast<N>;
}

/// The rule in numbers of `left · right`; `op` is who refuses.
#[inline]
pub const fn product(op: &str, left: Sizes, right: Sizes) -> Rule {
    if left.rank() == 0 || right.rank() != 2 {
        let message = Message::new(op).text(": expects [.., K] x [K, N], got ");
        return Rule::Refused(message.sizes(left).text(" x ").sizes(right));
    }
    if left.from_end(0).differs(right.at(0)) {
        let message = Message::new(op).text(": inner sizes differ: ");
        return Rule::Refused(message.sizes(left).text(" x ").sizes(right));
    }
    Rule::Out(left.with(left.rank() - 1, right.at(1)))
}
