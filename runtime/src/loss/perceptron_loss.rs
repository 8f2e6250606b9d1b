//! The perceptron loss of scores and targets of -1 or 1, as `optax.losses.perceptron_loss`.

use super::pairwise::{Pairwise, pairwise_op};
use crate::op::{self, Op as _};
use crate::tensor::{Float, Tensor};

/// `max(0, -predictions targets)`, element by element.
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
    fn value<E: Float>(&self, predictions: E, targets: E) -> E {
        let wrong = -predictions * targets;
        if wrong < E::ZERO { E::ZERO } else { wrong }
    }

    #[inline(always)]
    fn partial_a<E: Float>(&self, predictions: E, targets: E) -> E {
        -targets * step(-predictions * targets)
    }

    #[inline(always)]
    fn partial_b<E: Float>(&self, predictions: E, targets: E) -> E {
        -predictions * step(-predictions * targets)
    }
}

pairwise_op!(Op, elements, "perceptron_loss", ["predictions", "targets"]);

/// `max(0, -predictions targets)`, element by element. As `optax.losses.perceptron_loss`.
pub fn perceptron_loss<A, B>(predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((predictions, targets))
}

/// The derivative of `max(0, x)`, half of one where the two are equal as in JAX.
#[inline(always)]
fn step<E: Float>(x: E) -> E {
    if x > E::ZERO {
        E::ONE
    } else if x == E::ZERO {
        E::from_f64(0.5)
    } else {
        E::ZERO
    }
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
    #[should_panic = "perceptron_loss: predictions [2, 4] and targets [3, 4] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let rows = |rows| Tensor::<(Dyn, U4)>::zeros((Dyn(rows), U4::default()));
        perceptron_loss(rows(2), rows(3));
    }
}
