//! A loop is written out as often as a hyper-parameter says.

use flaxen::prelude::*;

#[module]
struct Model {
    depth: usize,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let mut x = x;
        #[unroll]
        for _ in 0..self.depth {
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
