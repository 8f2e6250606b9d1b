//! The value of an `if` that may not be there.

use flaxen::prelude::*;

#[module]
struct Model {
    active: bool,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let y = if self.active { relu(x) };
        y
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
