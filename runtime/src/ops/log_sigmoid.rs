//! The logarithm of the logistic function, `-ln(1 + exp(-x))`, as `nn.log_sigmoid`.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `-ln(1 + exp(-x))`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
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
        let negative = if x > E::ZERO { E::ZERO } else { x };
        negative - (-x.abs()).exp().ln_1p()
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        cotangent / (E::ONE + x.exp())
    }
}

/// `-ln(1 + exp(-x))`.
pub fn log_sigmoid<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U5,)>::of(&[-3.0, -0.5, 0.0, 0.25, 2.0]).unwrap();
        let expected = [-3.04858735, -0.974076984, -0.693147181, -0.57593942, -0.126928011];
        for (found, expected) in log_sigmoid(x).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(3), U7::default()), 1));
        testing::gradient(&Op, testing::random((), 1));
    }
}
