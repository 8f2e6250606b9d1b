//! The smallest along one axis, which is removed, as `jnp.min(x, axis)`: `min_axis::<1>(x)`. NaN wins, and equals share the
//! cotangent.

use super::extremum::{self, Smallest};
use super::reduction::{along, without};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::{HasAxis, removed};
use crate::shape::{Rule, Sizes, Static};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The smallest along the axis `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>);

impl<A: Static> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the axis is removed.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        removed("min_axis", x, A::N)
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> op::Op<Tensor<S, E>> for Op<A> {
    type Out = Tensor<S::Removed, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let sizes = x.sizes();
        let sizes = sizes.as_ref();
        extremum::along(&Smallest, x.as_slice(), along(sizes, A::N), without(sizes, A::N))
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<A> {
    /// Input and output.
    type Residuals = (Tensor<S, E>, Self::Out);

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, Self::Residuals) {
        let y = self.infer(x.clone());
        (y.clone(), (x, y))
    }

    fn backward(&self, (x, y): Self::Residuals, cotangent: Self::Out) -> Tensor<S, E> {
        let axis = along(x.sizes().as_ref(), A::N);
        extremum::spread(&x, y.as_slice(), cotangent, axis)
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
        assert_eq!(Op::<U0>::new().infer(x()).as_slice(), [1.0, 2.0, 6.0]);
        assert_eq!(Op::<U1>::new().infer(x()).as_slice(), [1.0, 4.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        testing::along_axes!(Op, "min_axis");
    }
}
