use flaxen::prelude::*;

#[module]
struct Sum;

#[module]
impl Sum {
    fn call<B: Batch>(&self, x: Tensor![B, 784]) -> Tensor![B, 32] {
        let a = compact!(Dense<32>)(x);
        let b = compact!(Dense<64>)(x);
        a + b
    }
}

fn main() {}
