//! The magnitude, as `jnp.abs`; its derivative at zero is zero.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `|x|`.
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
        x.abs()
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let signed = if x < E::ZERO { -cotangent } else { cotangent };
        if x == E::ZERO { E::ZERO } else { signed }
    }
}

/// `|x|`.
pub fn abs<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [3.0, 0.5, 0.0, 0.25, 2.0];
        for (found, expected) in abs(x).as_slice().iter().zip(expected) {
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
