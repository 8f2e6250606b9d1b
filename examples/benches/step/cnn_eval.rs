//! The convolutional network of the Fashion-MNIST tutorial: the logits of 1,000 images.

use flaxen::prelude::*;
use flaxen_examples::fashion_mnist::Cnn;

use crate::cnn::FORWARD;
use crate::row::{Row, Work};

pub fn row() -> Row {
    let images: Tensor![1000, 28, 28, 1] = Key::new(1).uniform(Default::default(), 0.0, 1.0);
    let params = Cnn::new().init(Key::new(0)).params;
    let step = move || Cnn::new().apply(&params, images.clone()).as_slice()[0];
    Row::other(Work::Operations(1000 * FORWARD), step).images(1000)
}
