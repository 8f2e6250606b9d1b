//! The natural logarithm, as `jnp.log`: NaN below zero, minus infinity at zero.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// The natural logarithm of `x`.
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
        x.ln()
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        cotangent / x
    }
}

/// The natural logarithm of `x`.
pub fn log<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U4,)>::of(&[0.25, 1.0, 2.0, 9.0]).unwrap();
        let expected = [-1.38629436, 0.0, 0.693147181, 2.19722458];
        for (found, expected) in log(x).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random_positive((Dyn(3), U7::default()), 1));
        testing::gradient(&Op, testing::random_positive((), 1));
    }
}
