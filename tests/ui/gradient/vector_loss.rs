use flaxen::prelude::*;

#[module]
struct Head;

#[module]
impl Head {
    fn call<B: Batch>(&self, x: Tensor![B, 256]) -> Tensor![B, 10] {
        compact!(Dense<10>, name = "head")(x)
    }
}

fn main() {
    let model = Head::new();
    let params = model.init(Key::new(0)).params;
    let x: Tensor![4, 256] = Tensor::zeros(Default::default());
    let (_loss, _grads) = value_and_grad!(|params| model.apply(params, x), &params);
}
