use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let _ = grad!(|x| grad!(|y| exp(y).sum(), x).sum(), x);
}
