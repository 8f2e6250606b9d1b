//! The logarithm of the hyperbolic cosine of the error, as `optax.log_cosh`: smooth, and straight far from zero.

use super::regression::of_predictions_and_targets;
use crate::op::{self, Op as _};
use crate::ops::{Elementwise, Input};
use crate::tensor::{Float, Tensor};

/// `ln cosh error`
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
        let distance = error.abs();
        let tail = (-(distance + distance)).exp();
        distance + tail.ln_1p() - E::from_f64(std::f64::consts::LN_2)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, error: E, cotangent: E) -> E {
        cotangent * error.tanh()
    }
}

of_predictions_and_targets!(Op, "log_cosh");

/// `ln cosh error` `error` is `predictions - targets`, as in `optax.log_cosh`.
pub fn log_cosh<A, B>(predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
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
    fn large_errors_do_not_overflow() {
        let loss = Op.infer(Tensor::<(U2,)>::of(&[-500.0, 1e4]).unwrap());
        let expected = [500.0, 1e4].map(|distance: f32| distance - std::f32::consts::LN_2);
        assert_eq!(loss.as_slice(), expected);
    }

    #[test]
    #[should_panic = "log_cosh: predictions [2] and targets [3] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let vector = |size| Tensor::<(Dyn,)>::zeros((Dyn(size),));
        log_cosh(vector(2), vector(3));
    }
}
