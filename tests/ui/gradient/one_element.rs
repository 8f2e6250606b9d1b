use flaxen::prelude::*;

/// Of `f32` alone.
#[module]
struct Head;

#[module]
impl Head {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 2] {
        compact!(Dense<2>)(x)
    }
}

fn main() {
    let (model, params) = (Head::new(), Head::new().init(Key::new(0)).params);
    let x: Tensor![3, 4] = Tensor::zeros(Default::default());
    let _product = hvp!(|params| model.apply(params, x).sum(), &params, &params);
}
