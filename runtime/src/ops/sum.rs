//! The sum of all elements, as `jnp.sum`. It is added up in a fixed order, in blocks, whatever the threads.

use super::reduction::{stretched, sum_along, whole};
use crate::backend::reduce::Axis;
use crate::batching::{Cotangents, Inputs, Lane, Outputs, Stack};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::{Dyn, Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// The sum of all elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: a scalar.
    pub const fn shape([_]: [Sizes; 1]) -> Rule {
        Rule::Out(Sizes::new(&[]))
    }
}

impl<S: Shape, E: Float> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<(), E>;

    fn infer(&self, x: Tensor<S, E>) -> Tensor<(), E> {
        let x = x.as_slice();
        sum_along(x, whole(x.len()), ())
    }

    fn infer_each(&self, Inputs(x): Inputs<Tensor<S, E>>) -> Outputs<Tensor<(), E>> {
        let x = x.stacked(1);
        let axis = Axis { outer: x.count(), len: x.shape().elements(), inner: 1 };
        Outputs(Stack::new(x.count(), (), sum_along(x.as_slice(), axis, (Dyn(x.count()),))))
    }
}

impl<S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<(), E>, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Tensor<(), E>) -> Tensor<S, E> {
        Tensor::full(shape, cotangent.item())
    }

    fn backward_each(
        &self,
        Inputs(x): Inputs<Tensor<S, E>>,
        _: Outputs<Tensor<(), E>>,
        Outputs(dy): Outputs<Tensor<(), E>>,
    ) -> Cotangents<Tensor<S, E>, Yes> {
        let x = x.stacked(1);
        let (count, shape) = (x.count(), x.shape());
        let axis = Axis { outer: count, len: shape.elements(), inner: 1 };
        let dx = stretched((Dyn(count * axis.len),), axis, dy.as_slice());
        Cotangents(Lane::Each(Stack::new(count, shape, dx)))
    }
}

/// The sum of all elements.
pub fn sum<X>(x: X) -> <Op as op::Op<X>>::Out
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
        let x = Tensor::<(U2, U3)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(sum(x).item(), 21.0);
        assert_eq!(sum(Tensor::<_, f32>::zeros((Dyn(0), U2::default()))).item(), 0.0);
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(3), U5::default()), 1));
        testing::gradient(&Op, testing::random((), 1));
        testing::gradient(&Op, testing::random((U1::default(),), 1));
    }

    #[test]
    fn long_sums_are_accurate_and_do_not_depend_on_the_threads() {
        let x = Tensor::<_, f32>::from_fn((Dyn(1_234_567),), |i| (i % 1000) as f32 * 0.001 + 0.1);
        let exact: f64 = x.as_slice().iter().map(|&x| f64::from(x)).sum();
        let found = sum(x.clone()).item();
        assert!((f64::from(found) / exact - 1.0).abs() < 2e-7, "{found} instead of {exact}");
        for threads in 1..5 {
            crate::backend::set_threads(threads);
            assert_eq!(sum(x.clone()).item().to_bits(), found.to_bits());
        }
    }
}
