use flaxen::prelude::*;

#[module]
struct Folded;

#[module]
impl Folded {
    fn call<B: Batch>(&self, x: Tensor![B, 7, 7, 64]) -> Tensor![B, 10] {
        let x = reshape::<Tensor![B, 3135]>(x);
        compact!(Dense<10>)(x)
    }
}

fn main() {}
