//! A loop over a list that only the running program has.

use flaxen::prelude::*;

#[module]
struct Model {
    factors: Vec<f64>,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut x = x;
        for factor in &self.factors {
            x = x * *factor;
        }
        x
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
