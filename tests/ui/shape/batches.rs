use flaxen::prelude::*;

#[module]
struct Pair;

#[module]
impl Pair {
    fn call<B: Batch, C: Batch>(&self, x: Tensor![B, 32], y: Tensor![C, 32]) -> Tensor![B, 32] {
        x + y
    }
}

fn main() {}
