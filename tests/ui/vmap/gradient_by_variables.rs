//! A gradient by a model's variables for each example.

use flaxen::prelude::*;

fn main() {
    let model = Dense::<U2>::new();
    let x = Tensor::<(U3, U2)>::zeros(Default::default());
    let variables = model.init(Key::new(0), &x);
    let _ = vmap!(|x| grad!(|params| model.apply(params, x).sum(), &variables.params), x);
}
