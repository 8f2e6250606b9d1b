//! The mean along one axis, which is removed, as `jnp.mean(x, axis)`: `mean_axis::<1>(x)`.

use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::{HasAxis, removed};
use crate::shape::{Rule, Sizes, Static};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The mean along the axis `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>);

impl<A: Static> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the axis is removed.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        removed("mean_axis", x, A::N)
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> op::Op<Tensor<S, E>> for Op<A> {
    type Out = Tensor<S::Removed, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let mean = super::div::Scalar::new(x.sizes().as_ref()[A::N] as f64);
        mean.infer(super::sum_axis::Op::<A>::new().infer(x))
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<A> {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Self::Out) -> Tensor<S, E> {
        let mean = super::div::Scalar::new(shape.sizes().as_ref()[A::N] as f64);
        super::sum_axis::Op::<A>::new().backward(shape, mean.infer(cotangent))
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = || Tensor::<(U2, U3)>::of(&[1.0, 2.0, 6.0, 4.0, 5.0, 9.0]).unwrap();
        assert_eq!(Op::<U0>::new().infer(x()).as_slice(), [2.5, 3.5, 7.5]);
        assert_eq!(Op::<U1>::new().infer(x()).as_slice(), [3.0, 6.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        testing::along_axes!(Op, "mean_axis");
    }
}
