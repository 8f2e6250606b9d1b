use flaxen::prelude::*;

#[module]
struct Empty;

#[module]
impl Empty {
    fn forward<B: Batch>(&self, x: Tensor![B, 28]) -> Tensor![B, 28] {
        x
    }
}

fn main() {}
