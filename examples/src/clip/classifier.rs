//! A classifier on top of the pretrained vision transformer.

use super::VisionTransformer;
use flaxen::nn::Repeats;
use flaxen::prelude::*;
use flaxen::shape::arithmetic::DimAdd;
use flaxen::shape::decimal::Number;
use flaxen::shape::window::Slide;

/// A dense layer, the `head`, on what a [`VisionTransformer`], the `backbone`, gives for an image: `C` classes. The head begins
/// with zeros.
#[module]
pub struct Classifier<
    I: Static,
    P: Number,
    K: Static,
    W: Static,
    H: Static,
    D: Static,
    M: Static,
    L: Repeats,
    C: Static,
> {
    /// The pretrained model.
    pub backbone: VisionTransformer<I, P, K, W, H, D, M, L>,
    /// The classifier.
    #[default(Dense::new().kernel_init(zeros()))]
    pub head: Dense<C>,
}

#[module]
impl<I: Static, P: Number, K: Static, W: Static, H: Static, D: Static, M: Static, L: Repeats, C: Static>
    Classifier<I, P, K, W, H, D, M, L, C>
where
    I: Slide<P, P, Valid, U1>,
    U1: DimAdd<K, Out: Static>,
{
    fn call<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, C] {
        let features = self.backbone(images);
        self.head(features)
    }
}
