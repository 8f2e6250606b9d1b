//! The leaky rectified linear unit, as `nn.leaky_relu(x, negative_slope)`: `x` above zero, `negative_slope x` below.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x` from zero up, `negative_slope x` below. Flax's default is a slope of 0.01.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    negative_slope: f64,
}

impl Op {
    /// The op with this `negative_slope`.
    pub const fn new(negative_slope: f64) -> Self {
        Op { negative_slope }
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        let below = E::from_f64(self.negative_slope) * x;
        if x < E::ZERO { below } else { x }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let below = E::from_f64(self.negative_slope) * cotangent;
        if x < E::ZERO { below } else { cotangent }
    }
}

/// `x` from zero up, `negative_slope x` below. Flax's default is a slope of 0.01.
pub fn leaky_relu<X>(x: X, negative_slope: f64) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op::new(negative_slope).infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U5,)>::of(&[-3.0, -0.5, 0.0, 0.25, 2.0]).unwrap();
        let expected = [-0.3, -0.05, 0.0, 0.25, 2.0];
        for (found, expected) in leaky_relu(x, 0.1).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op::new(0.1), testing::random_away_from((Dyn(3), U7::default()), 1, &[0.0]));
        testing::gradient(&Op::new(0.1), testing::random_away_from((), 1, &[0.0]));
    }
}
