use flaxen::prelude::*;

#[module]
struct Classifier;

#[module]
impl Classifier {
    fn call<B: Batch>(&self, x: Tensor![B, 784]) -> Tensor![B, 10] {
        let x = compact!(Dense<256>)(x);
        compact!(Dense<12>)(relu(x))
    }
}

fn main() {}
