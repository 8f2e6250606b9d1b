//! The perceptron 784-256-10 on batches of 128, with momentum.

use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;

use crate::patterns::Batches;
use crate::row::{Row, Work};

/// A hidden layer of `H` features.
#[module]
pub struct Mlp<H: Static>;

#[module]
impl<H: Static> Mlp<H> {
    fn call<B: Batch>(&self, x: Tensor![B, 784]) -> Tensor![B, 10] {
        let x = relu(compact!(Dense<H>)(x));
        compact!(Dense<10>)(x)
    }
}

/// Forward and backward of a batch, without the cotangent of the images, which nobody asks for.
pub const fn operations(batch: usize, hidden: usize) -> usize {
    let (first, second) = (2 * 784 * hidden, 2 * hidden * 10);
    batch * (2 * first + 3 * second)
}

pub type State<H> = TrainState<MlpParams<H>, Sgd<Trace>>;

pub fn create_train_state<H: Static>() -> State<H> {
    TrainState::create(Mlp::<H>::new().init(Key::new(0)).params, sgd(0.1).momentum(0.9))
}

/// A whole step; the loss is that before it.
pub fn train_step<H: Static, B: Batch>(
    state: &mut State<H>,
    images: Tensor![B, 784],
    labels: Tensor![B; i32],
) -> f32 {
    let (loss, gradients) = value_and_grad!(
        |params| {
            let logits = Mlp::<H>::new().apply(params, images);
            softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        },
        &state.params
    );
    state.update(gradients);
    loss.item()
}

pub fn row() -> Row {
    let mut batches = Batches::<(U128, U784), U128>::new(Default::default(), Default::default());
    let mut state = create_train_state::<U256>();
    Row::training(Work::Operations(operations(128, 256)), move || {
        let (images, labels) = batches.next();
        train_step(&mut state, images, labels)
    })
}
