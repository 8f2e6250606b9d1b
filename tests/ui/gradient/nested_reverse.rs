use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let _ = grad!(|x| grad!(|y| exp(y).sum(), x).sum(), x.clone());
    let _ = jvp!(
        |x| {
            let (out, pullback) = vjp!(|y| exp(y), x);
            out
        },
        &x,
        &x
    );
}
