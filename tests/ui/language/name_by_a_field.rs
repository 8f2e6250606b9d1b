//! A name with the value of a hyper-parameter.

use flaxen::prelude::*;

#[module]
struct Model {
    number: usize,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        compact!(Dense<3>, name = format!("layer_{}", self.number))(x)
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
