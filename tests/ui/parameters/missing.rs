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
    let x: Tensor![1, 256] = Tensor::zeros(Default::default());
    Head::new().apply(x);
}
