//! A perceptron of so many hidden layers, all of 256 features.

use flaxen::nn::Repeats;
use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;

/// A dense layer and its activation.
#[module]
pub struct Hidden;

#[module]
impl Hidden {
    fn call<B: Batch>(&self, x: Tensor![B, 256]) -> Tensor![B, 256] {
        relu(compact!(Dense<256>)(x))
    }
}

/// `L` hidden layers between the images' and that of the logits.
#[module]
pub struct Deep<L: Repeats> {
    layers: Stack<Hidden, L>,
}

#[module]
impl<L: Repeats> Deep<L> {
    fn call<B: Batch>(&self, x: Tensor![B, 784]) -> Tensor![B, 10] {
        let x = relu(compact!(Dense<256>)(x));
        let x = self.layers(x);
        compact!(Dense<10>)(x)
    }
}

/// Forward and backward of a batch, without the cotangent of the images.
pub const fn operations(batch: usize, layers: usize) -> usize {
    batch * (2 * 2 * 784 * 256 + 3 * 2 * (layers * 256 * 256 + 256 * 10))
}

pub type State<L> = TrainState<DeepParams<L>, Sgd<Trace>>;

pub fn create_train_state<L: Repeats>() -> State<L> {
    TrainState::create(Deep::<L>::new().init(Key::new(0)).params, sgd(0.01).momentum(0.9))
}

/// A whole step; the loss is that before it.
pub fn train_step<L: Repeats, B: Batch>(
    state: &mut State<L>,
    images: Tensor![B, 784],
    labels: Tensor![B; i32],
) -> f32 {
    let (loss, gradients) = value_and_grad!(
        |params| {
            let logits = Deep::<L>::new().apply(params, images);
            softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        },
        &state.params
    );
    state.update(gradients);
    loss.item()
}
