//! A power with the same exponent for every element, as `x ** exponent` in JAX.

use super::elementwise::{Elementwise, Input};
use crate::op::{self, Op as _};
use crate::shape::{Rule, Sizes};
use crate::tensor::Float;

/// `x` to the power of `exponent`.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    exponent: f64,
}

impl Op {
    /// The op with this `exponent`.
    pub const fn new(exponent: f64) -> Self {
        Op { exponent }
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

#[inline(always)]
fn power<E: Float>(x: E, exponent: f64) -> E {
    match exponent {
        0.0 => E::ONE,
        1.0 => x,
        2.0 => x * x,
        3.0 => x * x * x,
        -1.0 => E::ONE / x,
        0.5 => x.sqrt(),
        _ => x.powf(E::from_f64(exponent)),
    }
}

impl Elementwise for Op {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        power(x, self.exponent)
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        let slope = if self.exponent == 0.0 { E::ZERO } else { power(x, self.exponent - 1.0) };
        cotangent * E::from_f64(self.exponent) * slope
    }
}

/// `x` to the power of `exponent`.
pub fn pow<X>(x: X, exponent: f64) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op::new(exponent).infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U4,)>::of(&[0.25, 1.0, 2.0, 9.0]).unwrap();
        let expected = [0.03125, 1.0, 5.65685425, 243.0];
        for (found, expected) in pow(x, 2.5).as_slice().iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op::new(2.5), testing::random_positive((Dyn(3), U7::default()), 1));
        for exponent in [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0] {
            testing::gradient(&Op::new(exponent), testing::random_positive((Dyn(3),), 1));
        }
        testing::gradient(&Op::new(3.0), testing::random((Dyn(3),), 1));
    }
}
