//! The sigmoid linear unit with a hard sigmoid, `x relu6(x + 3) / 6`, as `nn.hard_swish`, which `nn.hard_silu` is another name of.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x min(max(x + 3, 0), 6) / 6`.
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

#[inline(always)]
fn hard_sigmoid<E: Float>(x: E) -> E {
    super::hard_sigmoid::Op.value(x)
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x * hard_sigmoid(x)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let slope = if x.abs() < E::from_f64(3.0) { x / E::from_f64(6.0) } else { E::ZERO };
        cotangent * (hard_sigmoid(x) + slope)
    }
}

/// `x min(max(x + 3, 0), 6) / 6`.
pub fn hard_swish<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [0.0, -0.208333333, 0.0, 2.29166667, 4.0];
        for (found, expected) in hard_swish(x).as_slice().iter().zip(expected) {
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
