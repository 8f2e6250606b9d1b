//! Linear regression: a dense layer from 10 to 5 features, 20 samples, gradient descent.

use flaxen::prelude::*;

use crate::row::{Row, Work};

/// One dense layer.
#[module]
pub struct Linear;

#[module]
impl Linear {
    fn call<B: Batch>(&self, x: Tensor![B, 10]) -> Tensor![B, 5] {
        compact!(Dense<5>)(x)
    }
}

/// Forward, and backward to the kernel.
const OPERATIONS: usize = 2 * 20 * (2 * 10 * 5);

pub fn row() -> Row {
    let x: Tensor![20, 10] = Key::new(0).normal(Default::default());
    let truth = Linear::new().init(Key::new(1)).params;
    let noise: Tensor![20, 5] = Key::new(2).normal(Default::default());
    let y = Linear::new().apply(&truth, x.clone()) + 0.1 * noise;

    let params = Linear::new().init(Key::new(3)).params;
    let mut state = TrainState::create(params, sgd(0.3));
    let step = move || {
        let (loss, gradients) = value_and_grad!(
            |params| {
                let error = y.clone() - Linear::new().apply(params, x.clone());
                (0.5 * sum_axis::<1>(square(error))).mean()
            },
            &state.params
        );
        state.update(gradients);
        loss.item()
    };
    Row::training(Work::Operations(OPERATIONS), step)
}
