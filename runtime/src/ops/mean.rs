//! The mean of all elements, as `jnp.mean`; of a tensor of `bool`, the share that is true. NaN if there are none.

use super::div::Scalar;
use super::reduction::{sum_into, whole};
use super::sum;
use crate::batching::{Cotangents, Inputs, Lane, Outputs};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// The mean of all elements.
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
        let mut sum = [E::ZERO];
        sum_into(x, whole(x.len()), &mut sum);
        Tensor::scalar(sum[0] / E::from_f64(x.len() as f64))
    }

    fn infer_each(&self, Inputs(x): Inputs<Tensor<S, E>>) -> Outputs<Tensor<(), E>> {
        let x = x.stacked(1);
        let elements = Scalar::new(x.shape().elements() as f64);
        let Outputs(sums) = op::Op::<Tensor<S, E>>::infer_each(&sum::Op, Inputs(Lane::Each(x)));
        op::Op::<Tensor<(), E>>::infer_each(&elements, Inputs(Lane::Each(sums)))
    }
}

impl<S: Shape> op::Op<Tensor<S, bool>> for Op {
    type Out = Tensor<(), f32>;

    fn infer(&self, x: Tensor<S, bool>) -> Tensor<(), f32> {
        let x = x.as_slice();
        let count = x.iter().filter(|&&x| x).count();
        Tensor::scalar((count as f64 / x.len() as f64) as f32)
    }
}

impl<S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<(), E>, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Tensor<(), E>) -> Tensor<S, E> {
        Tensor::full(shape, cotangent.item() / E::from_f64(shape.elements() as f64))
    }

    fn backward_each(
        &self,
        Inputs(x): Inputs<Tensor<S, E>>,
        y: Outputs<Tensor<(), E>>,
        Outputs(dy): Outputs<Tensor<(), E>>,
    ) -> Cotangents<Tensor<S, E>, Yes> {
        let x = x.stacked(1);
        let elements = Scalar::new(x.shape().elements() as f64);
        let dy = op::Op::<Tensor<(), E>>::infer_each(&elements, Inputs(Lane::Each(dy)));
        Differentiable::<Tensor<S, E>, Yes>::backward_each(&sum::Op, Inputs(Lane::Each(x)), y, dy)
    }
}

/// The mean of all elements.
pub fn mean<X>(x: X) -> <Op as op::Op<X>>::Out
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
        assert_eq!(mean(x).item(), 3.5);
        assert_eq!(mean(Tensor::<(U4,), bool>::of(&[true, false, false, false]).unwrap()).item(), 0.25);
        assert!(mean(Tensor::<_, f32>::zeros((Dyn(0),))).item().is_nan());
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(3), U5::default()), 1));
        testing::gradient(&Op, testing::random((), 1));
        testing::gradient(&Op, testing::random((U1::default(),), 1));
    }
}
