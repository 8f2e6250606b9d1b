//! A layer of the encoder.

use super::{Attention, EPSILON};
use flaxen::prelude::*;

/// Two dense layers with `M` features between them: Hugging Face's `FlaxCLIPMLP`.
#[module]
pub struct Mlp<W: Static, M: Static>;

#[module]
impl<W: Static, M: Static> Mlp<W, M> {
    fn call<B: Batch, T: Dim>(&self, x: Tensor![B, T, W]) -> Tensor![B, T, W] {
        let x = compact!(Dense<M>, name = "fc1")(x);
        let x = quick_gelu(x);
        compact!(Dense<W>, name = "fc2")(x)
    }
}

/// Attention and a multi-layer perceptron, each after a normalisation and added to what enters it: Hugging Face's
/// `FlaxCLIPEncoderLayer`.
#[module]
pub struct EncoderLayer<W: Static, H: Static, D: Static, M: Static>;

#[module]
impl<W: Static, H: Static, D: Static, M: Static> EncoderLayer<W, H, D, M> {
    fn call<B: Batch, T: Dim>(&self, x: Tensor![B, T, W]) -> Tensor![B, T, W] {
        let y = compact!(LayerNorm, epsilon = EPSILON, name = "layer_norm1")(x.clone());
        let x = x + compact!(Attention<W, H, D>, name = "self_attn")(y);
        let y = compact!(LayerNorm, epsilon = EPSILON, name = "layer_norm2")(x.clone());
        x + compact!(Mlp<W, M>, name = "mlp")(y)
    }
}
