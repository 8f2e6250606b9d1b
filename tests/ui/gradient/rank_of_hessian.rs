use flaxen::prelude::*;

fn main() {
    let images: Tensor![2, 4, 4, 1] = Tensor::zeros(Default::default());
    let _hessian = hessian!(|x| square(x).sum(), images);
}
