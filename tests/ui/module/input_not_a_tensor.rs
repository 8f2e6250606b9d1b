use flaxen::prelude::*;

#[module]
struct Scaled;

#[module]
impl Scaled {
    fn call<B: Batch>(&self, x: Tensor![B, 28], rate: f32) -> Tensor![B, 28] {
        x * rate
    }
}

fn main() {}
