//! The logarithm of the softmax along the last axis, `x - max - ln Σ exp(x - max)`, as `nn.log_softmax`.

use crate::backend::rowwise::{LogSoftmax, LogSoftmaxPullback, each_row};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::has_last;
use crate::shape::{Rule, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `x - ln Σ exp(x)` along the last axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        has_last("log_softmax", x)
    }
}

impl<S: SplitLast, E: Float> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<S, E>;
    const BY_EXAMPLE: bool = S::RANK > 1;

    fn infer(&self, mut x: Tensor<S, E>) -> Tensor<S, E> {
        let row = x.sizes().as_ref()[S::RANK - 1];
        each_row(&LogSoftmax, x.as_mut_slice(), row, &[], 0);
        x
    }
}

impl<S: SplitLast, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    /// The output.
    type Residuals = Tensor<S, E>;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<S, E>, Tensor<S, E>) {
        let y = self.infer(x);
        (y.clone(), y)
    }

    fn backward(&self, y: Tensor<S, E>, mut cotangent: Tensor<S, E>) -> Tensor<S, E> {
        let row = y.sizes().as_ref()[S::RANK - 1];
        each_row(&LogSoftmaxPullback, cotangent.as_mut_slice(), row, y.as_slice(), row);
        cotangent
    }
}

/// `x - ln Σ exp(x)` along the last axis.
pub fn log_softmax<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U2, U3)>::of(&[0.0, 0.0, 0.0, 1000.0, 1001.0, f32::NEG_INFINITY]).unwrap();
        let expected =
            [-1.098_612_3, -1.098_612_3, -1.098_612_3, -1.313_261_7, -0.313_261_7, f32::NEG_INFINITY];
        for (found, expected) in log_softmax(x).as_slice().iter().zip(expected) {
            assert!(*found == expected || (found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(3), U10::default()), 1));
        testing::gradient(&Op, testing::random((Dyn(2), U2::default(), U33::default()), 1));
        testing::gradient(&Op, testing::random((U1::default(),), 1));
        testing::gradient(&Op, testing::random((Dyn(0), U3::default()), 1));
        testing::gradient(&Op, testing::random((Dyn(2), U0::default()), 1));
    }

    #[test]
    fn a_scalar_is_refused() {
        testing::refused(Op::shape([Sizes::known(&[])]), "log_softmax: a scalar has no last axis");
    }
}
