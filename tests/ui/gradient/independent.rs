use flaxen::prelude::*;

fn main() {
    let a: Tensor![4] = Tensor::zeros(Default::default());
    let b: Tensor![4] = Tensor::zeros(Default::default());
    let (_loss, _grads) = value_and_grad!(|x, y| x.sum(), a, b);
}
