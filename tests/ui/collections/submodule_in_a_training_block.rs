use flaxen::prelude::*;

#[module]
struct Mean;

#[module]
impl Mean {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], phase: P) -> Tensor![B, 5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        if P::TRAIN {
            mean.value = mean_axis::<0>(compact!(Dense<5>)(x));
        }
        x - mean.value
    }
}

fn main() {
    Mean::new().init(Key::new(0));
}
