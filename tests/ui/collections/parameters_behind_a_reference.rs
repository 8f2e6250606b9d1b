use flaxen::prelude::*;

#[module]
struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3], phase: P) -> Tensor![B, 1] {
        let x = compact!(Dense<4>)(x);
        let x = compact!(BatchNorm)(x, phase);
        let x = relu(x);
        compact!(Dense<1>)(x)
    }
}

fn reset(params: &MlpParams) {
    params.dense_0.kernel = Tensor::zeros(Default::default());
}

fn main() {
    reset(&Mlp::new().init(Key::new(0)).params);
}
