//! A loop as long as a local variable says.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let depth = 3;
        let mut x = x;
        for _ in 0..depth {
            x = tanh(x);
        }
        x
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
