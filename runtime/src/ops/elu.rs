//! The exponential linear unit, as `nn.elu(x, alpha)`: `x` above zero, `alpha (exp(x) - 1)` below.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x` above zero, `alpha (exp(x) - 1)` below. Flax's default is an `alpha` of 1.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    alpha: f64,
}

impl Op {
    /// The op with this `alpha`.
    pub const fn new(alpha: f64) -> Self {
        Op { alpha }
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
        let below = E::from_f64(self.alpha) * x.exp_m1();
        if x > E::ZERO { x } else { below }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let below = cotangent * E::from_f64(self.alpha) * x.exp();
        if x > E::ZERO { cotangent } else { below }
    }
}

/// `x` above zero, `alpha (exp(x) - 1)` below. Flax's default is an `alpha` of 1.
pub fn elu<X>(x: X, alpha: f64) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op::new(alpha).infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U5,)>::of(&[-3.0, -0.5, 0.0, 0.25, 2.0]).unwrap();
        let expected = [-0.475106466, -0.19673467, 0.0, 0.25, 2.0];
        for (found, expected) in elu(x, 0.5).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op::new(0.5), testing::random_away_from((Dyn(3), U7::default()), 1, &[0.0]));
        testing::gradient(&Op::new(0.5), testing::random_away_from((), 1, &[0.0]));
    }
}
