//! An arm of a `match` with another shape.

use flaxen::prelude::*;

#[module]
struct Model {
    width: usize,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let y = match self.width {
            0 => compact!(Dense<4>)(x),
            1 => tanh(compact!(Dense<4>)(x)),
            _ => compact!(Dense<6>)(x),
        };
        compact!(Dense<3>)(y)
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
