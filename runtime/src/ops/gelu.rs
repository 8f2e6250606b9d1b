//! The Gaussian error linear unit with tanh, `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`: `nn.gelu` as it is by default.
//!
//! Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016). [`gelu_exact`](mod@super::gelu_exact) is the exact one.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
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

/// √(2/π)
const SCALE: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044715;

#[inline(always)]
fn tanh_of_cubic<E: Float>(x: E) -> E {
    (E::from_f64(SCALE) * (x + E::from_f64(CUBIC) * x * x * x)).tanh()
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        let t = tanh_of_cubic(x);
        E::from_f64(0.5) * x * (E::ONE + t)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let (t, half) = (tanh_of_cubic(x), E::from_f64(0.5));
        let slope = E::from_f64(SCALE) * (E::ONE + E::from_f64(3.0 * CUBIC) * x * x);
        cotangent * (half * (E::ONE + t) + half * x * (E::ONE - t * t) * slope)
    }
}

/// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
pub fn gelu<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [-0.00363739208, -0.15428599, 0.0, 0.149675351, 1.95459769];
        for (found, expected) in gelu(x).as_slice().iter().zip(expected) {
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
