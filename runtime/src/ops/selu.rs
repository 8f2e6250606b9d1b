//! The self-normalising exponential linear unit, as `nn.selu`: `1.0507 x` above zero, `1.0507 · 1.6733 (exp(x) - 1)` below.
//!
//! Klambauer and others, *Self-Normalizing Neural Networks* (2017).

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `1.0507 x` above zero, `1.0507 · 1.6733 (exp(x) - 1)` below.
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

const SCALE: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_3;

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        let (above, below) = (E::from_f64(SCALE) * x, E::from_f64(SCALE * ALPHA) * x.exp_m1());
        if x > E::ZERO { above } else { below }
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let (above, below) = (E::from_f64(SCALE), E::from_f64(SCALE * ALPHA) * x.exp());
        cotangent * if x > E::ZERO { above } else { below }
    }
}

/// `1.0507 x` above zero, `1.0507 · 1.6733 (exp(x) - 1)` below.
pub fn selu<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let expected = [-1.67056873, -0.691758188, 0.0, 0.262675247, 2.10140197];
        for (found, expected) in selu(x).as_slice().iter().zip(expected) {
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
