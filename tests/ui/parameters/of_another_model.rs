use flaxen::prelude::*;

#[module]
struct Head;

#[module]
impl Head {
    fn call<B: Batch>(&self, x: Tensor![B, 256]) -> Tensor![B, 10] {
        compact!(Dense<10>, name = "head")(x)
    }
}

#[module]
struct Tail;

#[module]
impl Tail {
    fn call<B: Batch>(&self, x: Tensor![B, 256]) -> Tensor![B, 10] {
        compact!(Dense<10>, name = "tail")(x)
    }
}

fn main() {
    let variables = Tail::new().init(Key::new(0));
    let x: Tensor![1, 256] = Tensor::zeros(Default::default());
    Head::new().apply(&variables, x);
}
