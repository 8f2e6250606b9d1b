//! Two basic blocks of a residual network, of 64 features on 16 images of 32x32, gradient descent.

use flaxen::prelude::*;

use crate::row::{Row, Work};

/// Convolution, normalisation, relu, convolution, normalisation, and the input added.
#[module]
pub struct Block;

#[module]
impl Block {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 32, 32, 64], phase: P) -> Tensor![B, 32, 32, 64] {
        let y = compact!(Conv<64, (3, 3)>, use_bias = false)(x.clone());
        let y = relu(compact!(BatchNorm)(y, phase));
        let y = compact!(Conv<64, (3, 3)>, use_bias = false)(y);
        let y = compact!(BatchNorm)(y, phase);
        relu(x + y)
    }
}

/// A block after the other.
#[module]
pub struct Blocks;

#[module]
impl Blocks {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 32, 32, 64], phase: P) -> Tensor![B, 32, 32, 64] {
        let x = compact!(Block)(x, phase);
        compact!(Block)(x, phase)
    }
}

/// Four convolutions forward, to their kernels and, but for the first, to their inputs.
const OPERATIONS: usize = (4 + 4 + 3) * 2 * 16 * 32 * 32 * 64 * 9 * 64;

pub fn row() -> Row {
    let x: Tensor![16, 32, 32, 64] = Key::new(0).normal(Default::default());
    let Variables { params, state: mut batch_stats } = Blocks::new().init(Key::new(1));
    let mut state = TrainState::create(params, sgd(0.1));
    let step = move || {
        let ((loss, updated), gradients) = value_and_grad!(
            |params| {
                let (out, updated) =
                    Blocks::new().apply_mut((params, &batch_stats), x.clone(), Train, rngs! {});
                (out.mean(), updated)
            },
            &state.params
        );
        batch_stats = updated;
        state.update(gradients);
        loss.item()
    };
    Row::training(Work::Operations(OPERATIONS), step)
}
