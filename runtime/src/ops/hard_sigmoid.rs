//! The logistic function in three straight lines, `relu6(x + 3) / 6`, as `nn.hard_sigmoid`.

use super::elementwise::{Elementwise, Output};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `min(max(x + 3, 0), 6) / 6`.
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
        let (zero, six) = (E::ZERO, E::from_f64(6.0));
        let x = x + E::from_f64(3.0);
        let x = if x < zero { zero } else { x };
        (if x > six { six } else { x }) / six
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, y: E, cotangent: E) -> E {
        if y > E::ZERO && y < E::ONE { cotangent / E::from_f64(6.0) } else { E::ZERO }
    }
}

/// `min(max(x + 3, 0), 6) / 6`.
pub fn hard_sigmoid<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U5,)>::of(&[-4.0, -0.5, 0.0, 2.5, 4.0]).unwrap();
        let expected = [0.0, 0.416666667, 0.5, 0.916666667, 1.0];
        for (found, expected) in hard_sigmoid(x).as_slice().iter().zip(expected) {
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
