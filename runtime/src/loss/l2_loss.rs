//! Half the squared error, as `optax.l2_loss`.

use super::regression::of_predictions_and_targets;
use crate::op::{self, Op as _};
use crate::ops::{Elementwise, Input};
use crate::tensor::{Float, Tensor};

/// `error² / 2`
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, error: E) -> E {
        E::from_f64(0.5) * (error * error)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, error: E, cotangent: E) -> E {
        cotangent * error
    }
}

of_predictions_and_targets!(Op, "l2_loss");

/// `error² / 2` `error` is `predictions - targets`, as in `optax.l2_loss`.
pub fn l2_loss<A, B>(predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((predictions, targets))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        let shape = (Dyn(5), U7::default());
        let (a, b) = (testing::random(shape, 1), testing::random(shape, 2));
        testing::gradient2(&Op, a.clone(), b);
        testing::gradient2(&Op, testing::random((Dyn(0),), 1), testing::random((Dyn(0),), 2));
        testing::gradient2(&Op, testing::random((), 1), testing::random((), 2));
        testing::gradient(&Op, a);
    }

    #[test]
    #[should_panic = "l2_loss: predictions [2] and targets [3] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let vector = |size| Tensor::<(Dyn,)>::zeros((Dyn(size),));
        l2_loss(vector(2), vector(3));
    }
}
