//! What an op takes for each feature or does without: the bias of a linear op, the scale of a normalisation.

use super::reduction::sum_into;
use crate::backend::Epilogue;
use crate::backend::reduce::Axis;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::Tree;

/// A number for each of the features `S`, which are as many dimensions as the features have: a tensor, or nothing, `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number for each of the features `{S}`",
    label = "expected a tensor of the shape `{S}`, or `()`"
)]
pub trait PerFeature<S: Shape, E: Float>: Tree {
    /// The numbers, if there are any.
    fn numbers(&self) -> Option<&[E]>;

    /// Numbers that `write` fills; it gets `None` where there are none.
    fn written(features: S, write: impl FnOnce(Option<&mut [E]>)) -> Self;

    /// How the kernels add them to a row of features.
    fn epilogue(&self) -> Epilogue<'_, E> {
        self.numbers().map_or(Epilogue::Assign, Epilogue::Bias)
    }
}

impl<S: Shape, E: Float> PerFeature<S, E> for Tensor<S, E> {
    fn numbers(&self) -> Option<&[E]> {
        Some(self.as_slice())
    }

    fn written(features: S, write: impl FnOnce(Option<&mut [E]>)) -> Self {
        Tensor::written(features, |numbers| write(Some(numbers)))
    }
}

impl<S: Shape, E: Float> PerFeature<S, E> for () {
    fn numbers(&self) -> Option<&[E]> {
        None
    }

    fn written(_: S, write: impl FnOnce(Option<&mut [E]>)) {
        write(None);
    }
}

/// The cotangent of a bias: the sum of the output's over all rows.
pub(super) fn cotangent<S: Shape, E: Float, B: PerFeature<S, E>>(features: S, rows: &[E]) -> B {
    let inner = features.elements();
    B::written(features, |bias| {
        if let Some(bias) = bias.filter(|bias| !bias.is_empty()) {
            let axis = Axis { outer: 1, len: rows.len() / inner, inner };
            sum_into(rows, axis, bias);
        }
    })
}
