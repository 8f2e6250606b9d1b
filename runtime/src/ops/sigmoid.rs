//! The logistic function `1 / (1 + exp(-x))`, as `nn.sigmoid`.

use super::elementwise::{Elementwise, Output};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `1 / (1 + exp(-x))`.
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
    type Kept = Output;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        E::ONE / (E::ONE + (-x).exp())
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, y: E, cotangent: E) -> E {
        cotangent * y * (E::ONE - y)
    }
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [0.0474258732, 0.377540669, 0.5, 0.562176501, 0.880797078];
        for (found, expected) in sigmoid(x).as_slice().iter().zip(expected) {
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
