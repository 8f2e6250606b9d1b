use flaxen::prelude::*;

#[module]
struct Mean;

#[module]
impl Mean {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![B, 5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        x - mean
    }
}

fn main() {
    Mean::new().init(Key::new(0));
}
