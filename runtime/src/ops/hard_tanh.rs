//! The hyperbolic tangent in three straight lines, `min(max(x, -1), 1)`, as `nn.hard_tanh`.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `min(max(x, -1), 1)`.
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
        let x = if x < -E::ONE { -E::ONE } else { x };
        if x > E::ONE { E::ONE } else { x }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        if x < -E::ONE || x > E::ONE { E::ZERO } else { cotangent }
    }
}

/// `min(max(x, -1), 1)`.
pub fn hard_tanh<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [-1.0, -0.5, 0.0, 0.25, 1.0];
        for (found, expected) in hard_tanh(x).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random_away_from((Dyn(3), U7::default()), 1, &[-1.0, 1.0]));
        testing::gradient(&Op, testing::random_away_from((), 1, &[-1.0, 1.0]));
    }
}
