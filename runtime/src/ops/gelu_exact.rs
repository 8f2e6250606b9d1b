//! The Gaussian error linear unit `x Φ(x) = x/2 (1 + erf(x/√2))`, as `nn.gelu(x, approximate=False)`.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x/2 (1 + erf(x/√2))`.
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

/// `Φ(x)`, the distribution function of the standard normal distribution.
#[inline(always)]
fn normal_distribution<E: Float>(x: E) -> E {
    let half = E::from_f64(0.5);
    half + half * (x * E::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf()
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x * normal_distribution(x)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let density = E::from_f64(0.398_942_280_401_432_7) * (E::from_f64(-0.5) * x * x).exp();
        cotangent * normal_distribution(x) + cotangent * x * density
    }
}

/// `x/2 (1 + erf(x/√2))`.
pub fn gelu_exact<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [-0.00404969409, -0.154268769, 0.0, 0.149676581, 1.95449974];
        for (found, expected) in gelu_exact(x).as_slice().iter().zip(expected) {
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
