//! A classifier on top of a pretrained model.

use flaxen::prelude::*;

/// A dense layer, the `head`, on the `W` features that a `backbone` gives for an image of `I` by `I`: `C` classes. The head begins
/// with zeros.
#[module]
pub struct Classifier<Backbone, I: Static, W: Static, C: Static> {
    /// The pretrained model.
    pub backbone: Backbone,
}

#[module]
impl<Backbone, I: Static, W: Static, C: Static> Classifier<Backbone, I, W, C> {
    fn call<B: Batch>(&self, images: Tensor![B, I, I, 3]) -> Tensor![B, C] {
        let features: Tensor![B, W] = self.backbone(images);
        compact!(Dense<C>, kernel_init = zeros(), name = "head")(features)
    }
}
