//! A variable whose shape changes from pass to pass.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut y = x;
        for _ in 0..3 {
            y = compact!(Dense<8>)(y);
        }
        compact!(Dense<3>)(y)
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
