//! The identity whose derivative is zero, as `jax.lax.stop_gradient`.

use super::elementwise::{Elementwise, Nothing};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x`, with a cotangent of zero.
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
    type Kept = Nothing;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, _: E, _: E) -> E {
        E::ZERO
    }
}

/// `x`, with a cotangent of zero.
pub fn stop_gradient<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::{Differentiable, Yes};
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U5,)>::of(&[-3.0, -0.5, 0.0, 0.25, 2.0]).unwrap();
        let expected = [-3.0, -0.5, 0.0, 0.25, 2.0];
        for (found, expected) in stop_gradient(x).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn the_cotangent_is_zero() {
        let (y, ()) = Op.forward(Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap());
        assert_eq!(y.as_slice(), [1.0, 2.0]);
        let dx = Differentiable::<Tensor<(U2,)>, Yes>::backward(&Op, (), y);
        assert_eq!(dx.as_slice(), [0.0, 0.0]);
    }
}
