//! What losses of an error have in common: `f(predictions - targets)`, element by element.
//!
//! Such a loss is an elementwise op of the error: without targets they are zero, as in Optax. Only the error is
//! kept for the backward pass, in the predictions' memory.

use crate::backend::map::{self, Function};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

struct Subtract;

impl<E: Float> Function<(E, E)> for Subtract {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        a - b
    }
}

/// `predictions - targets`
pub(super) fn error<S: Shape, E: Float>(
    mut predictions: Tensor<S, E>,
    targets: &Tensor<S, E>,
) -> Tensor<S, E> {
    if let Some(elements) = predictions.get_mut() {
        map::zip_in_place(&Subtract, elements, targets.as_slice());
        return predictions;
    }
    Tensor::written(predictions.shape(), |error| {
        map::zip(&Subtract, predictions.as_slice(), targets.as_slice(), error);
    })
}

/// Makes an op of the error, which is [`Elementwise`](crate::ops::Elementwise), one of predictions and targets.
macro_rules! of_predictions_and_targets {
    ($op:ident, $name:literal) => {
        impl $op {
            /// The rule in numbers: predictions and targets, if there are any, have the same sizes, and so has the output.
            pub const fn shape<const N: usize>(inputs: [crate::shape::Sizes; N]) -> crate::shape::Rule {
                crate::loss::sizes::same($name, ["predictions", "targets"], inputs[0], inputs[N - 1])
            }
        }

        impl<S: crate::shape::Shape, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for $op {
            type Out = Tensor<S, E>;

            fn infer(&self, (predictions, targets): (Tensor<S, E>, Tensor<S, E>)) -> Tensor<S, E> {
                crate::loss::sizes::check($op::shape, &predictions, &targets);
                self.infer(crate::loss::regression::error(predictions, &targets))
            }
        }

        impl<S: crate::shape::Shape, E: Float, NA: op::Need, NB: op::Need>
            op::Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)> for $op
        {
            /// The error.
            type Residuals = Tensor<S, E>;

            fn forward(
                &self,
                (predictions, targets): (Tensor<S, E>, Tensor<S, E>),
            ) -> (Tensor<S, E>, Tensor<S, E>) {
                crate::loss::sizes::check($op::shape, &predictions, &targets);
                let error = crate::loss::regression::error(predictions, &targets);
                op::Differentiable::<Tensor<S, E>, op::Yes>::forward(self, error)
            }

            fn backward(
                &self,
                error: Tensor<S, E>,
                cotangent: Tensor<S, E>,
            ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
                let gradient = op::Differentiable::<Tensor<S, E>, op::Yes>::backward(self, error, cotangent);
                let targets = NB::when(|| crate::ops::neg(gradient.clone()));
                (NA::when(|| gradient), targets)
            }
        }
    };
}
pub(super) use of_predictions_and_targets;
