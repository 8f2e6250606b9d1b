//! Arms that yield tensors of different shapes.

use flaxen::prelude::*;

#[module]
struct Model {
    wide: bool,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let y = if self.wide { compact!(Dense<8>)(x) } else { compact!(Dense<4>)(x) };
        compact!(Dense<3>)(y)
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
