//! A loop is written out as often as a constant says, whose value the macro does not see.

use flaxen::prelude::*;

#[module]
struct Model;

#[module]
impl Model {
    const DEPTH: usize = 3;

    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut x = x;
        #[unroll]
        for _ in 0..Self::DEPTH {
            x = compact!(Dense<3>)(x);
        }
        x
    }
}

fn main() {
    let model = Model::new();
    let params = model.init(Key::new(0)).params;
    let _y = model.apply(&params, Tensor::<(U2, U3)>::zeros(Default::default()));
}
