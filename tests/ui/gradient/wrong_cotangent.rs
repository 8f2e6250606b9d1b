use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let (_out, pullback) = vjp!(|x| x.sum(), x.clone());
    let _dx = pullback(x);
}
