//! The vision tower, and with the projection into the space that images and texts share.

use super::{EPSILON, EncoderLayer, VisionEmbeddings};
use flaxen::nn::Repeats;
use flaxen::prelude::*;
use flaxen::shape::arithmetic::DimAdd;
use flaxen::shape::decimal::Number;
use flaxen::shape::window::Slide;

/// `L` encoder layers: Hugging Face's `FlaxCLIPEncoder`.
#[module]
pub struct Encoder<W: Static, H: Static, D: Static, M: Static, L: Repeats> {
    layers: Stack<EncoderLayer<W, H, D, M>, L>,
}

#[module]
impl<W: Static, H: Static, D: Static, M: Static, L: Repeats> Encoder<W, H, D, M, L> {
    fn call<B: Batch, T: Dim>(&self, x: Tensor![B, T, W]) -> Tensor![B, T, W] {
        self.layers(x)
    }
}

/// The vision transformer: Hugging Face's `FlaxCLIPVisionTransformer`.
///
/// | parameter | |
/// |---|---|
/// | `I`, `P`, `K` | rows and columns of an image, those of a patch, and the number of patches, `(I / P)²` |
/// | `W`, `H`, `D` | features of a token, heads, and features of a head, `W / H` |
/// | `M`, `L` | features inside of the perceptrons, and encoder layers |
///
/// `call` gives the token of the whole image, normalised: `pooler_output`. The method `tokens` gives all of them:
/// `last_hidden_state`.
#[module]
pub struct VisionTransformer<
    I: Static,
    P: Number,
    K: Static,
    W: Static,
    H: Static,
    D: Static,
    M: Static,
    L: Repeats,
> {
    embeddings: VisionEmbeddings<I, P, K, W>,
    /// As the name is spelled in the pretrained parameters.
    #[default(LayerNorm::new().epsilon(EPSILON))]
    pre_layrnorm: LayerNorm,
    encoder: Encoder<W, H, D, M, L>,
    #[default(LayerNorm::new().epsilon(EPSILON))]
    post_layernorm: LayerNorm,
}

#[module]
impl<I: Static, P: Number, K: Static, W: Static, H: Static, D: Static, M: Static, L: Repeats>
    VisionTransformer<I, P, K, W, H, D, M, L>
where
    I: Slide<P, P, Valid, U1>,
    U1: DimAdd<K, Out: Static>,
{
    fn call<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, W] {
        let tokens = self.tokens(images);
        let class = slice::<1, 0, 1>(tokens);
        self.post_layernorm(reshape::<Tensor![B, W]>(class))
    }

    fn tokens<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, 1 + K, W] {
        let x = self.embeddings(images);
        let x = self.pre_layrnorm(x);
        self.encoder(x)
    }
}

/// The vision half of CLIP: the vision transformer, and the projection of what it gives into `F` features, which are compared
/// with those of texts. Its parameters are those of Hugging Face's `FlaxCLIPModule` without the text half.
#[module]
pub struct ClipVision<
    I: Static,
    P: Number,
    K: Static,
    W: Static,
    H: Static,
    D: Static,
    M: Static,
    L: Repeats,
    F: Static,
> {
    /// The vision transformer.
    pub vision_model: VisionTransformer<I, P, K, W, H, D, M, L>,
    visual_projection: Dense<F, flaxen::nn::NoBias>,
}

#[module]
impl<I: Static, P: Number, K: Static, W: Static, H: Static, D: Static, M: Static, L: Repeats, F: Static>
    ClipVision<I, P, K, W, H, D, M, L, F>
where
    I: Slide<P, P, Valid, U1>,
    U1: DimAdd<K, Out: Static>,
{
    fn call<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, F] {
        let pooled = self.vision_model(images);
        self.visual_projection(pooled)
    }
}
