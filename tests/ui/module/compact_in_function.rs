use flaxen::prelude::*;

#[differentiable]
fn logits<B: Batch>(x: Tensor![B, 28]) -> Tensor![B, 10] {
    compact!(Dense<10>)(x)
}

fn main() {}
