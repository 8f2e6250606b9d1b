//! The rectified linear unit that stops at six, `min(max(x, 0), 6)`, as `nn.relu6`.

use super::elementwise::{Elementwise, Output};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `min(max(x, 0), 6)`.
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
        let x = if x < E::ZERO { E::ZERO } else { x };
        let six = E::from_f64(6.0);
        if x > six { six } else { x }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, y: E, cotangent: E) -> E {
        if y > E::ZERO && y < E::from_f64(6.0) { cotangent } else { E::ZERO }
    }
}

/// `min(max(x, 0), 6)`.
pub fn relu6<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U4,)>::of(&[-3.0, 0.25, 5.5, 7.0]).unwrap();
        let expected = [0.0, 0.25, 5.5, 6.0];
        for (found, expected) in relu6(x).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random_away_from((Dyn(3), U7::default()), 1, &[0.0]));
        testing::gradient(&Op, testing::random_away_from((), 1, &[0.0]));
    }
}
