//! A guard that looks at a tensor.

use flaxen::prelude::*;

#[module]
struct Model {
    mode: usize,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        match self.mode {
            0 => relu(x),
            _ if x.clone().sum() < 1.0 => tanh(x),
            _ => x,
        }
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
