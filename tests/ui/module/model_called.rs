use flaxen::prelude::*;

#[module]
struct Model {
    dense: Dense<3>,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 3] {
        self.dense(x)
    }
}

fn main() {
    let model = Model::new();
    let x: Tensor![4, 2] = Tensor::zeros(Default::default());
    let y = model(x);
}
