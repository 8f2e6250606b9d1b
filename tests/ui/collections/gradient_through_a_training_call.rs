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

fn main() {
    let model = Mlp::new();
    let variables = model.init(Key::new(0));
    let x: Tensor![8, 3] = Tensor::zeros(Default::default());
    let (_loss, _gradients) =
        value_and_grad!(|params| model.apply((params, &variables.state), x, Train).sum(), &variables.params);
}
