//! From images to tokens.

use flaxen::init::normal;
use flaxen::nn::NoBias;
use flaxen::prelude::*;
use flaxen::shape::arithmetic::DimAdd;
use flaxen::shape::decimal::Number;
use flaxen::shape::window::Slide;

/// A learned vector for each place in a sequence, which is added to the token there.
#[module]
pub struct PositionEmbedding;

#[module]
impl PositionEmbedding {
    fn call<B: Batch, T: Static, W: Static>(&self, tokens: Tensor![B, T, W]) -> Tensor![B, T, W] {
        tokens + param!("embedding", normal(0.02), [T, W])
    }
}

/// Tokens of `W` features: one that is learned, and one for each of the `K` patches of `P` by `P` pixels of an image of `I` by
/// `I`: Hugging Face's `FlaxCLIPVisionEmbeddings`.
#[module]
pub struct VisionEmbeddings<I: Static, P: Number, K: Static, W: Static>;

#[module]
impl<I: Static, P: Number, K: Static, W: Static> VisionEmbeddings<I, P, K, W>
where
    I: Slide<P, P, Valid, U1>,
    U1: DimAdd<K, Out: Static>,
{
    fn call<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, 1 + K, W] {
        let class = param!("class_embedding", normal(0.02), [W]);
        let patch_embedding =
            compact!(Conv<W, (P, P), (P, P), Valid, 1, 1, NoBias>, name = "patch_embedding");
        let patches = patch_embedding(images.clone());
        let patches = reshape::<Tensor![B, K, W]>(patches);
        let class = broadcast_batch(reshape::<Tensor![1, W]>(class), images);
        let tokens = concat::<1>(class, patches);
        compact!(PositionEmbedding, name = "position_embedding")(tokens)
    }
}
