//! The rectified linear unit: `max(x, 0)`, as `nn.relu`. NaN stays NaN.

use super::elementwise::{Elementwise, Output};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `max(x, 0)`.
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
    const IS_RELU: bool = true;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        if x < E::ZERO { E::ZERO } else { x }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, y: E, cotangent: E) -> E {
        if y > E::ZERO { cotangent } else { E::ZERO }
    }
}

/// `max(x, 0)`, as `nn.relu`.
pub fn relu<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U4,)>::of(&[-1.0, 0.0, 2.5, f32::NAN]).unwrap();
        let y = relu(x);
        assert_eq!(y.as_slice()[..3], [0.0, 0.0, 2.5]);
        assert!(y.as_slice()[3].is_nan());
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random_away_from((Dyn(5), U7::default()), 1, &[0.0]));
        testing::gradient(&Op, testing::random((Dyn(0), U7::default()), 1));
        testing::gradient(&Op, testing::random_away_from((), 1, &[0.0]));
    }
}
