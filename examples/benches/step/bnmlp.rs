//! Two dense layers of 128 features with batch normalisation, and one of a single feature, on 256 samples, with Adam.

use flaxen::prelude::*;

use crate::row::{Row, Work};

/// Dense, batch normalisation, relu, twice.
#[module]
pub struct BnMlp;

#[module]
impl BnMlp {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 64], phase: P) -> Tensor![B, 1] {
        let x = compact!(Dense<128>)(x);
        let x = relu(compact!(BatchNorm)(x, phase));
        let x = compact!(Dense<128>)(x);
        let x = relu(compact!(BatchNorm)(x, phase));
        compact!(Dense<1>)(x)
    }
}

/// Forward and backward, without the cotangent of the samples.
const OPERATIONS: usize = 256 * (2 * 2 * 64 * 128 + 3 * 2 * (128 * 128 + 128));

pub fn row() -> Row {
    let x: Tensor![256, 64] = Key::new(0).normal(Default::default());
    let y = Tensor::from_fn(Default::default(), |i| (x.as_slice()[64 * i] + x.as_slice()[64 * i + 1]).sin());
    let y: Tensor![256, 1] = y;

    let Variables { params, state: mut batch_stats } = BnMlp::new().init(Key::new(1));
    let mut state = TrainState::create(params, adam(1e-3));
    let step = move || {
        let ((loss, updated), gradients) = value_and_grad!(
            |params| {
                let (out, updated) =
                    BnMlp::new().apply_mut((params, &batch_stats), x.clone(), Train, rngs! {});
                (mse(out, y.clone()), updated)
            },
            &state.params
        );
        batch_stats = updated;
        state.update(gradients);
        loss.item()
    };
    Row::training(Work::Operations(OPERATIONS), step)
}
