//! The axes in reverse order, as `x.T` in JAX.

use crate::backend::copy;
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::permute::{Reverse, permuted};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor, shape_of};

/// The axes in reverse order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

const BACKWARDS: [usize; 6] = [5, 4, 3, 2, 1, 0];

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the sizes in reverse order.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        permuted("transpose", x, backwards(x.rank()))
    }
}

/// The axes of a tensor, the last first.
const fn backwards(rank: usize) -> &'static [usize] {
    BACKWARDS.split_at(BACKWARDS.len() - rank).1
}

impl<S: Reverse, E: Element> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<S::Out, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        reversed(x)
    }
}

impl<S: Reverse, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    type Residuals = ();

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, ()) {
        (self.infer(x), ())
    }

    fn backward(&self, (): (), cotangent: Self::Out) -> Tensor<S, E> {
        reversed(cotangent)
    }
}

/// Whose types say that `T` is `S` in reverse.
fn reversed<S: Shape, T: Shape, E: Element>(x: Tensor<S, E>) -> Tensor<T, E> {
    let sizes = x.sizes();
    let x_sizes = sizes.as_ref();
    let axes = backwards(S::RANK);
    let mut out_sizes = [0; 6];
    axes.iter().zip(&mut out_sizes).for_each(|(&axis, size)| *size = x_sizes[axis]);
    Tensor::written(shape_of(&out_sizes[..S::RANK]), |out| copy::permute(x.as_slice(), x_sizes, axes, out))
}

/// The axes in reverse order.
pub fn transpose<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient, random};
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U2, U3), i32>::of(&[1, 2, 3, 4, 5, 6]).unwrap();
        let y: Tensor<(U3, U2), i32> = transpose(x);
        assert_eq!(y.as_slice(), [1, 4, 2, 5, 3, 6]);
        fits(Op::shape([Sizes::known(&[2, 3, 4])]), "[4, 3, 2]");
    }

    #[test]
    fn gradients() {
        gradient(&Op, random((), 1));
        gradient(&Op, random((Dyn(3),), 1));
        gradient(&Op, random((Dyn(3), U2::default(), U1::default(), U4::default()), 1));
        gradient(&Op, random((Dyn(0), U2::default()), 1));
    }
}
