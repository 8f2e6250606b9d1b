//! A loop that ends when a tensor is small enough.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut x = x;
        for _ in 0..4 {
            x = tanh(x);
            if x.clone().mean() < 0.1 {
                break;
            }
        }
        x
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
