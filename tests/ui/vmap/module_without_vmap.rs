//! A module that names an axis, applied without a `vmap!` that binds it.

use flaxen::prelude::*;

axis!(batch);

#[module]
struct Model;

#[module(axis = batch)]
impl Model {
    fn call(&self, x: Tensor![3], phase: Train) -> Tensor![3] {
        compact!(BatchNorm, axis_name = batch)(x, phase)
    }
}

#[module]
struct Forgotten;

#[module]
impl Forgotten {
    fn call(&self, x: Tensor![3], phase: Train) -> Tensor![3] {
        compact!(BatchNorm, axis_name = batch)(x, phase)
    }
}

fn main() {
    let model = Model::new();
    let variables = model.init(Key::new(0));
    let x = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).unwrap();
    let _ = value_and_grad!(
        |params| {
            let (y, state) = model.apply_mut((params, &variables.state), x, Train, rngs! {});
            (y.sum(), state)
        },
        &variables.params
    );
}
