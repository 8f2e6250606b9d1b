use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let _ = jvp!(
        |x| {
            let (out, pullback) = vjp!(|y| exp(y), x);
            out
        },
        &x,
        &x
    );
}
