//! The Kullback-Leibler divergence of predictions, given as logarithms, from targets, as `optax.kl_divergence`.

use super::pairwise::{Pairwise, pairwise_op};
use crate::op::{self, Op as _};
use crate::tensor::{Float, Tensor};

/// `Σ targets (ln targets - log_predictions)` along the last axis; a target of zero adds nothing.
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
    fn value<E: Float>(&self, log_predictions: E, targets: E) -> E {
        targets * (log_or_zero(targets) - log_predictions)
    }

    #[inline(always)]
    fn partial_a<E: Float>(&self, _: E, targets: E) -> E {
        -targets
    }

    #[inline(always)]
    fn partial_b<E: Float>(&self, log_predictions: E, targets: E) -> E {
        let slope = if targets == E::ZERO { E::ZERO } else { E::ONE };
        log_or_zero(targets) - log_predictions + slope
    }
}

pairwise_op!(Op, row_sums, "kl_divergence", ["log_predictions", "targets"]);

/// `Σ targets (ln targets - log_predictions)` along the last axis; a target of zero adds nothing. As `optax.kl_divergence`.
pub fn kl_divergence<A, B>(log_predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((log_predictions, targets))
}

/// `ln x`, and 0 where `x` is 0.
#[inline(always)]
fn log_or_zero<E: Float>(x: E) -> E {
    if x == E::ZERO { E::ZERO } else { x.ln() }
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
            testing::gradient2(&Op, testing::random(shape, 1), testing::random_positive(shape, 2));
        }
        let shape = (U2::default(), U2::default(), U37::default());
        testing::gradient2(&Op, testing::random(shape, 1), testing::random_positive(shape, 2));
    }

    #[test]
    #[should_panic = "kl_divergence: log_predictions [2, 4] and targets [3, 4] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let rows = |rows| Tensor::<(Dyn, U4)>::zeros((Dyn(rows), U4::default()));
        kl_divergence(rows(2), rows(3));
    }
}
