use flaxen::prelude::*;

#[module]
struct Force;

#[module]
impl Force {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        grad!(|x| exp(x).sum(), x)
    }
}

fn main() {}
