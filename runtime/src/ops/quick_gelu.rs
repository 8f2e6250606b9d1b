//! The sigmoid approximation of the Gaussian error linear unit, `x sigmoid(1.702 x)` (Hendrycks and Gimpel 2016), as
//! `quick_gelu` of Hugging Face's CLIP.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x / (1 + exp(-1.702 x))`.
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
fn factor<E: Float>() -> E {
    E::from_f64(1.702)
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x / (E::ONE + (-factor::<E>() * x).exp())
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let sigmoid = E::ONE / (E::ONE + (-factor::<E>() * x).exp());
        cotangent * sigmoid * (E::ONE + factor::<E>() * x * (E::ONE - sigmoid))
    }
}

/// `x / (1 + exp(-1.702 x))`.
pub fn quick_gelu<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [-0.0180713097, -0.149611563, 0.0, 0.15119965, 1.93565862];
        for (found, expected) in quick_gelu(x).as_slice().iter().zip(expected) {
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
