//! Several mistakes in one body show at once.

use flaxen::prelude::*;

#[module]
struct Model {
    depth: usize,
    active: bool,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut y = x.clone();
        for _ in 0..self.depth {
            y = tanh(y);
        }
        if y.clone().sum() > 0.0 {
            y = relu(y);
        }
        #[unroll]
        for _ in 0..self.depth {
            y = tanh(y);
        }
        let z = if self.active { relu(y.clone()) };
        while self.active {
            y = tanh(y);
        }
        for _ in 0..3 {
            y = relu(y);
            break;
        }
        y
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
