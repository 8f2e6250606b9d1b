//! The bias of a linear op: a tensor `[F]` that is added to every row, or `()` for none.

use crate::backend::Epilogue;
use crate::shape::Dim;
use crate::tensor::{Float, Tensor};
use crate::tree::Tree;
use serde::{Serialize, de::DeserializeOwned};

/// What a linear op adds to each of `F` output features: a tensor `[F]`, or nothing, `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bias for `{F}` features",
    label = "a bias is a tensor `[F]`, or `()`"
)]
pub trait Bias<F: Dim, E: Float>: Tree + Serialize + DeserializeOwned {
    /// How the kernels add it.
    fn epilogue(&self) -> Epilogue<'_, E>;

    /// A bias that `write` fills; it gets `None` where there is none.
    fn written(features: F, write: impl FnOnce(Option<&mut [E]>)) -> Self;
}

impl<F: Dim, E: Float> Bias<F, E> for Tensor<(F,), E> {
    fn epilogue(&self) -> Epilogue<'_, E> {
        Epilogue::Bias(self.as_slice())
    }

    fn written(features: F, write: impl FnOnce(Option<&mut [E]>)) -> Self {
        Tensor::written((features,), |bias| write(Some(bias)))
    }
}

impl<F: Dim, E: Float> Bias<F, E> for () {
    fn epilogue(&self) -> Epilogue<'_, E> {
        Epilogue::Assign
    }

    fn written(_: F, write: impl FnOnce(Option<&mut [E]>)) {
        write(None);
    }
}

/// The cotangent of a bias: the sum of the output's over all rows.
pub(super) fn cotangent<F: Dim, E: Float, B: Bias<F, E>>(features: F, rows: &[E]) -> B {
    B::written(features, |bias| {
        if let Some(bias) = bias {
            bias.fill(E::ZERO);
            for row in rows.chunks_exact(features.size().max(1)) {
                bias.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
            }
        }
    })
}
