//! The cosine of the angle between rows, as `optax.cosine_similarity`.

use super::rows::{self, Row};
use super::sizes;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::{Rule, Shape, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `Σ a b / (|a| |b|)` along the last axis, where `|a|` is `sqrt(max(Σ a², epsilon))`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op {
    epsilon: f64,
}

impl Op {
    /// The op. With an `epsilon` of 0 the similarity to a row of zeros is NaN.
    pub const fn new(epsilon: f64) -> Self {
        Op { epsilon }
    }

    /// The rule in numbers: `[.., N]` and `[.., N]` become `[..]`.
    pub const fn shape([predictions, targets]: [Sizes; 2]) -> Rule {
        sizes::rows("cosine_similarity", ["predictions", "targets"], predictions, targets)
    }
}

impl<S: SplitLast, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for Op {
    type Out = Tensor<S::Front, E>;

    fn infer(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> Self::Out {
        sizes::check(Op::shape, &predictions, &targets);
        rows::reduce(&Value(*self), &predictions, &targets)
    }
}

impl<S: SplitLast, E: Float, NA: Need, NB: Need> Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)>
    for Op
{
    /// Predictions and targets.
    type Residuals = (Tensor<S, E>, Tensor<S, E>);

    fn forward(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> (Self::Out, Self::Residuals) {
        (self.infer((predictions.clone(), targets.clone())), (predictions, targets))
    }

    fn backward(
        &self,
        (predictions, targets): Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
        let gradient = |of: &Tensor<S, E>, with: &Tensor<S, E>| {
            let count = rows::front(of.shape()).elements();
            Tensor::written(of.shape(), |out| {
                let read = [of.as_slice(), with.as_slice(), cotangent.as_slice()];
                rows::for_each(count, &Gradient(*self), read, [out]);
            })
        };
        (NA::when(|| gradient(&predictions, &targets)), NB::when(|| gradient(&targets, &predictions)))
    }
}

/// The clipped norm of a row, and whether the row itself, and not `epsilon`, decides it.
#[inline(always)]
fn norm<E: Float>(row: &[E], epsilon: f64) -> (E, bool) {
    let (squares, epsilon) = (rows::sum(row, row, |a, b| a * b), E::from_f64(epsilon));
    if squares < epsilon { (epsilon.sqrt(), false) } else { (squares.sqrt(), true) }
}

struct Value(Op);

impl<E: Float> Row<E, 2, 1> for Value {
    #[inline(always)]
    fn row(&self, _: usize, [a, b]: [&[E]; 2], [out]: [&mut [E]; 1]) {
        let ((a_norm, _), (b_norm, _)) = (norm(a, self.0.epsilon), norm(b, self.0.epsilon));
        out[0] = rows::sum(a, b, |a, b| a / a_norm * (b / b_norm));
    }
}

/// The gradient with respect to `a`.
struct Gradient(Op);

impl<E: Float> Row<E, 3, 1> for Gradient {
    #[inline(always)]
    fn row(&self, _: usize, [a, b, cotangent]: [&[E]; 3], [out]: [&mut [E]; 1]) {
        let ((a_norm, varies), (b_norm, _)) = (norm(a, self.0.epsilon), norm(b, self.0.epsilon));
        let cosine = rows::sum(a, b, |a, b| a / a_norm * (b / b_norm));
        // A norm that is `epsilon`'s does not change with the row.
        let along = if varies { cosine } else { E::ZERO };
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = cotangent[0] * (b / b_norm - along * (a / a_norm)) / a_norm;
        }
    }
}

/// The cosine of the angle between rows, as `optax.cosine_similarity`.
pub fn cosine_similarity<A, B>(predictions: A, targets: B, epsilon: f64) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op::new(epsilon).infer((predictions, targets))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        for rows in [5, 1, 0] {
            let shape = (Dyn(rows), U7::default());
            testing::gradient2(&Op::new(0.0), testing::random(shape, 1), testing::random(shape, 2));
            testing::gradient2(&Op::new(1e3), testing::random(shape, 1), testing::random(shape, 2));
        }
    }

    #[test]
    fn rows_of_zeros_need_an_epsilon() {
        let (zeros, ones) =
            (Tensor::<(U2,)>::zeros(Default::default()), Tensor::full(Default::default(), 1.0));
        assert!(cosine_similarity(zeros.clone(), ones.clone(), 0.0).item().is_nan());
        assert_eq!(cosine_similarity(zeros, ones, 1e-6).item(), 0.0);
    }
}
