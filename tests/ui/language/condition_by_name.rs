//! A condition on what was computed from a tensor before.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mean = x.clone().mean();
        let positive = mean.item() > 0.0;
        if positive {
            relu(x)
        } else {
            tanh(x)
        }
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
