//! The mean squared error: the mean of [`squared_error`](fn@super::squared_error) over all elements.

use super::{regression, sizes};
use crate::backend::map::{self, Function};
use crate::backend::mean_of_squares;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::ops::neg;
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `mean((predictions - targets)²)`
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: predictions and targets have the same sizes, and the output is a scalar.
    pub const fn shape([predictions, targets]: [Sizes; 2]) -> Rule {
        match sizes::same("mse", ["predictions", "targets"], predictions, targets) {
            Rule::Out(_) => Rule::Out(Sizes::new(&[])),
            refused => refused,
        }
    }
}

impl<S: Shape, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for Op {
    type Out = Tensor<(), E>;

    fn infer(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> Tensor<(), E> {
        sizes::check(Op::shape, &predictions, &targets);
        Tensor::scalar(mean_of_squares(regression::error(predictions, &targets).as_slice()))
    }
}

impl<S: Shape, E: Float, NA: Need, NB: Need> Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)> for Op {
    /// The error.
    type Residuals = Tensor<S, E>;

    fn forward(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> (Tensor<(), E>, Tensor<S, E>) {
        sizes::check(Op::shape, &predictions, &targets);
        let error = regression::error(predictions, &targets);
        (Tensor::scalar(mean_of_squares(error.as_slice())), error)
    }

    fn backward(
        &self,
        error: Tensor<S, E>,
        cotangent: Tensor<(), E>,
    ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
        let mut gradient = error;
        let elements = E::from_f64(gradient.as_slice().len() as f64);
        let factor = E::from_f64(2.0) * cotangent.item() / elements;
        map::map_in_place(&Times(factor), gradient.as_mut_slice());
        let targets = NB::when(|| neg(gradient.clone()));
        (NA::when(|| gradient), targets)
    }
}

struct Times<E>(E);

impl<E: Float> Function<E> for Times<E> {
    type Out = E;

    #[inline(always)]
    fn at(&self, x: E) -> E {
        self.0 * x
    }
}

/// `mean((predictions - targets)²)`
pub fn mse<A, B>(predictions: A, targets: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((predictions, targets))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn values() {
        let predictions = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).unwrap();
        let targets = Tensor::<(U3,)>::of(&[1.0, 4.0, 0.0]).unwrap();
        assert_eq!(mse(predictions, targets).item(), 13.0 / 3.0);
    }

    #[test]
    fn gradients() {
        let shape = (Dyn(5), U7::default());
        testing::gradient2(&Op, testing::random(shape, 1), testing::random(shape, 2));
        testing::gradient2(&Op, testing::random((), 1), testing::random((), 2));
    }

    #[test]
    fn the_mean_of_nothing_is_nan() {
        assert!(
            mse(Tensor::<(U0,)>::zeros(Default::default()), Tensor::zeros(Default::default()))
                .item()
                .is_nan()
        );
    }

    #[test]
    fn refusals() {
        let sizes = |last| Sizes::new(&[Size::Named("B"), Size::Known(last)]);
        testing::fits(Op::shape([sizes(3), sizes(3)]), "[]");
        testing::refused(
            Op::shape([sizes(3), sizes(4)]),
            "mse: predictions [B, 3] and targets [B, 4] differ in their last axis",
        );
    }
}
