//! One update by Adam of ten million parameters, in eight matrices.

use flaxen::prelude::*;

use crate::row::{Row, Work};

/// Eight matrices of 1,250,000 parameters each.
#[module]
pub struct Matrices;

#[module]
impl Matrices {
    fn call<B: Batch>(&self, x: Tensor![B, 1000]) -> Tensor![B, 1000] {
        let mut x = x;
        for _ in 0..4 {
            let y = compact!(Dense<1250>, use_bias = false)(x);
            x = compact!(Dense<1000>, use_bias = false)(y);
        }
        x
    }
}

const PARAMETERS: usize = 8 * 1250 * 1000;
/// Parameters, gradients and both moments are read; all but the gradients are written.
const MOVED: usize = 4 * (4 + 3) * PARAMETERS;
/// The four trees.
const HELD: usize = 4 * 4 * PARAMETERS;

pub fn row() -> Row {
    let params = Matrices::new().init(Key::new(0)).params;
    let gradients = Matrices::new().init(Key::new(1)).params;
    let mut state = TrainState::create(params, adam(1e-3));
    let step = move || {
        state.update(gradients.clone());
        state.step as f32
    };
    Row::other(Work::Bytes { moved: MOVED, held: HELD }, step)
}
