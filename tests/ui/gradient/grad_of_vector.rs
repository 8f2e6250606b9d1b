use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let _gradient = grad!(|x| square(x), x);
}
