//! The squared error, as `optax.squared_error`.

use super::regression::of_predictions_and_targets;
use crate::op::{self, Op as _};
use crate::ops::{Elementwise, Input};
use crate::tensor::{Float, Tensor};

/// `error²`
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
        error * error
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, error: E, cotangent: E) -> E {
        cotangent * (error + error)
    }
}

of_predictions_and_targets!(Op, "squared_error");

/// `error²` `error` is `predictions - targets`, as in `optax.squared_error`.
pub fn squared_error<A, B>(predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
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
    #[should_panic = "squared_error: predictions [2] and targets [3] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let vector = |size| Tensor::<(Dyn,)>::zeros((Dyn(size),));
        squared_error(vector(2), vector(3));
    }
}
