//! An arm that yields one tensor, where two are bound.

use flaxen::prelude::*;

#[module]
struct Model {
    both: bool,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let (a, b) = if self.both { (x.clone(), x) } else { tanh(x) };
        a + b
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
