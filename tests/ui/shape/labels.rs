use flaxen::prelude::*;

#[differentiable]
fn cross_entropy<B: Batch>(logits: Tensor![B, 12], labels: Tensor![B; i32]) -> Tensor![] {
    let labels = one_hot::<10>(labels);
    softmax_cross_entropy(logits, labels).mean()
}

fn main() {}
