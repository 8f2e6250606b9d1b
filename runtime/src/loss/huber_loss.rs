//! The Huber loss, as `optax.huber_loss`: squared near zero, straight beyond `delta`.

use super::regression::of_predictions_and_targets;
use crate::op::{self, Op as _};
use crate::ops::{Elementwise, Input};
use crate::tensor::{Float, Tensor};

/// `error² / 2` where `|error| <= delta`, and `delta (|error| - delta / 2)` elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    delta: f64,
}

impl Op {
    /// The op with this `delta`; 1 is usual.
    pub const fn new(delta: f64) -> Self {
        Op { delta }
    }
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, error: E) -> E {
        let (delta, distance) = (E::from_f64(self.delta), error.abs());
        let quadratic = if distance < delta { distance } else { delta };
        E::from_f64(0.5) * (quadratic * quadratic) + delta * (distance - quadratic)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, error: E, cotangent: E) -> E {
        let delta = E::from_f64(self.delta);
        let bounded = if error > delta { delta } else { error };
        cotangent * if bounded < -delta { -delta } else { bounded }
    }
}

of_predictions_and_targets!(Op, "huber_loss");

/// `error² / 2` where `|error| <= delta`, and `delta (|error| - delta / 2)` elsewhere. `error` is `predictions - targets`, as in `optax.huber_loss`.
pub fn huber_loss<A, B>(predictions: A, targets: B, delta: f64) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op::new(delta).infer((predictions, targets))
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
        testing::gradient2(&Op::new(0.7), a.clone(), b);
        testing::gradient2(&Op::new(0.7), testing::random((Dyn(0),), 1), testing::random((Dyn(0),), 2));
        testing::gradient2(&Op::new(0.7), testing::random((), 1), testing::random((), 2));
        testing::gradient(&Op::new(0.7), a);
    }

    #[test]
    #[should_panic = "huber_loss: predictions [2] and targets [3] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let vector = |size| Tensor::<(Dyn,)>::zeros((Dyn(size),));
        huber_loss(vector(2), vector(3), 1.0);
    }
}
