//! The matrix product in types: `[.., K] · [K, N] = [.., N]`.

use super::{Dim, Shape, SplitLast};

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
