use flaxen::prelude::*;

fn main() {
    let (x, y): (Tensor![4], Tensor![4]) = (Tensor::zeros(Default::default()), Tensor::zeros(Default::default()));
    let _ = vjp!(|x, y| x * y, x);
    let _ = jvp!(|x, y| x * y, x, y);
    let _ = jvp!(|x| square(x), x);
    let _ = hessian!(|x, y| (x * y).sum(), x, y);
    let _ = hvp!(x, x);
    let _ = jacrev!(|x| (square(x), x), x);
}
