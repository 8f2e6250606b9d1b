//! The logarithm of a sum of exponentials along the last axis, which is removed, as `nn.logsumexp(x, axis=-1)`.

use super::reduction::without;
use crate::backend::rowwise::{LogSumExp, LogSumExpPullback, each_row};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::without_last;
use crate::shape::{Rule, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `ln Σ exp(x)` along the last axis, which is removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the last axis is removed.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        without_last("logsumexp", x)
    }
}

impl<S: SplitLast, E: Float> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<S::Front, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let sizes = x.sizes();
        let sizes = sizes.as_ref();
        Tensor::written(without(sizes, S::RANK - 1), |y| {
            each_row(&LogSumExp, y, 1, x.as_slice(), sizes[S::RANK - 1])
        })
    }
}

impl<S: SplitLast, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    /// The input.
    type Residuals = Tensor<S, E>;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, Tensor<S, E>) {
        (self.infer(x.clone()), x)
    }

    fn backward(&self, mut x: Tensor<S, E>, cotangent: Self::Out) -> Tensor<S, E> {
        let row = x.sizes().as_ref()[S::RANK - 1];
        each_row(&LogSumExpPullback, x.as_mut_slice(), row, cotangent.as_slice(), 1);
        x
    }
}

/// `ln Σ exp(x)` along the last axis, which is removed.
pub fn logsumexp<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let infinity = f32::INFINITY;
        let x = Tensor::<(U3, U2)>::of(&[1000.0, 1000.0, -infinity, -infinity, infinity, 0.0]).unwrap();
        assert_eq!(logsumexp(x).as_slice(), [1_000.693_2, -infinity, infinity]);
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(3), U10::default()), 1));
        testing::gradient(&Op, testing::random((U1::default(),), 1));
        testing::gradient(&Op, testing::random((Dyn(0), U3::default()), 1));
    }
}
