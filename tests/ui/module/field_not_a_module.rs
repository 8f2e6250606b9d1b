use flaxen::prelude::*;

#[module]
struct Model {
    rate: f32,
    dense: Dense<3>,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 3] {
        self.rate(self.dense(x))
    }
}

fn main() {}
