//! The convolutional network of the Fashion-MNIST tutorial on batches of 32, with momentum.

use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;
use flaxen_examples::fashion_mnist::{Cnn, CnnParams};

use crate::patterns::Batches;
use crate::row::{Row, Work};

/// The first convolution, which has the image for its input.
const FIRST: usize = 2 * 28 * 28 * 32 * 9;
/// Operations of the forward pass for one image: two convolutions and two dense layers.
pub const FORWARD: usize = FIRST + 2 * (14 * 14 * 64 * 9 * 32 + 3136 * 256 + 256 * 10);
/// The backward pass does each product twice, but for the cotangent of the image, which nobody asks for.
pub const TRAINING: usize = 3 * FORWARD - FIRST;

pub type State = TrainState<CnnParams, Sgd<Trace>>;

pub fn create_train_state() -> State {
    TrainState::create(Cnn::new().init(Key::new(0)).params, sgd(0.1).momentum(0.9))
}

/// A whole step; the loss is that before it.
pub fn train_step<B: Batch>(
    state: &mut State,
    images: Tensor![B, 28, 28, 1],
    labels: Tensor![B; i32],
) -> f32 {
    let (loss, gradients) = value_and_grad!(
        |params| {
            let logits = Cnn::new().apply(params, images);
            softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        },
        &state.params
    );
    state.update(gradients);
    loss.item()
}

pub fn row() -> Row {
    let mut batches = Batches::<(U32, U28, U28, U1), U32>::new(Default::default(), Default::default());
    let mut state = create_train_state();
    let step = move || {
        let (images, labels) = batches.next();
        train_step(&mut state, images, labels)
    };
    Row::training(Work::Operations(32 * TRAINING), step).images(32)
}
