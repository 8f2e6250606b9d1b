//! The sum along one axis, which is removed, as `jnp.sum(x, axis)`: `sum_axis::<1>(x)`.

use super::reduction::{along, stretched, sum_along, without};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::{HasAxis, removed};
use crate::shape::{Rule, Sizes, Static};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The sum along the axis `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>);

impl<A: Static> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the axis is removed.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        removed("sum_axis", x, A::N)
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> op::Op<Tensor<S, E>> for Op<A> {
    type Out = Tensor<S::Removed, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let (sizes, x) = (x.sizes(), x.as_slice());
        let axis = along(sizes.as_ref(), A::N);
        sum_along(x, axis, without(sizes.as_ref(), A::N))
    }
}

impl<A: Static, S: HasAxis<A>, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<A> {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Self::Out) -> Tensor<S, E> {
        stretched(shape, along(shape.sizes().as_ref(), A::N), cotangent.as_slice())
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
        assert_eq!(Op::<U0>::new().infer(x()).as_slice(), [5.0, 7.0, 15.0]);
        assert_eq!(Op::<U1>::new().infer(x()).as_slice(), [9.0, 18.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        testing::along_axes!(Op, "sum_axis");
    }

    #[test]
    fn many_rows_are_summed_accurately_and_in_the_same_order_by_any_number_of_threads() {
        for columns in [1, 10, 32, 45] {
            let x =
                Tensor::<_, f32>::from_fn((Dyn(20_011), Dyn(columns)), |i| (i % 977) as f32 * 0.001 + 0.1);
            let found = Op::<U0>::new().infer(x.clone());
            for (column, &found) in found.as_slice().iter().enumerate() {
                let exact: f64 = x.as_slice()[column..].iter().step_by(columns).map(|&x| f64::from(x)).sum();
                assert!((f64::from(found) / exact - 1.0).abs() < 5e-7, "{found} instead of {exact}");
            }
            for threads in 1..4 {
                crate::backend::set_threads(threads);
                assert_eq!(Op::<U0>::new().infer(x.clone()), found);
            }
        }
    }
}
