//! One less the cosine of the angle between rows, as `optax.cosine_distance`.

use super::{cosine_similarity, sizes};
use crate::backend::map::{self, Function};
use crate::op::{self, Differentiable, Need, Op as _};
use crate::ops::neg;
use crate::shape::{Rule, Shape, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `1 - cosine_similarity(predictions, targets)` along the last axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op {
    similarity: cosine_similarity::Op,
}

impl Op {
    /// The op. With an `epsilon` of 0 the distance to a row of zeros is NaN.
    pub const fn new(epsilon: f64) -> Self {
        Op { similarity: cosine_similarity::Op::new(epsilon) }
    }

    /// The rule in numbers: `[.., N]` and `[.., N]` become `[..]`.
    pub const fn shape([predictions, targets]: [Sizes; 2]) -> Rule {
        sizes::rows("cosine_distance", ["predictions", "targets"], predictions, targets)
    }
}

struct OneLess;

impl<E: Float> Function<E> for OneLess {
    type Out = E;

    #[inline(always)]
    fn at(&self, x: E) -> E {
        E::ONE - x
    }
}

fn one_less<S: Shape, E: Float>(mut x: Tensor<S, E>) -> Tensor<S, E> {
    map::map_in_place(&OneLess, x.as_mut_slice());
    x
}

impl<S: SplitLast, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for Op {
    type Out = Tensor<S::Front, E>;

    fn infer(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> Self::Out {
        sizes::check(Op::shape, &predictions, &targets);
        one_less(self.similarity.infer((predictions, targets)))
    }
}

impl<S: SplitLast, E: Float, NA: Need, NB: Need> Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)>
    for Op
{
    /// Predictions and targets.
    type Residuals = (Tensor<S, E>, Tensor<S, E>);

    fn forward(&self, inputs: (Tensor<S, E>, Tensor<S, E>)) -> (Self::Out, Self::Residuals) {
        (self.infer(inputs.clone()), inputs)
    }

    fn backward(
        &self,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
        let cotangent = neg(cotangent);
        Differentiable::<_, (NA, NB)>::backward(&self.similarity, residuals, cotangent)
    }
}

/// One less the cosine of the angle between rows, as `optax.cosine_distance`.
pub fn cosine_distance<A, B>(predictions: A, targets: B, epsilon: f64) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op::new(epsilon).infer((predictions, targets))
}

#[cfg(test)]
mod tests {
    use super::Op;
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        let shape = (Dyn(5), U7::default());
        testing::gradient2(&Op::new(0.0), testing::random(shape, 1), testing::random(shape, 2));
    }
}
