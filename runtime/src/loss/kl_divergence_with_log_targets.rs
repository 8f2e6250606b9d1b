//! The Kullback-Leibler divergence where both are given as logarithms, as `optax.losses.kl_divergence_with_log_targets`.

use super::pairwise::{Pairwise, pairwise_op};
use crate::op::{self, Op as _};
use crate::tensor::{Float, Tensor};

/// `Σ exp(log_targets) (log_targets - log_predictions)` along the last axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }
}

impl Pairwise for Op {
    #[inline(always)]
    fn value<E: Float>(&self, log_predictions: E, log_targets: E) -> E {
        log_targets.exp() * (log_targets - log_predictions)
    }

    #[inline(always)]
    fn partial_a<E: Float>(&self, _: E, log_targets: E) -> E {
        -log_targets.exp()
    }

    #[inline(always)]
    fn partial_b<E: Float>(&self, log_predictions: E, log_targets: E) -> E {
        log_targets.exp() * (log_targets - log_predictions + E::ONE)
    }
}

pairwise_op!(Op, row_sums, "kl_divergence_with_log_targets", ["log_predictions", "log_targets"]);

/// `Σ exp(log_targets) (log_targets - log_predictions)` along the last axis. As `optax.losses.kl_divergence_with_log_targets`.
pub fn kl_divergence_with_log_targets<A, B>(log_predictions: A, log_targets: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((log_predictions, log_targets))
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
            testing::gradient2(&Op, testing::random(shape, 1), testing::random(shape, 2));
        }
        let shape = (U2::default(), U2::default(), U37::default());
        testing::gradient2(&Op, testing::random(shape, 1), testing::random(shape, 2));
    }

    #[test]
    #[should_panic = "kl_divergence_with_log_targets: log_predictions [2, 4] and log_targets [3, 4] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let rows = |rows| Tensor::<(Dyn, U4)>::zeros((Dyn(rows), U4::default()));
        kl_divergence_with_log_targets(rows(2), rows(3));
    }
}
