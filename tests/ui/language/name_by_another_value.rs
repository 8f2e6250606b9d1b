//! A name that is not numbered by the pass of its loop.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut x = x;
        for i in 0..3 {
            let number = 2 * i;
            x = compact!(Dense<3>, name = format!("layer_{number}"))(x);
        }
        x
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
