use flaxen::prelude::*;

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let _ = jvp!(
        |x| {
            let tangent = jvp!(|y| exp(y), x, x);
            tangent
        },
        &x,
        &x
    );
}
